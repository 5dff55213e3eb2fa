package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/meshproof/meshproof/framework/session"
)

// Plain shows events as lines, each with the time since the start.
type Plain struct {
	w       io.Writer
	verbose bool
	// brief leaves out all but what went wrong and that it is still alive: the command prints its own results.
	brief  bool
	began  time.Time
	spoke  time.Time // when something was printed last
	last   told
	state  State
	closed bool
	// looking tells that a run has begun and, as far as is known, only looks at what it was given. What it has looked at is held back
	// until it goes on: of input that cannot be, no more is shown than why.
	looking bool
	held    []Event
}

// told is what a line says, and of which cluster: two clusters may do the same in the same time.
type told struct{ cluster, text string }

// NewPlain gives a display that prints to w what a person wants to know, with verbose also what is begun and waited for, with
// brief only what went wrong.
func NewPlain(w io.Writer, verbose, brief bool) *Plain {
	now := time.Now()
	return &Plain{w: w, verbose: verbose, brief: brief, began: now, spoke: now}
}

// Show prints the event's line, if it has one.
func (p *Plain) Show(e Event) {
	p.state.Apply(e)
	text := said(e, p.verbose, p.brief)
	switch {
	case text == "" || p.last == told{e.Cluster, text}:
	case p.looking && refused(e):
		p.looking, p.held = false, nil
	case p.looking && e.Event == Done && e.Error == "":
		p.held = append(p.held, e)
	default:
		p.goOn()
		p.say(e, text)
		p.looking = e.Event == Begin && !p.verbose
	}
}

// goOn shows what was held back.
func (p *Plain) goOn() {
	for _, e := range p.held {
		p.say(e, ended(e))
	}
	p.held = nil
}

func (p *Plain) say(e Event, text string) {
	p.last = told{e.Cluster, text}
	p.print(e.Time.Time, e.Cluster, text)
}

// refused tells whether a step found that the input cannot be; the command says why when it ends.
func refused(e Event) bool { return e.Event == Done && e.Error == session.Refused }

// said is the line that an event has; "" for none.
func said(e Event, verbose, brief bool) string {
	if brief && e.Error == "" && !verbose {
		return ""
	}
	switch e.Event {
	case Begin:
		return "run " + e.Run
	case Doing:
		if verbose {
			return e.What
		}
	case Waiting:
		if verbose && !e.Over {
			return "waiting for: " + e.What + ": " + e.State
		}
	case Note, Done:
		return ended(e)
	}
	return ""
}

// ended is a note, or what ended with its time and its error.
func ended(e Event) string {
	text := e.What
	if e.Seconds != nil {
		text += fmt.Sprintf(": %.1f s", *e.Seconds)
	}
	if e.Error != "" {
		text += ": " + e.Error
	}
	return text
}

// Tick says that the run is alive, and at what, when it has been silent for long.
func (p *Plain) Tick(now time.Time) {
	if !p.closed && now.Sub(p.spoke) >= silence {
		p.print(now, "", p.state.underWay(now))
	}
}

// Close ends the lines.
func (p *Plain) Close() {
	p.goOn()
	p.closed = true
}

func (p *Plain) print(at time.Time, cluster, text string) {
	p.spoke = at
	fmt.Fprint(p.w, harmless(line(at.Sub(p.began), cluster, text)))
}

// line is how a note looks: the time since the start, the cluster, the text.
func line(since time.Duration, cluster, text string) string {
	if cluster == "" {
		cluster = "-"
	}
	return fmt.Sprintf("%7.1f s  %-9s  %s\n", since.Seconds(), cluster, text)
}
