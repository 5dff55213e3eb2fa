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

// Undo removes from supplied clusters what the ledger still names, all of it at once, and each may take as long as the limit: nothing of
// it needs the rest to be there. Only a control plane that the run brought is left until the rest on its cluster is gone, and
// istio-system, with the copy of the ledger and the lease, until that is. What is gone is noted; what could not be removed is named in the joined errors, and stays in the ledger.
// What a run has not come to mark is its own when it was made while the step may have worked on it: the name was free when the run
// looked, but somebody may have made another since. stays is told what is left where it is for good, and why; it may be called at once
// from several goroutines.
func Undo(ctx context.Context, set cluster.Set, book Book, limits Limits, stays func(string)) error {
	own := func(e ledger.Entry, o *unstructured.Unstructured) bool {
		return owned(e, o) || unmarked(e, o) && !isHome(e) && madeMeanwhile(e, o, limits.longest()) // a home is marked as it is made
	}
	return removal{set, book, limits.Gone, own, stays}.all(ctx)
}

// UndoMarked is Undo for a ledger that was found on a cluster, where others can write too, who may write nothing else: what has not the
// run's label stays, and so does what has another UID than the ledger notes, and what no run makes. namespaces are those that a run
// makes.
func UndoMarked(ctx context.Context, set cluster.Set, book Book, limit time.Duration, stays func(string), namespaces ...string) error {
	for _, e := range book.Remaining() {
		if !made(e, namespaces) {
			do := "look at it, and remove by hand what is the run's"
			if e.Kind == "Namespace" {
				do = "if the run had this --namespace, give it here too; else " + do
			}
			return fmt.Errorf("remove %s: no run makes that, so that the ledger on the cluster cannot be trusted: %s", e, do)
		}
	}
	return removal{set, book, limit, labelled, stays}.all(ctx)
}

// made tells whether the entry is of something that a run makes.
func made(e ledger.Entry, namespaces []string) bool {
	switch e.Kind {
	case "Namespace":
		return isHome(e) || slices.Contains(namespaces, e.Name)
	case "Secret":
		return e.Namespace == istioSystem && (strings.HasPrefix(e.Name, remotePrefix) || e.Name == readerToken)
	case "Gateway":
		return e.Namespace == istioSystem && e.Name == crossNetwork
	case operatorKind:
		return e.Namespace == istioSystem && e.Name == operatorName || isControlPlane(e)
	}
	return false
}

// whose tells whether an object is the one that the run made.
type whose func(ledger.Entry, *unstructured.Unstructured) bool

// removal is of what a ledger names.
type removal struct {
	set   cluster.Set
	book  Book
	limit time.Duration
	own   whose
	stays func(string)
}

func (r removal) all(ctx context.Context) error {
	var errs []error
	stuck := map[string]bool{} // by cluster: something stays there
	for rank := range ranks {
		var remaining []ledger.Entry
		for _, e := range r.book.Remaining() {
			switch {
			case rankOf(e) != rank:
			case stuck[e.Cluster]:
				errs = append(errs, fmt.Errorf("remove %s: it is left while what rests on it could not be removed", e))
			default:
				remaining = append(remaining, e)
			}
		}
		for i, err := range r.atOnce(ctx, remaining) {
			stuck[remaining[i].Cluster] = stuck[remaining[i].Cluster] || err != nil
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// ranks are how many times something must be gone before the next is removed.
const ranks = 3

// rankOf is when an entry's turn is.
func rankOf(e ledger.Entry) int {
	switch {
	case isHome(e):
		return 2
	case isControlPlane(e):
		return 1
	}
	return 0
}

func (r removal) atOnce(ctx context.Context, remaining []ledger.Entry) []error {
	errs := make([]error, len(remaining))
	var all sync.WaitGroup
	for i, e := range remaining {
		all.Go(func() {
			if err := r.one(ctx, e); err != nil {
				errs[i] = fmt.Errorf("remove %s: %w", e, err)
				return
			}
			errs[i] = r.book.Removed(e)
		})
	}
	all.Wait()
	return errs
}

// owned tells whether an object bears the marks of the run.
func owned(e ledger.Entry, o *unstructured.Unstructured) bool {
	if label := o.GetLabels()[manifest.RunLabel]; label != "" {
		return label == e.Run
	}
	return slices.Contains(strings.Fields(e.UIDs), string(o.GetUID()))
}

// labelled tells whether an object has the run's label, which only those can set who may change the object; the UIDs of a ledger
// that others can write prove nothing, but they may rule it out.
func labelled(e ledger.Entry, o *unstructured.Unstructured) bool {
	return o.GetLabels()[manifest.RunLabel] == e.Run && (e.UIDs == "" || slices.Contains(strings.Fields(e.UIDs), string(o.GetUID())))
}

// unmarked tells whether an object bears no run's marks, and the run did not come to mark what the entry is of.
func unmarked(e ledger.Entry, o *unstructured.Unstructured) bool {
	return o.GetLabels()[manifest.RunLabel] == "" && e.UIDs == "" && e.State != ledger.Made
}

// apart is how far the clocks of this machine and of an API server may differ: preflight passes no more.
const apart = 2 * time.Minute

// madeMeanwhile tells whether an object was made after the entry was written, and no later than the step may have made it.
func madeMeanwhile(e ledger.Entry, o *unstructured.Unstructured, step time.Duration) bool {
	at := o.GetCreationTimestamp().Time
	return !at.Before(e.Time.Add(-apart)) && !at.After(e.Time.Add(step+apart))
}

func (r removal) one(ctx context.Context, e ledger.Entry) error {
	c := r.set.Named(e.Cluster)
	if c == nil {
		return fmt.Errorf("cluster %q is not among the given ones: give its kubeconfig", e.Cluster)
	}
	switch {
	case isControlPlane(e):
		return r.uninstall(ctx, c, e)
	case isHome(e):
		return r.vacate(ctx, c, e)
	}
	var err error
	if r.own, err = atHome(ctx, c, e, r.own, false); err != nil {
		return err
	}
	refs, err := objects(ctx, c, e)
	if err != nil {
		return err
	}
	return r.remove(ctx, c, e, refs)
}

// remove removes those of the objects that are the run's own, and names the others.
func (r removal) remove(ctx context.Context, c *cluster.Cluster, e ledger.Entry, refs []manifest.Ref) error {
	var errs []error
	var gone []manifest.Ref
	for _, ref := range refs {
		o, err := manifest.Find(ctx, c, ref)
		switch {
		case err != nil:
			errs = append(errs, err)
		case o == nil:
		case r.own(e, o):
			ref.UID = o.GetUID()
			gone = append(gone, ref)
		default:
			errs = append(errs, fmt.Errorf("%s on cluster %s is not known to be the one that run %s made (its label %s and its UID do not say so): look at it, and remove it by hand",
				ref, c.Name, e.Run, manifest.RunLabel))
		}
	}
	return errors.Join(append(errs, manifest.Delete(ctx, c, r.limit, gone...))...)
}
