package session

import (
	"context"
	"errors"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/procedure"
)

// book is the ledger, with its copies on given clusters.
func (s *Session) book() mirror.Book {
	if s.mirror == nil { // on clusters of the run's own, or before anything is made
		return s.ledger
	}
	return s.mirror
}

// undoNoted removes from given clusters what the ledger names, and leaves them no copy that says more than it.
func undoNoted(ctx context.Context, set cluster.Set, m *mirror.Mirror, limits procedure.Limits) error {
	return errors.Join(procedure.Undo(ctx, set, m, limits), m.Settle())
}
