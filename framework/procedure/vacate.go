package procedure

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/shell"
)

// vacate removes istio-system, which the run made as its home. Where somebody has put something into it since, that stays, and the
// namespace with it: then what is the run's own goes alone. A home without any run's label is no run's any more: it had one from the
// moment that it was there, so that somebody has taken it over.
func (r removal) vacate(ctx context.Context, c *cluster.Cluster, e ledger.Entry) error {
	home, err := manifest.Find(ctx, c, homeRef())
	if home == nil || err != nil {
		return err
	}
	if home.GetLabels()[manifest.RunLabel] == "" && home.GetDeletionTimestamp() == nil {
		r.stays(fmt.Sprintf("%s on cluster %s stays, with what is in it: somebody has taken the label %s off it", homeRef(), c.Name, manifest.RunLabel))
		return nil
	}
	if !r.own(e, home) {
		return r.remove(ctx, c, e, []manifest.Ref{homeRef()}) // which names it
	}
	own, others, err := istio.Inside(ctx, c, home)
	if err != nil {
		return fmt.Errorf("look for what somebody else has put into it: %w", cluster.Access(err))
	}
	if len(others) == 0 {
		return r.remove(ctx, c, e, []manifest.Ref{homeRef()})
	}
	return errors.Join(manifest.Delete(ctx, c, r.limit, own...), inhabited(c, e, others))
}

// inhabited says who keeps a home, and what to do, by the kubeconfig that was given: the caller's own may have another cluster by that name.
func inhabited(c *cluster.Cluster, e ledger.Entry, others []manifest.Ref) error {
	return fmt.Errorf("it holds what the run did not make: %s: the namespace stays with that, and what the run had in it is removed: move or remove what is there, or keep the namespace "+
		"(KUBECONFIG=%s kubectl --context %s label namespace %s %s-), and then remove the rest of run %s as before",
		manifest.Listed(others), shell.Word(c.Kubeconfig), shell.Word(c.Context), e.Name, manifest.RunLabel, e.Run)
}
