package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Live draws the state below what was printed, again and again. It changes no mode of the terminal (no raw mode, no second
// screen, no hidden cursor), and each drawing is one write that ends in plain text at the start of a line: whatever ends the
// process, the terminal is as it was.
type Live struct {
	w       io.Writer
	verbose bool
	size    func() Size
	state   State
	began   time.Time
	drawn   []Line // what stands on the screen
	pending bool   // something has changed since
	refused bool   // what was given cannot be
	at      time.Time
	closed  bool
}

// NewLive gives a display that draws on a terminal, with verbose also a line for what is begun and waited for; size asks for the
// terminal's size.
func NewLive(w io.Writer, verbose bool, size func() Size) *Live {
	l := &Live{w: w, verbose: verbose, size: size, began: time.Now()}
	l.state.began = l.began
	l.draw(l.began, "")
	return l
}

// Show adds the event to the picture. Notes and what went wrong are printed above it, where they stay.
func (l *Live) Show(e Event) {
	l.state.Apply(e)
	l.pending, l.refused = true, refused(e) || l.refused && e.Event != Begin
	if text := said(e, l.verbose, e.Event != Note); text != "" && (l.verbose || !refused(e)) {
		l.draw(e.Time.Time, harmless(line(e.Time.Sub(l.began), e.Cluster, text)))
	} else if e.Time.Sub(l.at) >= tick/2 {
		l.draw(e.Time.Time, "")
	}
}

// Tick draws what has changed; the clock is a change.
func (l *Live) Tick(now time.Time) {
	if !l.closed && (l.pending || now.Sub(l.at) >= time.Second) {
		l.draw(now, "")
	}
}

// Close leaves the last picture where it is; before a run has begun, and of one that was refused, it shows nothing of use, and is taken
// away.
func (l *Live) Close() {
	l.state.waits = nil
	if l.state.run == "" || l.refused {
		_, _ = io.WriteString(l.w, l.erase(l.size().Width))
	} else {
		l.draw(time.Now(), "")
	}
	l.closed = true
}

// aside takes the picture away while something else prints, and draws it again below that.
func (l *Live) aside(print func()) {
	if l.closed {
		print()
		return
	}
	_, _ = io.WriteString(l.w, l.erase(l.size().Width))
	l.drawn = nil
	print()
	l.draw(time.Now(), "")
}

// draw puts the text in the place of the picture, and the picture below it, in one write.
func (l *Live) draw(now time.Time, above string) {
	if l.closed {
		_, _ = io.WriteString(l.w, above)
		return
	}
	size := l.size()
	next := Frame(&l.state, size, now)
	l.at, l.pending = now, false
	if above == "" && slices.EqualFunc(next, l.drawn, func(a, b Line) bool { return slices.Equal(a, b) }) {
		return
	}
	var out strings.Builder
	out.WriteString(l.erase(size.Width) + above)
	for _, line := range next {
		out.WriteString(line.Colored() + "\n")
	}
	l.drawn = next
	_, _ = io.WriteString(l.w, out.String())
}

// erase gives the sequence that goes back to the first row of the picture and clears the screen from there. Where the terminal
// has become narrower since, lines have wrapped and take more rows.
func (l *Live) erase(width int) string {
	rows := 0
	for _, line := range l.drawn {
		rows += max(1, (columnsOf(line.Text())+max(width, 1)-1)/max(width, 1))
	}
	if rows == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", rows)
}
