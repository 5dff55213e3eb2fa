package session

import (
	"context"
	"errors"
	"slices"
	"sync"

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

// undoNoted removes from given clusters what the ledger names, and leaves them no copy that says more than it. stays is told what is left
// for good, and why.
func undoNoted(ctx context.Context, set cluster.Set, m *mirror.Mirror, limits procedure.Limits, stays func(string)) error {
	return errors.Join(procedure.Undo(ctx, set, m, limits, stays), m.Settle())
}

// Kept are the sentences about what a removal has left for good. Its Add may be called from several goroutines at once.
type Kept struct {
	mu        sync.Mutex
	sentences []string
}

// Add notes one.
func (k *Kept) Add(sentence string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sentences = append(k.sentences, sentence)
}

// All gives them, sorted.
func (k *Kept) All() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(slices.Values(k.sentences))
}
