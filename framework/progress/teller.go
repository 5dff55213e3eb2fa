package progress

import (
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

// Teller makes events of what a session tells, in their order, and has a display show them. It is a session.Teller. A display
// whose reader does not read (a stopped terminal, a full pipe) holds nothing up: what it has not shown waits in a queue.
type Teller struct {
	now     func() time.Time
	display Display // asked by run alone, until that has stopped

	mu      sync.Mutex // makes the order of the queue that of the times
	closed  bool
	queue   chan func()
	stopped chan struct{}
}

const (
	tick = 250 * time.Millisecond
	// queued is how much may wait for the display. A run tells a few hundred things beside the states of its waits.
	queued = 4096
)

// NewTeller starts a teller; it is to be closed.
func NewTeller(d Display) *Teller {
	t := &Teller{now: time.Now, display: d, queue: make(chan func(), queued), stopped: make(chan struct{})}
	go t.run()
	return t
}

func (t *Teller) run() {
	defer close(t.stopped)
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		select {
		case do, more := <-t.queue:
			if !more {
				t.display.Close()
				return
			}
			do()
		case now := <-ticks.C:
			t.display.Tick(now)
		}
	}
}

// Close ends the display when it has shown all; a second call does nothing.
func (t *Teller) Close() {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		close(t.queue)
	}
	t.mu.Unlock()
	<-t.stopped
}

func (t *Teller) show(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Time = Stamp{t.now()}
	passing := e.Event == Sample || e.Event == Waiting && !e.Over
	t.add(passing, func() { t.display.Show(e) })
}

// add has run do something after what was added before. What is passing, a state that the next one replaces, is left out when the
// queue is full. It is called with the lock held.
func (t *Teller) add(passing bool, do func()) {
	switch {
	case t.closed:
		<-t.stopped
		do()
	case passing:
		select {
		case t.queue <- do:
		default:
		}
	default:
		t.queue <- do
	}
}

// Begin says which run it is, and on which clusters.
func (t *Teller) Begin(run string, clusters []string) {
	t.show(Event{Event: Begin, Run: run, Clusters: slices.Clone(clusters)})
}

// Note says what a person wants to know unasked.
func (t *Teller) Note(what string) { t.show(Event{Event: Note, What: what}) }

// Doing says that something began.
func (t *Teller) Doing(cluster, what string) {
	t.show(Event{Event: Doing, Cluster: cluster, What: what})
}

// Done says that something ended, and how long it took.
func (t *Teller) Done(cluster, what string, took time.Duration, err error) {
	t.show(Event{Event: Done, Cluster: cluster, What: what, Seconds: seconds(took), Error: textOf(err)})
}

func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// Progress says how far something is.
func (t *Teller) Progress(p session.Progress) {
	if p.Asked > 0 {
		t.show(Event{Event: Sample, Cluster: p.Cluster, What: p.What, Asked: p.Asked, Answered: maps.Clone(p.Answered)})
		return
	}
	t.show(Event{Event: Waiting, Cluster: p.Cluster, What: p.What, State: p.State, Over: p.Over})
}

// Finding says what came of a claim.
func (t *Teller) Finding(f claim.Finding) {
	t.show(Event{Event: Finding, Claim: f.Claim, Level: f.Level, Subject: f.Subject, Verdict: f.Verdict, Reason: f.Reason, Cause: f.Cause})
}

// Verdict is the last word: what the process ends with, and why.
func (t *Teller) Verdict(f report.Findings, exitCode int, reportDir string, err error) {
	t.show(Event{Event: Verdict, Verdict: f.Verdict, Reason: f.Reason, ExitCode: &exitCode, Report: reportDir, Error: textOf(err)})
}

// Writer gives a writer that prints without disturbing what is drawn on the terminal.
func (t *Teller) Writer(w io.Writer) io.Writer { return beside{t, w} }

type beside struct {
	teller *Teller
	w      io.Writer
}

func (b beside) Write(p []byte) (n int, err error) {
	print := func() { n, err = b.w.Write(p) }
	done := make(chan struct{})
	b.teller.mu.Lock()
	b.teller.add(false, func() {
		defer close(done)
		if l, is := b.teller.display.(*Live); is {
			l.aside(print)
		} else {
			print()
		}
	})
	b.teller.mu.Unlock()
	<-done
	return n, err
}
