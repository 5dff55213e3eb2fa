package session

import (
	"github.com/meshproof/meshproof/framework/ledger/mirror"
)

// book is the ledger, with its copies on given clusters.
func (s *Session) book() mirror.Book {
	if s.mirror == nil { // on clusters of the run's own, or before anything is made
		return s.ledger
	}
	return s.mirror
}
