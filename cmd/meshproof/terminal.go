package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// terminal tells the progress in plain lines, each with the time since the start.
type terminal struct {
	mu             sync.Mutex
	w              io.Writer
	began          time.Time
	quiet, verbose bool
	last           string
}

func newTerminal(w io.Writer, quiet, verbose bool) *terminal {
	return &terminal{w: w, began: time.Now(), quiet: quiet, verbose: verbose}
}

// Note prints what a person wants to know unasked.
func (t *terminal) Note(what string) { t.line("", what) }

// Doing prints what is begun or waited for, when asked for it.
func (t *terminal) Doing(cluster, what string) {
	if t.verbose {
		t.line(cluster, what)
	}
}

// Done prints what ended, and how long it took.
func (t *terminal) Done(cluster, what string, took time.Duration, err error) {
	line := fmt.Sprintf("%s: %.1f s", what, took.Seconds())
	if err != nil {
		line += ": " + err.Error()
	}
	t.line(cluster, line)
}

func (t *terminal) line(cluster, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.quiet || text == t.last {
		return
	}
	t.last = text
	if cluster == "" {
		cluster = "-"
	}
	fmt.Fprintf(t.w, "%7.1f s  %-9s  %s\n", time.Since(t.began).Seconds(), cluster, text)
}
