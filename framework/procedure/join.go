package procedure

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/shell"
)

// Joiner enables endpoint discovery between all clusters of a set (S8) and returns its steps.
type Joiner interface {
	Join(ctx context.Context, set cluster.Set) ([]evidence.Step, error)
}

// Names of what S8 leaves behind.
const (
	remotePrefix = "istio-remote-secret-"
	// readerToken is the non-expiring token that istioctl makes in a cluster for the others to read it.
	readerToken = "istio-reader-service-account-istio-remote-secret-token"
)

// RemoteName is the name that asmcli gives to a cluster in the other clusters' remote secrets: the current context of its
// kubeconfig, made a label. A name that is too long is cut, and ends in a digest of the whole.
func RemoteName(context string) string {
	const (
		longest = 63 // of a label
		start   = 42 // characters kept of a longer name
		digest  = 20 // hexadecimal digits
	)
	name := strings.NewReplacer("_", "-", ".", "-", "@", "-", ":", "-").Replace(context)
	if len(name) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(name + "\n")) // the digest is that of a line
	return name[:start] + "-" + hex.EncodeToString(sum[:])[:digest]
}

// Nameable tells whether a cluster can go by that name in a remote secret: istioctl takes it for a label, and the API server for the
// end of the secret's name.
func Nameable(name string) bool {
	const longest = 63
	return len(name) <= longest && nameable.MatchString(name)
}

var nameable = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// joinStage is S8: for all clusters at once or, in turn, for one more each time. create-mesh wants the entire set each time.
func (p *Procedure) joinStage(ctx context.Context) ([]evidence.Step, error) {
	if p.skips(intent.StepJoin) {
		return nil, nil
	}
	joiner := p.o.Joiner
	switch {
	case joiner != nil:
	case p.o.Tools != nil:
		joiner = &asmcli{p: p}
	default:
		joiner = builtIn{p}
	}
	first := len(p.o.Set)
	if p.o.InTurn {
		first = guide.Clusters
	}
	var steps []evidence.Step
	for n := first; ; n++ {
		joined, err := joiner.Join(ctx, p.o.Set[:n])
		steps = append(steps, joined...)
		if err != nil || n == len(p.o.Set) {
			return steps, err
		}
		known, err := p.do(ctx, p.known(n)...)
		steps = append(steps, known...)
		if err != nil {
			return steps, err
		}
	}
}

// builtIn makes the remote secrets as `asmcli create-mesh` does: for each ordered pair of clusters istioctl's output is
// piped to kubectl, so that no secret ever passes through this process. The pairs do not depend on each other: they are
// made at once.
type builtIn struct{ p *Procedure }

// Join makes every cluster known to every other.
func (b builtIn) Join(ctx context.Context, set cluster.Set) ([]evidence.Step, error) {
	step, err := guide.Named(b.p.steps, "S8")
	if err != nil {
		return nil, err
	}
	values := b.p.values
	values.Clusters = values.Clusters[:len(set)]
	pairs, err := guide.RenderPairs(step, values, b.p.o.Intent.Mode)
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, errors.New("join the clusters: the guide's data has no command for the built-in join")
	}
	tokens, err := b.p.newTokens(ctx, set)
	if err != nil {
		return nil, err
	}
	// One after the other for the cluster that is made known: two istioctl at once would both make the secret with its token, and the
	// second fails, as a run with three clusters showed.
	chains := make([]chain, len(set))
	for _, pair := range pairs {
		from, to := set[pair.From-1], set[pair.To-1]
		t := task{
			id: fmt.Sprintf("S8.%d", pair.From), title: fmt.Sprintf("%s: make %s known to %s", step.Title, from.Name, to.Name), cluster: to.Name,
			script: pair.Script, deviations: []guide.Deviation{pair.Deviation}, limit: b.p.o.Limits.Command,
			makes: []ledger.Entry{b.p.secretOf(set, pair.From-1, to)},
		}
		if tokens[from.Name] {
			t.makes = append(t.makes, entry("Secret", from, istioSystem, readerToken))
		}
		chains[pair.From-1] = append(chains[pair.From-1], t)
	}
	return b.p.do(ctx, chains...)
}

// known are the waits until each of the first n clusters has the others of them synced, as istioctl shows it.
func (p *Procedure) known(n int) []chain {
	var all []chain
	for i, c := range p.o.Set[:n] {
		what := fmt.Sprintf("it has synced %d other clusters", n-1)
		wait := p.waiting(fmt.Sprintf("S8.%d", i+1), c, what, "the istiods of "+p.o.Intent.Revision, p.o.Limits.Joined, func(ctx context.Context) (string, error) {
			r, err := p.run(ctx, shell.Command{
				Args: []string{p.o.Release.Istioctl, "--kubeconfig", p.files.own[i], "remote-clusters", "--revision", p.o.Intent.Revision},
				Dir:  p.o.Release.Path, Env: p.environment(),
			})
			if err != nil {
				return "", err
			}
			return p.synced(r.Stdout, i, n)
		})
		all = append(all, chain{wait})
	}
	return all
}

// synced looks for each of the first n clusters but the i-th in the table that istioctl remote-clusters prints: name, secret,
// status, istiod.
func (p *Procedure) synced(table string, i, n int) (state string, err error) {
	status := map[string]string{}
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) >= 3 {
			status[f[0]] = f[2]
		}
	}
	var open []string
	for j := range n {
		name := p.values.Clusters[j].RemoteName
		if got := status[name]; j != i && got != "synced" {
			open = append(open, fmt.Sprintf("%s is %s", name, cmp.Or(got, "not there")))
		}
	}
	if len(open) > 0 {
		return strings.Join(open, ", "), errors.New("not all are synced")
	}
	return "all are synced", nil
}

// secretOf is the remote secret by which one cluster, the set's i-th, is known to another.
func (p *Procedure) secretOf(set cluster.Set, i int, to *cluster.Cluster) ledger.Entry {
	return entry("Secret", to, istioSystem, remotePrefix+remoteName(p.o.Intent, set, i))
}

// newTokens tells, by cluster name, where the reader's token is not there yet and will be made.
func (p *Procedure) newTokens(ctx context.Context, set cluster.Set) (map[string]bool, error) {
	made := map[string]bool{}
	if !p.supplied() {
		return made, nil
	}
	for _, c := range set {
		there, err := manifest.Exists(ctx, c, manifest.Ref{Kind: kinds()["Secret"], Namespace: istioSystem, Name: readerToken})
		if err != nil {
			return nil, err
		}
		made[c.Name] = !there
	}
	return made, nil
}
