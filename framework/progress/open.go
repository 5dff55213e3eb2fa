package progress

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Options say how a command shows what it does.
type Options struct {
	// Out is where events go when JSON is asked for; all other displays are on Err.
	Out  io.Writer
	Err  *os.File
	JSON bool
	// Quiet shows nothing, but as JSON what came of the work; Verbose also what is begun and waited for. Brief shows in plain
	// lines only what went wrong, for a command that prints its own results.
	Quiet, Verbose, Brief bool
}

// Open gives the teller of a command. It is to be closed.
func Open(o Options) *Teller {
	switch {
	case o.JSON:
		return NewTeller(NewLines(o.Out, o.Quiet))
	case o.Quiet:
		return NewTeller(nothing{})
	case lively(term.IsTerminal(int(o.Err.Fd())), os.Getenv):
		return NewTeller(NewLive(o.Err, o.Verbose, func() Size { return sizeOf(o.Err) }))
	}
	return NewTeller(NewPlain(o.Err, o.Verbose, o.Brief))
}

// lively tells whether a picture can be drawn and somebody looks at it: a terminal that can move its cursor, no CI system, and
// nobody who wants plain text (https://no-color.org).
func lively(terminal bool, getenv func(string) string) bool {
	ci := getenv("CI")
	return terminal && getenv("TERM") != "dumb" && getenv("TERM") != "" && getenv("NO_COLOR") == "" && (ci == "" || ci == "false")
}

// sizeOf gives the size of a terminal, and the classic one where it does not say.
func sizeOf(f *os.File) Size {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return Size{80, 24}
	}
	return Size{width, height}
}

// nothing is the display of a quiet command.
type nothing struct{}

func (nothing) Show(Event) {}

func (nothing) Tick(time.Time) {}

func (nothing) Close() {}
