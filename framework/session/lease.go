package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
)

// lookForOthers refuses given clusters on which another run works, or one of this id has left something.
func (s *Session) lookForOthers(ctx context.Context) error {
	return s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		if err := lease.Look(ctx, c, s.holder); err != nil {
			return err
		}
		return mirror.Refuse(ctx, c, s.o.RunID)
	})
}

// takeLeases keeps other runs off the given clusters until releaseLeases. A run that loses one ends: what another does there at the
// same time would be in its evidence.
func (s *Session) takeLeases(ctx context.Context) error {
	return s.bounded(ctx, "P10", "", "keep other runs off the clusters", func(ctx context.Context) error {
		taken, err := takeAll(ctx, s.set, s.holder, s.loses, s.o.Tell.Note, nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leases = append(s.leases, taken...)
		return refused(err, lease.ErrHeld, cluster.ErrAccess)
	})
}

// loses ends the run, for it holds the lease of a cluster no more, and its removal, unless that leaves the cluster alone already.
func (s *Session) loses(c *cluster.Cluster, err error) {
	if errors.Is(err, lease.ErrHeld) {
		if end := s.isTaken(c, err); end != nil {
			end(err)
		}
	}
	s.o.Tell.Note(err.Error())
	s.lost(fmt.Errorf("the run was interrupted: %w", err)) // in a word by which a step that it ends is told from one that failed
}

// isTaken notes that another has the lease of a cluster. It gives what ends a removal that did not know; nil = there is none.
func (s *Session) isTaken(c *cluster.Cluster, err error) context.CancelCauseFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[c] != nil {
		return nil
	}
	if s.taken == nil {
		s.taken = map[*cluster.Cluster]error{}
	}
	s.taken[c] = err
	return s.endRemoval
}

// undoHeld removes what the run made on given clusters, but where another run works now: it may have made the same names. One that
// begins to work there meanwhile ends it.
func (s *Session) undoHeld(ctx context.Context) error {
	if s.mirror == nil { // nothing was made there
		return nil
	}
	s.lookWhoHolds(ctx)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	set, errs := s.notTaken(end)
	m := s.mirror
	if len(errs) > 0 {
		m = mirror.New(within{s.ledger, set}, set, s.o.RunID, s.holder.Who)
	}
	err := undoNoted(ctx, set, m, s.limits.Procedure, s.stayed.Add)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, lease.ErrHeld) {
		err = errors.Join(err, fmt.Errorf("the removal of what the run made was ended: %w: what is left stays until the other run has ended", cause))
	}
	return errors.Join(append(errs, err)...)
}

// lookWhoHolds asks who holds the leases now: on a machine that slept no renewal has asked since, and the leases may be over. An API server
// that does not say so is for the removal itself to name.
func (s *Session) lookWhoHolds(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.Step)
	defer cancel()
	_ = s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		if err := lease.Look(ctx, c, s.holder); errors.Is(err, lease.ErrHeld) {
			s.isTaken(c, err)
		}
		return nil
	})
}

// notTaken gives the clusters that no other run works on, and says of each of the rest that it is left alone. From then on who takes one
// more ends the removal.
func (s *Session) notTaken(end context.CancelCauseFunc) (set cluster.Set, errs []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.set {
		if err := s.taken[c]; err != nil {
			errs = append(errs, fmt.Errorf("remove what the run made on cluster %s: %w: it stays until the other run has ended", c.Name, err))
			continue
		}
		set = append(set, c)
	}
	s.endRemoval = end
	return set, errs
}

// releaseLeases gives back what takeLeases took, also after an interruption.
func (s *Session) releaseLeases(ctx context.Context) error {
	s.mu.Lock()
	held := s.leases
	s.leases = nil
	s.mu.Unlock()
	return giveBack(ctx, held)
}

// takeAll takes the leases of the clusters, and gives those that it got, also with an error. nowhere is told of clusters that have no
// place for one; nil = that is an error.
func takeAll(ctx context.Context, set cluster.Set, h lease.Holder, lost func(*cluster.Cluster, error), note func(string), nowhere func(*cluster.Cluster)) ([]*lease.Lease, error) {
	var (
		mu    sync.Mutex
		taken []*lease.Lease
	)
	err := set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		l, said, err := lease.Take(ctx, c, h, func(err error) { lost(c, err) })
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(err, lease.ErrNowhere) && nowhere != nil {
			nowhere(c)
			return nil
		}
		if err != nil {
			return err
		}
		if said != "" {
			note(said)
		}
		taken = append(taken, l)
		return nil
	})
	return taken, err
}

func giveBack(ctx context.Context, leases []*lease.Lease) error {
	var errs []error
	for _, l := range leases {
		errs = append(errs, l.Release(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

// removal is the right to remove what a run has left on clusters: their leases.
type removal struct {
	leases []*lease.Lease
	// set are the clusters that no other run works on.
	set cluster.Set
}

// endedBy gives a context that ends when another takes a lease that a removal holds. That its namespace was made anew is no reason to
// end: the removal may have taken that away, and somebody is there again.
func endedBy(ctx context.Context) (context.Context, func(error)) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, func(err error) {
		if !errors.Is(err, lease.ErrNowhere) {
			cancel(err)
		}
	}
}

// holdForRemoval takes the leases of the clusters. With an error it has those of the others. The context ends when another takes one.
func holdForRemoval(ctx context.Context, set cluster.Set, h lease.Holder, limits Limits, note func(string)) (context.Context, *removal, error) {
	ctx, lost := endedBy(ctx)
	free := map[*cluster.Cluster]bool{} // where istio-system is gone: no run works there
	r := &removal{}
	err := inTime(ctx, "keeping other runs off the clusters", limits.Step, func(ctx context.Context) (err error) {
		r.leases, err = takeAll(ctx, set, h, func(_ *cluster.Cluster, err error) { lost(err) }, note, func(c *cluster.Cluster) { free[c] = true })
		return err
	})
	for _, c := range set {
		if free[c] || slices.ContainsFunc(r.leases, func(l *lease.Lease) bool { return l.Cluster() == c }) {
			r.set = append(r.set, c)
		}
	}
	return ctx, r, err
}

// whileHeld does the last thing for which the leases are needed, and gives them back: at its end, or when the context ends, for
// something that hangs must not have them renewed for ever.
func (s *Session) whileHeld(ctx context.Context, do func(context.Context) error) error {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		if err := s.releaseLeases(ctx); err != nil {
			s.o.Tell.Note(err.Error())
		}
	})
	err := errors.Join(do(ctx), s.releaseLeases(ctx))
	if !stop() {
		<-ended
	}
	return err
}
