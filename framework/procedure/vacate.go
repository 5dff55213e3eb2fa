package procedure

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/shell"
)

// vacate removes istio-system, which the run made as its home. Where somebody has put something into it since, or may have, as a kind
// could not be listed, that stays, and the namespace with it: then what is the run's own goes alone. A home without any run's label is no run's any more: it had one from the
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
	own, others, unseen, err := istio.Inside(ctx, c, home)
	if err != nil {
		return fmt.Errorf("look for what somebody else has put into it: %w", cluster.Access(err))
	}
	if len(others)+len(unseen) == 0 {
		return r.remove(ctx, c, e, []manifest.Ref{homeRef()})
	}
	gone := manifest.Delete(ctx, c, r.limit, own...)
	if len(unseen) > 0 {
		gone = errors.Join(gone, inhabited(c, e, "it may hold what the run did not make, as not every kind could be listed: "+some(unseen),
			"have that listed (see to the webhook of its CustomResourceDefinition, or to your rights)"))
	}
	if len(others) > 0 {
		gone = errors.Join(gone, inhabited(c, e, "it holds what the run did not make: "+manifest.Listed(others), "move or remove what is there"))
	}
	return gone
}

// some says several errors, not all where they are many: then they are much alike.
func some(all []error) string {
	const shown = 3
	var said []string
	for _, err := range all[:min(shown, len(all))] {
		said = append(said, err.Error())
	}
	if n := len(all) - shown; n > 0 {
		said = append(said, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(said, ", ")
}

// inhabited says what keeps a home, and what to do, by the kubeconfig that was given: the caller's own may have another cluster by that name.
func inhabited(c *cluster.Cluster, e ledger.Entry, why, do string) error {
	return fmt.Errorf("%s: the namespace stays with that, and what the run had in it is removed: %s, or keep the namespace "+
		"(KUBECONFIG=%s kubectl --context %s label namespace %s %s-), and then remove the rest of run %s as before",
		why, do, shell.Word(c.Kubeconfig), shell.Word(c.Context), e.Name, manifest.RunLabel, e.Run)
}
