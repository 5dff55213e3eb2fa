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

// newEDF makes the schedule and moves it to a random point of its cycle, as createWithPicks does with the seed of each
// worker's load balancer. The cycle is as many picks as the weights add up to. Envoy computes the point instead of walking
// to it, which can order equal deadlines otherwise; the endpoints' shares of a cycle are the same.
func newEDF(weights []int, draw Draw) *edf {
	e, cycle := startEDF(weights)
	for range draw(cycle) {
		e.Pick()
	}
	return e
}

// startEDF makes the schedule at the beginning of its cycle.
func startEDF(weights []int) (e *edf, cycle int) {
	e = &edf{}
	for _, w := range weights {
		step := 1 / float64(w)
		e.entries = append(e.entries, entry{deadline: step, order: e.added, step: step})
		e.added++
		cycle += w
	}
	return e, cycle
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
