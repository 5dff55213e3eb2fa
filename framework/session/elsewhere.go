package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/procedure"
)

// Elsewhere are given clusters, and what runs of other machines say there that they have left.
type Elsewhere struct {
	set    cluster.Set
	copies map[string][]*mirror.Copy // by cluster
	alive  map[string]string         // the run that holds the lease, by cluster
	limits Limits
}

// LeftThere is what one run has left on one of the clusters.
type LeftThere struct {
	Run, Who, Cluster string
	Things            []string
	// Alive tells whether it works on the cluster now: it stays.
	Alive bool
	// Err is why nothing can be said of it.
	Err error
}

// LookElsewhere asks the clusters which runs have left something there. Nothing is changed.
func LookElsewhere(ctx context.Context, targets []Target) (*Elsewhere, error) {
	set, err := Open(targets)
	if err != nil {
		return nil, err
	}
	if err := set.Distinct(ctx); err != nil {
		return nil, refused(err, cluster.ErrSameCluster, cluster.ErrAccess)
	}
	there := &Elsewhere{set: set, copies: map[string][]*mirror.Copy{}, alive: map[string]string{}, limits: DefaultLimits()}
	var mu sync.Mutex
	err = inTime(ctx, "a look at the given clusters", there.limits.Step, func(ctx context.Context) error {
		return set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
			found, err := mirror.Copies(ctx, c)
			alive := ""
			for _, one := range found {
				_, is, leaseErr := lease.Alive(ctx, c, one.Run)
				if is {
					alive = one.Run
				}
				err = errors.Join(err, leaseErr)
			}
			mu.Lock()
			defer mu.Unlock()
			there.copies[c.Name], there.alive[c.Name] = found, alive
			return err
		})
	})
	return there, refused(err, cluster.ErrAccess)
}

// Runs lists what was found, of one run or, with "", of all.
func (e *Elsewhere) Runs(run string) []LeftThere {
	var all []LeftThere
	for _, c := range e.set {
		for _, one := range e.copies[c.Name] {
			if run != "" && one.Run != run {
				continue
			}
			left := LeftThere{Run: one.Run, Who: one.Who, Cluster: c.Name, Alive: one.Run == e.alive[c.Name], Err: one.Err}
			for _, entry := range one.Remaining() {
				left.Things = append(left.Things, entry.String())
			}
			all = append(all, left)
		}
	}
	return all
}

// Remove removes what the run has left on the clusters: what is in its ledger there, and has its label or the UID that is noted.
// Of namespaces these are the suite's own and the one in which the run had the guide's sample ("" = where the guide puts it).
// While any run works on one of them it is refused, and none begins while it removes. stays is told what
// is left for good, and why, and what may still be under way.
func (e *Elsewhere) Remove(ctx context.Context, run, namespace string, stays func(string)) error {
	if err := CheckNamespace(namespace, ""); err != nil {
		return err
	}
	namespaces := append(ownNamespaces(), cmp.Or(namespace, intent.GuideNamespace))
	if len(e.Runs(run)) == 0 {
		return &UsageError{fmt.Errorf("no cluster says that run %q has left anything: `meshproof cleanup` with the same kubeconfigs and without --run-id lists the runs", run)}
	}
	return inTime(ctx, "the removal", e.limits.Remove, func(ctx context.Context) error { return e.remove(ctx, run, namespaces, stays) })
}

func (e *Elsewhere) remove(ctx context.Context, run string, namespaces []string, stays func(string)) error {
	ctx, held, err := holdForRemoval(ctx, e.set, lease.Here(run), e.limits, stays)
	if err != nil {
		return errors.Join(refused(err, lease.ErrHeld, cluster.ErrAccess), giveBack(ctx, held.leases))
	}
	err = e.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		var errs []error
		for _, one := range e.copies[c.Name] {
			if one.Run != run {
				continue
			}
			if one.Err != nil {
				errs = append(errs, one.Err)
				continue
			}
			errs = append(errs, procedure.UndoMarked(ctx, cluster.Set{c}, one, e.limits.Procedure.Gone, stays, namespaces...))
		}
		return errors.Join(errs...)
	})
	return errors.Join(err, giveBack(ctx, held.leases))
}

// Only gives the one of the runs that has that id, of those that this machine knows of.
func Only(all []Left, id string) ([]Left, error) {
	at := slices.IndexFunc(all, func(one Left) bool { return one.ID == id })
	if at < 0 {
		return nil, &UsageError{fmt.Errorf("this machine knows of no run %q: `meshproof cleanup --dry-run` lists the runs; give --kubeconfig for what a run of another machine has left on clusters", id)}
	}
	return all[at : at+1], nil
}
