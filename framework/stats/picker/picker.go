// Package picker simulates how Envoy chooses an endpoint when one call is in flight at a time. It is there to try the
// statistics of package stats against the mechanism that they model; no check of a mesh uses it.
//
// It follows these sources of Envoy, by name: least_request_lb.cc (two random choices), load_balancer_impl.cc (which
// picker is made for which weights, and how a retry avoids the host that was tried), edf_scheduler.h (deadlines), and the
// router's pickWeightedCluster (weighted routes). What it leaves out has no part in a measured run: health checks, panic,
// slow start, priorities and localities, endpoints that come and go, more than one call in flight.
package picker

import (
	"fmt"
	"math"
)

// Draw gives a whole number from 0 to n-1, each as likely as any other; the IntN of a math/rand/v2 Rand is one.
type Draw func(n int) int

// Picker chooses the endpoint of one call and gives its index.
type Picker interface {
	Pick() int
}

// New gives the picker that one worker of an Envoy has for endpoints of these weights, under the policy LEAST_REQUEST: two
// random choices when the weights are equal, a schedule of deadlines otherwise (EdfLoadBalancerBase::refresh in
// load_balancer_impl.cc). Weights are 1 or more.
func New(weights []int, draw Draw) (Picker, error) {
	if len(weights) == 0 {
		return nil, fmt.Errorf("make a picker: no endpoint was given: give at least one weight")
	}
	equal := true
	for i, w := range weights {
		if w < 1 {
			return nil, fmt.Errorf("make a picker: endpoint %d has a weight of %d: use 1 or more", i, w)
		}
		equal = equal && w == weights[0]
	}
	if equal {
		return NewLeastRequest(len(weights), draw), nil
	}
	return newEDF(weights, draw), nil
}

// LeastRequest is LeastRequestLoadBalancer::unweightedHostPickNChoices with Envoy's default of two choices. They are drawn
// with replacement; the second wins only if it has strictly fewer requests under way, so a tie keeps the first.
type LeastRequest struct {
	// Active counts the requests under way, by endpoint. With one call in flight every entry is 0 whenever a pick is made:
	// every pick is then a tie, and the first draw decides alone.
	Active []int
	draw   Draw
}

// NewLeastRequest makes the picker for so many endpoints, of which none is busy.
func NewLeastRequest(endpoints int, draw Draw) *LeastRequest {
	return &LeastRequest{Active: make([]int, endpoints), draw: draw}
}

// Pick chooses an endpoint.
func (l *LeastRequest) Pick() int {
	first, second := l.draw(len(l.Active)), l.draw(len(l.Active))
	if l.Active[second] < l.Active[first] {
		return second
	}
	return first
}

// Route shares calls out among destinations as a VirtualService's weights ask for: the router takes a random number of the
// stream modulo the sum of the weights (pickWeightedCluster). Calls are independent.
type Route struct {
	weights []int
	total   int
	draw    Draw
}

// NewRoute makes the route. Weights are percentages or any other whole numbers, of which one at least is above 0.
func NewRoute(weights []int, draw Draw) *Route {
	r := &Route{weights: weights, draw: draw}
	for _, w := range weights {
		r.total += w
	}
	return r
}

// Pick chooses a destination.
func (r *Route) Pick() int {
	at := r.draw(r.total)
	for i, w := range r.weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(r.weights) - 1
}

// Istio's default retry policy (DefaultPolicy in its retry.go): two retries, each on a host that was not tried, for which
// Envoy asks the picker up to six times (the pick and HostSelectionRetryMaxAttempts = 5 more) and then takes what it gets.
const (
	retries    = 2
	selections = 6
)

// Refusing puts one endpoint behind connections of which a part is refused, and the retries that hide that from the caller.
type Refusing struct {
	Picker Picker
	// Endpoint is the one that refuses, one attempt in OneIn.
	Endpoint, OneIn int
	Draw            Draw
}

// Pick chooses an endpoint; the answer is that of the last attempt, refused or not.
func (r Refusing) Pick() int {
	at := r.Picker.Pick()
	for range retries {
		if at != r.Endpoint || r.Draw(r.OneIn) != 0 {
			break
		}
		for range selections {
			if at = r.Picker.Pick(); at != r.Endpoint {
				break
			}
		}
	}
	return at
}

// HiddenShare is the share of calls that the other of two equal endpoints answers when one refuses one attempt in oneIn and
// retries hide it: its own half, and the refused calls for which a retry finds it.
func HiddenShare(oneIn int) float64 {
	refused, found := 1/float64(oneIn), 1-math.Pow(0.5, selections)
	stays := 1.0 // the probability that a call whose attempt goes to the refusing endpoint ends there
	for range retries {
		stays = 1 - refused + refused*(1-found)*stays
	}
	return 1 - 0.5*stays
}
