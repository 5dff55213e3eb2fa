package picker

// edf is Envoy's earliest-deadline-first schedule (edf_scheduler.h): the endpoint with the earliest deadline is picked, the
// clock moves to that deadline, and the endpoint goes back with a deadline of 1/weight later. Of equal deadlines the one
// that was put in first goes first. With one call in flight no request is under way at a pick, so the weight is the
// configured one and not divided by anything (hostWeight in least_request_lb.cc).
type edf struct {
	now     float64
	entries []entry
	added   int
}

type entry struct {
	deadline float64
	order    int
	step     float64
}

// maxSkipped is the number of picks below which createWithPicks starts a schedule (UINT_MAX/10).
const maxSkipped = 429_496_729

// newEDF makes the schedule and moves it on by a random number of picks, as createWithPicks does with the seed of each
// worker's load balancer. A cycle is as many picks as the weights add up to, and each endpoint has its weight of them; so
// whole cycles are added to the clock, and only the rest is walked.
func newEDF(weights []int, draw Draw) *edf {
	cycle := 0
	for _, w := range weights {
		cycle += w
	}
	skipped := draw(maxSkipped)
	e := startEDF(weights, float64(skipped/cycle))
	for range skipped % cycle {
		e.Pick()
	}
	return e
}

// startEDF makes the schedule at the beginning of a cycle, when the clock is at now.
func startEDF(weights []int, now float64) *edf {
	e := &edf{now: now}
	for _, w := range weights {
		step := 1 / float64(w)
		e.entries = append(e.entries, entry{deadline: now + step, order: e.added, step: step})
		e.added++
	}
	return e
}

// Pick chooses the endpoint whose turn it is.
func (e *edf) Pick() int {
	next := 0
	for i, x := range e.entries {
		if n := e.entries[next]; x.deadline < n.deadline || x.deadline == n.deadline && x.order < n.order {
			next = i
		}
	}
	picked := &e.entries[next]
	e.now = picked.deadline
	picked.deadline = e.now + picked.step
	picked.order = e.added
	e.added++
	return next
}
