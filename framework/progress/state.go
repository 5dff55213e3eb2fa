package progress

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// State is what a run looks like after some events. The zero value is a run of which nothing is known.
type State struct {
	run      string
	clusters []string
	began    time.Time
	steps    []step
	waits    []wait
	samples  map[string]sample // by the cluster that calls
}

// step is something that began; took is there once it has ended.
type step struct {
	cluster, what string
	began         time.Time
	took          time.Duration
	ended, failed bool
}

type wait struct {
	cluster, what, state string
	began                time.Time
}

type sample struct {
	asked    int
	answered map[string]int
}

// Apply adds an event.
func (s *State) Apply(e Event) {
	if s.began.IsZero() {
		s.began = e.Time.Time
	}
	switch e.Event {
	case Begin:
		*s = State{run: e.Run, clusters: e.Clusters, began: s.began} // of many runs in a row it is the last
	case Doing:
		s.steps = append(s.steps, step{cluster: e.Cluster, what: e.What, began: e.Time.Time})
	case Done:
		s.end(e)
	case Waiting:
		s.wait(e)
	case Sample:
		if s.samples == nil {
			s.samples = map[string]sample{}
		}
		s.samples[e.Cluster] = sample{e.Asked, maps.Clone(e.Answered)}
	}
}

// end marks the step that began with the same words, or adds one that nobody told the beginning of.
func (s *State) end(e Event) {
	at := slices.IndexFunc(s.steps, func(x step) bool { return !x.ended && x.cluster == e.Cluster && x.what == e.What })
	if at < 0 {
		at = len(s.steps)
		s.steps = append(s.steps, step{cluster: e.Cluster, what: e.What, began: e.Time.Time})
	}
	x := &s.steps[at]
	x.ended, x.failed = true, e.Error != ""
	if e.Seconds != nil {
		x.took = time.Duration(*e.Seconds * float64(time.Second))
	}
}

func (s *State) wait(e Event) {
	at := slices.IndexFunc(s.waits, func(x wait) bool { return x.cluster == e.Cluster && x.what == e.What })
	switch {
	case e.Over && at >= 0:
		s.waits = slices.Delete(s.waits, at, at+1)
	case e.Over:
	case at >= 0:
		s.waits[at].state = e.State
	default:
		s.waits = append(s.waits, wait{e.Cluster, e.What, e.State, e.Time.Time})
	}
}

// of gives the steps of a cluster, those that have ended first, so that what goes on stands below.
func (s *State) of(cluster string) []step {
	var ended, open []step
	for _, x := range s.steps {
		switch {
		case x.cluster != cluster:
		case x.ended:
			ended = append(ended, x)
		default:
			open = append(open, x)
		}
	}
	return append(ended, open...)
}

// versions are those that answered any cluster, in their order.
func (s *State) versions() []string {
	all := map[string]bool{}
	for _, x := range s.samples {
		for v := range x.answered {
			if v != "" {
				all[v] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// underWay says in one line what goes on and what is waited for.
func (s *State) underWay(now time.Time) string {
	var parts []string
	for _, x := range s.steps {
		if !x.ended {
			parts = append(parts, fmt.Sprintf("%s%s (%s)", on(x.cluster), x.what, clock(now.Sub(x.began))))
		}
	}
	for _, w := range s.waits {
		parts = append(parts, fmt.Sprintf("%s%s: %s", on(w.cluster), w.what, cmp.Or(w.state, "not yet")))
	}
	if len(parts) == 0 {
		return "still running"
	}
	return "still under way: " + strings.Join(parts, "; ")
}

func on(cluster string) string {
	if cluster == "" {
		return ""
	}
	return cluster + ": "
}

// clock is a time in whole seconds: "5 s", "2 m 05 s".
func clock(d time.Duration) string {
	all := max(0, int(d.Seconds()))
	if all < 60 {
		return fmt.Sprintf("%d s", all)
	}
	return fmt.Sprintf("%d m %02d s", all/60, all%60)
}
