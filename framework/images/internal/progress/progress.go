// Package progress tells a caller what long work is doing, how long it has run, and what is left.
package progress

import (
	"context"
	"slices"
	"sync"
	"time"
)

// State says what an event is about.
type State string

// States of an item.
const (
	Started State = "started"
	Running State = "running" // repeated while an item runs
	Done    State = "done"
	Failed  State = "failed"
)

// Event is one thing to tell a person about an item of the work.
type Event struct {
	Item      string        // what is being done: "build kubernetes"
	State     State         // what happened to it
	Number    int           // the item's number in the order of starting, from 1
	Total     int           // how many items there are
	Elapsed   time.Duration // since the item started
	Remaining []string      // items that are neither done nor this one, in the order in which they were announced
}

// every is how often an item that runs is reported again.
const every = 10 * time.Second

// Reporter turns the begin and end of items into events.
type Reporter struct {
	emit    func(Event)
	mu      sync.Mutex
	pending []string
	started int
	total   int
}

// New makes a reporter; emit may be nil and is never called by two goroutines at once.
func New(emit func(Event)) *Reporter { return &Reporter{emit: emit} }

// Expect announces items that are going to be done, so that totals are right from the start.
func (r *Reporter) Expect(items ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range items {
		if !slices.Contains(r.pending, item) {
			r.pending = append(r.pending, item)
			r.total++
		}
	}
}

// Skip takes back an announcement: the item turned out to be there.
func (r *Reporter) Skip(item string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.pending, item); i >= 0 {
		r.pending = slices.Delete(r.pending, i, i+1)
		r.total--
	}
}

// Do runs work as the named item and reports its start, its going on, and its end.
func (r *Reporter) Do(ctx context.Context, item string, work func(context.Context) error) error {
	r.Expect(item)
	start := time.Now()
	r.mu.Lock()
	r.started++
	number := r.started
	r.mu.Unlock()
	r.report(item, number, Started, start)
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			r.report(item, number, Running, start)
		case err := <-done:
			r.mu.Lock()
			r.pending = slices.DeleteFunc(r.pending, func(s string) bool { return s == item })
			r.mu.Unlock()
			if err != nil {
				r.report(item, number, Failed, start)
				return err
			}
			r.report(item, number, Done, start)
			return nil
		}
	}
}

func (r *Reporter) report(item string, number int, state State, start time.Time) {
	if r.emit == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(r.pending), func(s string) bool { return s == item })
	r.emit(Event{Item: item, State: state, Number: number, Total: r.total, Elapsed: time.Since(start), Remaining: left})
}
