package picker

import (
	"math"
	"testing"

	"github.com/meshproof/meshproof/framework/stats"
)

// The seeds are fixed, so these tests give the same result every time. A simulated count is accepted when its exact
// two-sided p-value under the computed rate is at least unlikely: no seed was chosen for its result, and one in 10,000
// would be refused by chance.
const (
	calls    = 600
	unlikely = 1e-4
)

// counts makes the runs of so many calls, and returns how many calls of each run went where own says.
func counts(runs int, own func() bool) []int {
	all := make([]int, runs)
	for run := range all {
		for range calls {
			if own() {
				all[run]++
			}
		}
	}
	return all
}

func outside(all []int, lo, hi int) (n int) {
	for _, k := range all {
		if k < lo || k > hi {
			n++
		}
	}
	return n
}

// dispersion is the variance of the counts, over that of as many independent draws with a share of p0.
func dispersion(all []int, p0 float64) float64 {
	sum := 0.0
	for _, k := range all {
		sum += math.Pow(float64(k)-calls*p0, 2)
	}
	return sum / float64(len(all)) / (calls * p0 * (1 - p0))
}

func first(p Picker) func() bool { return func() bool { return p.Pick() == 0 } }

func sidecar(t *testing.T, weights []int, workers int, draw Draw) *Sidecar {
	t.Helper()
	s, err := NewSidecar(weights, workers, draw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEqualWeightsFailAtTheDeclaredRate(t *testing.T) {
	const runs = 40_000
	for _, tc := range []struct {
		weights []int
		workers int
	}{{[]int{1, 1}, 1}, {[]int{2, 2}, 4}, {[]int{1, 1, 1}, 2}} {
		p0 := 1 / float64(len(tc.weights))
		all := counts(runs, first(sidecar(t, tc.weights, tc.workers, random(uint64(tc.workers)))))
		for _, alpha := range []float64{1e-2, 1e-3} {
			lo, hi, rate := stats.Band(calls, p0, alpha)
			if n := outside(all, lo, hi); stats.PValue(n, runs, rate) < unlikely {
				t.Errorf("weights %v, %d workers, alpha %g: %d of %d runs outside %d..%d, expected %.1f", tc.weights, tc.workers, alpha, n, runs, lo, hi, rate*runs)
			}
		}
		if d := dispersion(all, p0); math.Abs(d-1) > 0.03 { // four standard deviations of a variance of 40,000 counts
			t.Errorf("weights %v, %d workers: dispersion %.3f, want 1", tc.weights, tc.workers, d)
		}
	}
}

// TestCallsAreIndependent counts how often an answer is followed by the same one: a picker that takes turns, or that
// sticks, can have the right share and the right dispersion at one n only by accident.
func TestCallsAreIndependent(t *testing.T) {
	const pairs = 200_000
	s := sidecar(t, []int{1, 1}, 2, random(9))
	same, last := 0, s.Pick()
	for range pairs {
		next := s.Pick()
		if next == last {
			same++
		}
		last = next
	}
	if stats.PValue(same, pairs, 0.5) < unlikely {
		t.Errorf("%d of %d answers are like the one before, expected one half", same, pairs)
	}
}

func TestPowerAgreesWithTheExactValue(t *testing.T) {
	const runs = 20_000
	for i, percent := range []int{60, 65, 70} {
		for _, alpha := range []float64{1e-8, 1e-2} {
			lo, hi, _ := stats.Band(calls, 0.5, alpha)
			exact := stats.Power(calls, 0.5, alpha, float64(percent)/100)
			all := counts(runs, first(NewRoute([]int{percent, 100 - percent}, random(uint64(20+i)))))
			if n := outside(all, lo, hi); stats.PValue(n, runs, exact) < unlikely {
				t.Errorf("%d/%d, alpha %g: caught in %d of %d runs, expected %.1f", percent, 100-percent, alpha, n, runs, exact*runs)
			}
		}
	}
}

func TestRefusedConnectionsLookLikeAnImbalance(t *testing.T) {
	const runs = 20_000
	draw := random(30)
	pick, err := New([]int{1, 1}, draw)
	if err != nil {
		t.Fatal(err)
	}
	all := counts(runs, first(Refusing{Picker: pick, Endpoint: 1, OneIn: 5, Draw: draw}))
	lo, hi, _ := stats.Band(calls, 0.5, 1e-8)
	share := HiddenShare(5)
	if n := outside(all, lo, hi); stats.PValue(n, runs, stats.Power(calls, 0.5, 1e-8, share)) < unlikely {
		t.Errorf("caught in %d of %d runs, expected that of a share of %.4f: %.1f", n, runs, share, runs*stats.Power(calls, 0.5, 1e-8, share))
	}
	if math.Abs(share-0.6) > 0.002 {
		t.Errorf("a fifth refused gives a share of %.4f, want about 0.6", share)
	}
}

func TestUnequalWeightsScatterLess(t *testing.T) {
	const runs = 4000
	for _, weights := range [][]int{{3, 1, 1, 1}, {1, 2}, {1, 1, 2}, {4, 1}} {
		total := 0
		for _, w := range weights {
			total += w
		}
		p0 := float64(weights[0]) / float64(total)
		lo, hi, _ := stats.Band(calls, p0, 1e-2)
		for _, workers := range []int{1, 2, 4} {
			draw := random(uint64(100*total + workers))
			all := make([]int, runs)
			for run := range all {
				s := sidecar(t, weights, workers, draw)
				all[run] = counts(1, first(s))[0]
			}
			if n := outside(all, lo, hi); n != 0 {
				t.Errorf("weights %v, %d workers: %d of %d runs outside a band of 1e-2", weights, workers, n, runs)
			}
			if d := dispersion(all, p0); d > 0.03 {
				t.Errorf("weights %v, %d workers: dispersion %.3f, want far below 1", weights, workers, d)
			}
		}
	}
}

// TestBackendsBehindAGateway has two pods behind each of two gateway addresses, beside one pod of the caller's own
// cluster: all weights are equal, so the addresses are drawn call by call; the pods are not.
func TestBackendsBehindAGateway(t *testing.T) {
	const runs = 4000
	for _, workers := range []int{1, 2, 4} {
		draw := random(uint64(200 + workers))
		byAddress, byPod := make([]int, runs), make([]int, runs)
		for run := range runs {
			s := sidecar(t, []int{1, 1, 1}, workers, draw)
			gateways := []*Gateway{nil, NewGateway(2, draw), NewGateway(2, draw)}
			for range calls {
				worker, endpoint := s.Call()
				if endpoint == 1 {
					byAddress[run]++
				}
				if endpoint > 0 && gateways[endpoint].Backend(worker) == 0 {
					byPod[run]++
				}
			}
		}
		lo, hi, rate := stats.Band(calls, 1.0/3, 1e-2)
		if n := outside(byAddress, lo, hi); stats.PValue(n, runs, rate) < unlikely {
			t.Errorf("%d workers, by address: %d of %d runs outside, expected %.1f", workers, n, runs, rate*runs)
		}
		if d := dispersion(byAddress, 1.0/3); math.Abs(d-1) > 0.1 {
			t.Errorf("%d workers, by address: dispersion %.3f, want 1", workers, d)
		}
		if d := dispersion(byPod, 1.0/3); d < 3 {
			t.Errorf("%d workers, by pod: dispersion %.3f, want far above 1", workers, d)
		}
	}
}
