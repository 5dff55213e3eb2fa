package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/whole"
)

// createCluster makes one cluster and returns it when it is ready.
func (m *maker) createCluster(ctx context.Context, name, addressRange string, config []byte) (Made, error) {
	full := clusterName(m.RunID, name)
	entry := m.entry(kindCluster, full)
	entry.Path = m.kubeconfig(name)
	if err := m.Ledger.Intend(entry); err != nil {
		return Made{}, err
	}
	logger := newPhaseLogger(func(message string) { m.tell(name, "%s", message) })
	running, err := m.runKind(ctx, name, full, config, logger)
	if said(err, "node(s) already exist") {
		return Made{}, disown(m.Options, entry, err)
	}
	made := Made{Name: name, KindName: full, Kubeconfig: entry.Path, Context: "kind-" + full,
		NodeName: full + nodeSuffix, AddressRange: addressRange}
	if err == nil {
		err = m.finish(ctx, &made, logger)
	}
	if err != nil {
		return Made{}, m.givenUp(ctx, made, running, err)
	}
	made.Phases = logger.phases()
	return made, m.Ledger.Made(entry)
}

// givenUp saves what the node says, unless the creation was cancelled from outside (whoever did that knows why, and
// waits), and makes sure that nothing goes on in the background.
func (m *maker) givenUp(ctx context.Context, made Made, running <-chan error, err error) error {
	if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		folder, todo, saveErr := m.diagnose(ctx, made)
		if c := cure(err.Error()); c != "" {
			todo = c
		}
		if folder != "" {
			err = fmt.Errorf("%w: its kubelet's and other logs are in %s", err, folder)
		}
		if todo != "" {
			err = fmt.Errorf("%w: %s", err, todo)
		}
		err = errors.Join(err, saveErr)
	}
	if running != nil {
		err = errors.Join(err, m.stop(ctx, made.KindName, running))
	}
	return fmt.Errorf("create cluster %s (kind cluster %s): %w", made.Name, made.KindName, err)
}

// runKind runs kind's creation. kind knows no context: when ctx ends first, the creation still runs, and running, which
// is nil otherwise, gives its result.
func (m *maker) runKind(ctx context.Context, name, full string, config []byte, logger *phaseLogger) (running <-chan error, err error) {
	done := make(chan error, 1)
	go func() {
		err := m.kind(logger).Create(full,
			cluster.CreateWithRawConfig(config),
			cluster.CreateWithNodeImage(m.NodeImage),
			cluster.CreateWithKubeconfigPath(m.kubeconfig(name)),
			cluster.CreateWithRetain(true),    // its logs are wanted when it does not come up
			cluster.CreateWithWaitForReady(0)) // kind's wait only warns; ours is waitReady
		logger.end()
		done <- err
	}()
	select {
	case err := <-done:
		return nil, m.kindError(name, err)
	case <-ctx.Done():
		return done, context.Cause(ctx)
	}
}

// stopLimit is for kind to notice that its node is gone: its commands in the node fail at once then, except for
// docker run itself, which may take seconds on a busy machine.
const stopLimit = time.Minute

// stop ends a creation that nobody waits for any more, by removing the node under it until kind has given up.
func (m *maker) stop(ctx context.Context, full string, running <-chan error) error {
	ctx = context.WithoutCancel(ctx)
	wait := poll.Wait{What: "kind gives up a cancelled creation", Where: "kind cluster " + full, Limit: stopLimit}
	ended := false
	return poll.Until(ctx, wait, func(ctx context.Context) (string, error) {
		select {
		case <-running:
			ended = true
		default:
		}
		if err := removeNodes(ctx, m.docker, full); err != nil {
			return "its node could not be removed", err
		}
		if !ended {
			return "it goes on", errors.New("kind has not returned")
		}
		return "", nil
	})
}

// finish points the kubeconfig at the node's own address and waits until the cluster is ready.
func (m *maker) finish(ctx context.Context, made *Made, logger *phaseLogger) error {
	all, err := nodesOf(ctx, m.docker, made.KindName)
	if err != nil {
		return err
	}
	if len(all) != 1 {
		return fmt.Errorf("kind made %d nodes, 1 was asked for", len(all))
	}
	address, err := m.docker.run(ctx, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", made.NodeName)
	if err != nil {
		return fmt.Errorf("ask docker for the address of node %s: %w", made.NodeName, err)
	}
	made.NodeIP = strings.TrimSpace(address)
	if err := pointAt(made.Kubeconfig, "https://"+made.NodeIP+":6443"); err != nil {
		return err
	}
	logger.start("waiting for the API server and the node")
	defer logger.end()
	return m.ready(ctx, *made, m.deadline())
}

// pointAt sets the server of every cluster in a kubeconfig.
func pointAt(kubeconfig, server string) error {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig that kind wrote: %w", err)
	}
	for _, c := range config.Clusters {
		c.Server = server
	}
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encode kubeconfig %s: %w", kubeconfig, err)
	}
	return whole.Bytes(kubeconfig, 0o600, content)
}
