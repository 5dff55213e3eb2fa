package session

import (
	"context"
	"errors"

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
	lost := func(err error) {
		s.o.Tell.Note(err.Error())
		s.lost(err)
	}
	return s.bounded(ctx, "P9", "", "keep other runs off the clusters", func(ctx context.Context) error {
		err := s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
			l, note, err := lease.Take(ctx, c, s.holder, lost)
			if err != nil {
				return err
			}
			if note != "" {
				s.o.Tell.Note(note)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.leases = append(s.leases, l)
			return nil
		})
		return refused(err, lease.ErrHeld, cluster.ErrAccess)
	})
}

// releaseLeases gives back what takeLeases took, also after an interruption.
func (s *Session) releaseLeases(ctx context.Context) error {
	s.mu.Lock()
	held := s.leases
	s.leases = nil
	s.mu.Unlock()
	var errs []error
	for _, l := range held {
		errs = append(errs, l.Release(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
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
