package procedure

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
)

// Book is the ledger as removal reads it.
type Book interface {
	Remaining() []ledger.Entry
	Removed(ledger.Entry) error
}

func entry(kind string, c *cluster.Cluster, namespace, name string) ledger.Entry {
	return ledger.Entry{Kind: kind, Cluster: c.Name, Namespace: namespace, Name: name}
}

// Undo removes from supplied clusters what the ledger still names, all of it at once: nothing of it needs the rest to be
// there, and each may take as long as the limit. What is gone is noted; what could not be removed is named in the joined errors, and stays in the ledger.
func Undo(ctx context.Context, set cluster.Set, book Book, limit time.Duration) error {
	remaining := book.Remaining()
	errs := make([]error, len(remaining))
	var all sync.WaitGroup
	for i, e := range remaining {
		all.Go(func() {
			if err := undo(ctx, set, e, limit); err != nil {
				errs[i] = fmt.Errorf("remove %s: %w", e, err)
				return
			}
			errs[i] = book.Removed(e)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func undo(ctx context.Context, set cluster.Set, e ledger.Entry, limit time.Duration) error {
	c := set.Named(e.Cluster)
	if c == nil {
		return fmt.Errorf("cluster %q is not among the given ones: give its kubeconfig", e.Cluster)
	}
	if e.Kind == operatorKind {
		owned, err := manifest.Labelled(ctx, c, e.Namespace, ownedBy, gatewayKinds()...)
		if err != nil {
			return err
		}
		return manifest.Delete(ctx, c, limit, owned...)
	}
	kind, known := kinds()[e.Kind]
	if !known {
		return fmt.Errorf("it is not known how a %q is removed: remove it by hand", e.Kind)
	}
	return manifest.Delete(ctx, c, limit, manifest.Ref{Kind: kind, Namespace: e.Namespace, Name: e.Name})
}
