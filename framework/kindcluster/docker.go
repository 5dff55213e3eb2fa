package kindcluster

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/shell"
)

// docker runs one command of docker's command line and returns its standard output.
type docker interface {
	run(ctx context.Context, args ...string) (string, error)
}

// dockerError keeps what docker said, which is where the reason is.
type dockerError struct {
	args   []string
	stderr string
	cause  error
}

func (e *dockerError) Error() string {
	said := strings.TrimSpace(e.stderr)
	if said == "" {
		return fmt.Sprintf("docker %s: %v", strings.Join(e.args, " "), e.cause)
	}
	return fmt.Sprintf("docker %s: %v: %s", e.args[0], e.cause, said)
}

func (e *dockerError) Unwrap() error { return e.cause }

type commandLine struct{}

func (commandLine) run(ctx context.Context, args ...string) (string, error) {
	var out strings.Builder
	r, err := shell.Run(ctx, shell.Command{Args: append([]string{"docker"}, args...), Env: os.Environ(), Stdout: &out})
	if err != nil {
		return out.String(), &dockerError{args: args, stderr: r.Stderr, cause: r.Cause}
	}
	return out.String(), nil
}

// wholeLimit bounds the making of one network, or the start of one container whose image is there.
const wholeLimit = time.Minute

// runWhole runs a command that makes something, unless ctx has ended, and does not end it with ctx: cut off in the middle, docker could
// make the thing after the removal has looked for it.
func runWhole(ctx context.Context, d docker, args ...string) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), wholeLimit)
	defer cancel()
	return d.run(whole, args...)
}

func said(err error, what ...string) bool {
	if err == nil {
		return false
	}
	return slices.ContainsFunc(what, func(w string) bool { return strings.Contains(err.Error(), w) })
}

var noNetworkForm = regexp.MustCompile(`No such network|network \S+ not found`)

// noNetwork tells whether docker did not find a network: newer versions say the second.
func noNetwork(err error) bool { return err != nil && noNetworkForm.MatchString(err.Error()) }

// refuseTaken looks for anything that has one of the run's names, before anything is changed.
func refuseTaken(ctx context.Context, d docker, o *Options) error {
	networks, err := d.run(ctx, "network", "ls", "--format", "{{.Name}}")
	if err != nil {
		return fmt.Errorf("list docker networks: %w: see scripts/engine --status", err)
	}
	containers, err := d.run(ctx, "ps", "--all", "--format", "{{.Names}}")
	if err != nil {
		return fmt.Errorf("list docker containers: %w: see scripts/engine --status", err)
	}
	var taken []string
	if slices.Contains(strings.Fields(networks), networkName(o.RunID)) {
		taken = append(taken, kindNetwork+" "+networkName(o.RunID))
	}
	for _, c := range strings.Fields(containers) {
		if c == registryName(o.RunID) {
			taken = append(taken, kindRegistry+" "+c)
		}
		for _, name := range o.Names {
			if c == clusterName(o.RunID, name)+nodeSuffix {
				taken = append(taken, kindCluster+" "+clusterName(o.RunID, name))
			}
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return fmt.Errorf("create clusters for run %s: %s: %w, and what is there is not touched: "+
		"use another run id, or remove it first (meshproof down, if a run of that id left it)", o.RunID, strings.Join(taken, ", "), ErrNameTaken)
}

// networkTries is how many free networks are asked for: each refusal means that somebody was faster, or that docker
// knows a route which this machine's tables did not show.
const networkTries = 5

func createNetwork(ctx context.Context, d docker, o *Options) (addresses, error) {
	entry := o.entry(kindNetwork, networkName(o.RunID))
	taken, err := takenNetworks(ctx, d)
	if err != nil {
		return addresses{}, err
	}
	free := candidates(o.RunID, taken)
	if len(free) == 0 {
		return addresses{}, fmt.Errorf("create docker network %s: every network of 172.29.0.0-172.31.255.255 overlaps one that is there: "+
			"remove unused ones (docker network prune)", entry.Name)
	}
	if err := o.Ledger.Intend(entry); err != nil {
		return addresses{}, err
	}
	for i, subnet := range free {
		a := divide(subnet, len(o.Names))
		_, err = runWhole(ctx, d, networkArgs(o.RunID, a, bridgeMTU(ctx, d))...)
		switch {
		case err == nil:
			return a, o.Ledger.Made(entry)
		case said(err, "already exists"):
			// Somebody made it since refuseTaken looked; it must not be removed as ours.
			return a, disown(o, entry, err)
		case i+1 == networkTries || !said(err, "overlaps", "overlapping"):
			return a, fmt.Errorf("create docker network %s (%s): %w", entry.Name, subnet, err)
		}
	}
	return addresses{}, fmt.Errorf("create docker network %s: %w: remove unused networks (docker network prune)", entry.Name, err)
}

func networkArgs(run string, a addresses, mtu string) []string {
	args := []string{"network", "create", "--driver", "bridge", "--label", runLabel + "=" + run,
		"--subnet", a.subnet.String(), "--ip-range", a.containers.String(), "--gateway", a.gateway.String(),
		"--opt", "com.docker.network.bridge.enable_ip_masquerade=true"}
	if mtu != "" {
		args = append(args, "--opt", "com.docker.network.driver.mtu="+mtu)
	}
	return append(args, networkName(run))
}

// bridgeMTU gives the MTU that somebody set for docker's default network, which new networks do not inherit, or "".
func bridgeMTU(ctx context.Context, d docker) string {
	out, err := d.run(ctx, "network", "inspect", "bridge", "--format", `{{ index .Options "com.docker.network.driver.mtu" }}`)
	if err != nil {
		return "" // an engine without the default network has no such setting
	}
	return strings.TrimSpace(out)
}

func takenNetworks(ctx context.Context, d docker) ([]netip.Prefix, error) {
	taken, err := interfaceNetworks()
	if err != nil {
		return nil, err
	}
	if table, err := os.Open("/proc/net/route"); err == nil { // absent where docker runs in a machine of its own
		taken = append(taken, routes(table)...)
		_ = table.Close()
	}
	ids, err := d.run(ctx, "network", "ls", "--quiet")
	if err != nil {
		return nil, fmt.Errorf("list docker networks: %w", err)
	}
	args := append([]string{"network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}"}, strings.Fields(ids)...)
	out, err := d.run(ctx, args...)
	if err != nil && !noNetwork(err) { // one that was removed in between takes nothing
		return nil, fmt.Errorf("look at docker networks: %w", err)
	}
	for _, s := range strings.Fields(out) {
		if p, err := netip.ParsePrefix(s); err == nil {
			taken = append(taken, p)
		}
	}
	return taken, nil
}
