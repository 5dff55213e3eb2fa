package procedure

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// objects gives the objects that an entry of the ledger stands for, whether or not they are there.
func objects(ctx context.Context, c *cluster.Cluster, e ledger.Entry) ([]manifest.Ref, error) {
	if isControlPlane(e) {
		return istio.Installed(ctx, c)
	}
	if e.Kind == operatorKind {
		return manifest.Labelled(ctx, c, e.Namespace, ownedBy, gatewayKinds()...)
	}
	kind, known := kinds()[e.Kind]
	if !known {
		return nil, fmt.Errorf("it is not known how a %q is removed: remove it by hand", e.Kind)
	}
	return []manifest.Ref{{Kind: kind, Namespace: e.Namespace, Name: e.Name}}, nil
}

// Mark puts the run's label on what an entry stands for, and gives the entry with the UIDs: the guide's own tools cannot do that
// when they make it. What is not there is passed over: that a step made nothing is for the claims to say.
func Mark(ctx context.Context, c *cluster.Cluster, e ledger.Entry) (ledger.Entry, error) {
	refs, err := objects(ctx, c, e)
	if err != nil {
		return e, fmt.Errorf("mark %s: %w", e, err)
	}
	var uids []string
	for _, r := range refs {
		uid, err := manifest.Label(ctx, c, r, manifest.Owner(e.Run))
		if err != nil {
			return e, fmt.Errorf("mark %s: %w", e, err)
		}
		if uid != "" {
			uids = append(uids, uid)
		}
	}
	e.UIDs = strings.Join(uids, " ")
	return e, nil
}

// mark marks what a step has made, and notes that it is there.
func (p *Procedure) mark(ctx context.Context, makes []ledger.Entry) error {
	if p.o.Ledger == nil || !p.supplied() {
		return nil
	}
	for _, e := range makes {
		e.Run = p.o.Intent.RunID
		marked, err := Mark(ctx, p.o.Set.Named(e.Cluster), e)
		if err != nil {
			return err
		}
		if err := p.o.Ledger.Made(marked); err != nil {
			return err
		}
	}
	return nil
}

// MarkAgain marks everything that the ledger says is there: what was done to the mesh on purpose, and undone, has made some of it
// anew.
func MarkAgain(ctx context.Context, set cluster.Set, book interface {
	Book
	Made(ledger.Entry) error
}) error {
	for _, e := range book.Remaining() {
		c := set.Named(e.Cluster)
		if c == nil || e.State != ledger.Made {
			continue
		}
		marked, err := Mark(ctx, c, e)
		if err != nil {
			return err
		}
		if err := book.Made(marked); err != nil {
			return err
		}
	}
	return nil
}
