package session

import (
	"context"
	"errors"
	"sync"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/lease"
)

// lookForOthers refuses given clusters on which another run works.
func (s *Session) lookForOthers(ctx context.Context) error {
	return s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error { return lease.Look(ctx, c, lease.Here(s.o.RunID)) })
}

// takeLeases keeps other runs off the given clusters until releaseLeases. A run that loses one ends: what another does there at the
// same time would be in its evidence.
func (s *Session) takeLeases(ctx context.Context) error {
	var mu sync.Mutex
	lost := func(err error) {
		s.o.Tell.Note(err.Error())
		s.lost(err)
	}
	return s.bounded(ctx, "P9", "", "keep other runs off the clusters", func(ctx context.Context) error {
		err := s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
			l, note, err := lease.Take(ctx, c, lease.Here(s.o.RunID), lost)
			if err != nil {
				return err
			}
			if note != "" {
				s.o.Tell.Note(note)
			}
			mu.Lock()
			defer mu.Unlock()
			s.leases = append(s.leases, l)
			return nil
		})
		return refused(err, lease.ErrHeld, cluster.ErrAccess)
	})
}

// releaseLeases gives back what takeLeases took, also after an interruption.
func (s *Session) releaseLeases(ctx context.Context) error {
	var errs []error
	for _, l := range s.leases {
		errs = append(errs, l.Release(context.WithoutCancel(ctx)))
	}
	s.leases = nil
	return errors.Join(errs...)
}
