package progress

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/session"
)

// stuck is a display whose reader does not read until it is released.
type stuck struct {
	showing, released chan struct{}
	shown             []Event
}

func (s *stuck) Show(e Event) {
	if len(s.shown) == 0 {
		close(s.showing)
		<-s.released
	}
	s.shown = append(s.shown, e)
}

func (*stuck) Tick(time.Time) {}

func (*stuck) Close() {}

// A run goes on while nobody reads. What it said is shown when somebody does, but for states that are over by then.
func TestADisplayThatIsStuckHoldsNothingUp(t *testing.T) {
	s := &stuck{showing: make(chan struct{}), released: make(chan struct{})}
	teller := NewTeller(s)
	teller.Note("first")
	<-s.showing
	teller.Note("second")
	for i := range queued - 1 {
		teller.Progress(session.Progress{What: "pods", State: fmt.Sprint(i)})
	}
	for range 10 { // the queue is full
		teller.Progress(session.Progress{What: "pods", State: "left out"})
		teller.Progress(session.Progress{What: "calls", Asked: 600})
	}
	close(s.released)
	teller.Progress(session.Progress{What: "pods", Over: true})
	teller.Note("last")
	teller.Close()
	teller.Note("after the end")
	said := slices.DeleteFunc(slices.Clone(s.shown), func(e Event) bool { return e.Event == Waiting && !e.Over })
	var what []string
	for _, e := range said {
		what = append(what, e.What)
	}
	if want := []string{"first", "second", "pods", "last", "after the end"}; !slices.Equal(what, want) || len(s.shown)-len(said) != queued-1 {
		t.Errorf("%d states, and %q, want %d and %q", len(s.shown)-len(said), what, queued-1, want)
	}
}
