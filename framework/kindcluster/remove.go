package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/meshproof/meshproof/framework/ledger"
)

// Remove takes away the clusters, the registry and the network that the ledger names, and nothing else: each is looked
// up by its name and the run's mark. What a removed cluster held is noted as removed with it. It may be repeated, also
// after an interruption. The error names everything that is still there.
func Remove(ctx context.Context, l *ledger.Ledger) error {
	r := &remover{ledger: l, docker: commandLine{}}
	return r.remove(ctx)
}

type remover struct {
	ledger *ledger.Ledger
	docker docker
}

// remove goes in the order in which the things hold each other: a network with containers on it cannot be removed.
func (r *remover) remove(ctx context.Context) error {
	left := slices.DeleteFunc(r.ledger.Remaining(), func(e ledger.Entry) bool {
		return e.Kind != kindCluster && e.Kind != kindRegistry && e.Kind != kindNetwork
	})
	if len(left) == 0 {
		return nil
	}
	if _, err := r.docker.run(ctx, "version", "--format", "{{.Server.Version}}"); err != nil {
		return fmt.Errorf("remove %s: the container engine does not answer: %w: start it (scripts/engine), then remove again", list(left), err)
	}
	slices.Reverse(left)
	return errors.Join(
		r.each(ctx, left, kindCluster, r.removeCluster),
		r.each(ctx, left, kindRegistry, r.removeContainer),
		r.each(ctx, left, kindNetwork, r.removeNetwork),
	)
}

func list(entries []ledger.Entry) string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.String()
	}
	return strings.Join(names, ", ")
}

// each removes all entries of a kind at once, and notes those which went.
func (r *remover) each(ctx context.Context, left []ledger.Entry, kind string, remove func(context.Context, ledger.Entry) error) error {
	errs := make([]error, len(left))
	var all sync.WaitGroup
	for i, e := range left {
		if e.Kind != kind {
			continue
		}
		all.Go(func() {
			if err := remove(ctx, e); err != nil {
				errs[i] = fmt.Errorf("remove %s: %w: it is still there: try again, or remove it with docker", e, err)
				return
			}
			errs[i] = r.ledger.Removed(e)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (r *remover) removeCluster(ctx context.Context, e ledger.Entry) error {
	if err := removeNodes(ctx, r.docker, e.Name); err != nil {
		return err
	}
	if e.Path != "" {
		if err := os.Remove(e.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove its kubeconfig: %w", err)
		}
	}
	return r.heldBy(e)
}

// heldBy notes as removed what the ledger says was in a cluster that is gone.
func (r *remover) heldBy(e ledger.Entry) error {
	name := strings.TrimPrefix(e.Name, clusterName(e.Run, ""))
	var errs []error
	for _, held := range r.ledger.Remaining() {
		if held.Cluster == name {
			errs = append(errs, r.ledger.Removed(held))
		}
	}
	return errors.Join(errs...)
}

// removeNodes removes the containers that carry kind's label of a cluster, and their volumes. kind's own Delete is not
// used because it also edits a kubeconfig: the user's own when it is given none.
func removeNodes(ctx context.Context, d docker, full string) error {
	names, err := nodesOf(ctx, d, full)
	if err != nil || len(names) == 0 {
		return err
	}
	if err := removeContainers(ctx, d, freezerRoot, names...); err != nil {
		return fmt.Errorf("remove the nodes of kind cluster %s: %w", full, err)
	}
	return nil
}

// kindLabel is what kind gives to the nodes of a cluster (pkg/cluster/internal/providers/docker/constants.go).
const kindLabel = "io.x-k8s.kind.cluster"

// nodesOf gives the names of a kind cluster's nodes, as kind's own list does, but under a context.
func nodesOf(ctx context.Context, d docker, full string) ([]string, error) {
	out, err := d.run(ctx, "ps", "--all", "--filter", "label="+kindLabel+"="+full, "--format", "{{.Names}}")
	if err != nil {
		return nil, fmt.Errorf("list the nodes of kind cluster %s: %w", full, err)
	}
	return strings.Fields(out), nil
}

func (r *remover) removeContainer(ctx context.Context, e ledger.Entry) error {
	ids, err := r.marked(ctx, e, "ps", "--all")
	if err != nil || len(ids) == 0 {
		return err
	}
	return removeContainers(ctx, r.docker, freezerRoot, ids...)
}

func (r *remover) removeNetwork(ctx context.Context, e ledger.Entry) error {
	ids, err := r.marked(ctx, e, "network", "ls")
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = r.docker.run(ctx, append([]string{"network", "rm"}, ids...)...)
	if noNetwork(err) {
		return nil
	}
	return err
}

// marked lists the ids of what has both an entry's name and its run's label.
func (r *remover) marked(ctx context.Context, e ledger.Entry, list ...string) ([]string, error) {
	args := append(list, "--quiet", "--filter", "name=^/?"+e.Name+"$", "--filter", "label="+runLabel+"="+e.Run)
	out, err := r.docker.run(ctx, args...)
	return strings.Fields(out), err
}
