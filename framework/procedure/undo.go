package procedure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
// What a run has not come to mark is its own by its name, because the name was free when the run looked.
func Undo(ctx context.Context, set cluster.Set, book Book, limit time.Duration) error {
	return undoAll(ctx, set, book, limit, false)
}

// UndoMarked is Undo for a ledger that was found on a cluster, where others can write too: what has neither the run's label nor a
// UID that the ledger notes stays, and so does what no run makes. namespaces are those that a run makes besides the guide's.
func UndoMarked(ctx context.Context, set cluster.Set, book Book, limit time.Duration, namespaces ...string) error {
	for _, e := range book.Remaining() {
		if !made(e, namespaces) {
			return fmt.Errorf("remove %s: no run makes that, so that the ledger on the cluster cannot be trusted: look at it, and remove by hand what is the run's", e)
		}
	}
	return undoAll(ctx, set, book, limit, true)
}

// made tells whether the entry is of something that a run makes.
func made(e ledger.Entry, namespaces []string) bool {
	switch e.Kind {
	case "Namespace":
		return e.Name == sampleNamespace || slices.Contains(namespaces, e.Name)
	case "Secret":
		return e.Namespace == istioSystem && (strings.HasPrefix(e.Name, remotePrefix) || e.Name == readerToken)
	case "Gateway":
		return e.Namespace == istioSystem && e.Name == crossNetwork
	case operatorKind:
		return e.Namespace == istioSystem && e.Name == operatorName
	}
	return false
}

func undoAll(ctx context.Context, set cluster.Set, book Book, limit time.Duration, onlyMarked bool) error {
	remaining := book.Remaining()
	errs := make([]error, len(remaining))
	var all sync.WaitGroup
	for i, e := range remaining {
		all.Go(func() {
			if err := undo(ctx, set, e, limit, onlyMarked); err != nil {
				errs[i] = fmt.Errorf("remove %s: %w", e, err)
				return
			}
			errs[i] = book.Removed(e)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// owned tells whether an object is the one that the run made.
func owned(e ledger.Entry, o *unstructured.Unstructured, onlyMarked bool) bool {
	switch label := o.GetLabels()[manifest.RunLabel]; {
	case label != "":
		return label == e.Run
	case e.UIDs != "":
		return slices.Contains(strings.Fields(e.UIDs), string(o.GetUID()))
	}
	return !onlyMarked
}

func undo(ctx context.Context, set cluster.Set, e ledger.Entry, limit time.Duration, onlyMarked bool) error {
	c := set.Named(e.Cluster)
	if c == nil {
		return fmt.Errorf("cluster %q is not among the given ones: give its kubeconfig", e.Cluster)
	}
	refs, err := objects(ctx, c, e)
	if err != nil {
		return err
	}
	var errs []error
	var own []manifest.Ref
	for _, r := range refs {
		o, err := manifest.Find(ctx, c, r)
		switch {
		case err != nil:
			errs = append(errs, err)
		case o == nil:
		case owned(e, o, onlyMarked):
			r.UID = o.GetUID()
			own = append(own, r)
		default:
			errs = append(errs, fmt.Errorf("%s on cluster %s is not known to be the one that run %s made (it has neither the label %s of the run nor its UID): look at it, and remove it by hand",
				r, c.Name, e.Run, manifest.RunLabel))
		}
	}
	return errors.Join(append(errs, manifest.Delete(ctx, c, limit, own...))...)
}
