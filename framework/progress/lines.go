package progress

import (
	"encoding/json"
	"io"
	"time"
)

// Lines shows events to another program, one JSON object a line.
type Lines struct {
	encode *json.Encoder
	spoke  time.Time
	state  State
	quiet  bool
	closed bool
}

// NewLines gives a display that prints to w, with quiet only what came of the work.
func NewLines(w io.Writer, quiet bool) *Lines {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &Lines{encode: e, quiet: quiet, spoke: time.Now()}
}

// Show prints the event. Who does not read any more is not told.
func (l *Lines) Show(e Event) {
	if l.quiet && e.Event.passing() {
		return
	}
	l.state.Apply(e)
	l.spoke = e.Time.Time
	_ = l.encode.Encode(e)
}

// Tick notes that the run is alive, and at what, when it has been silent for long.
func (l *Lines) Tick(now time.Time) {
	if !l.closed && now.Sub(l.spoke) >= silence {
		l.Show(Event{Time: Stamp{now}, Event: Note, What: l.state.underWay(now)})
	}
}

// Close ends the lines.
func (l *Lines) Close() { l.closed = true }
