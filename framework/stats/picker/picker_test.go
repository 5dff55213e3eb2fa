package picker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// scripted gives the listed numbers in turn, and fails the test when more are asked for or one is out of range.
func scripted(t *testing.T, numbers ...int) Draw {
	t.Helper()
	return func(n int) int {
		if len(numbers) == 0 || numbers[0] >= n {
			t.Fatalf("a number below %d was asked for; left: %v", n, numbers)
		}
		next := numbers[0]
		numbers = numbers[1:]
		return next
	}
}

func random(stream uint64) Draw { return rand.New(rand.NewPCG(1, stream)).IntN }

func TestLeastRequestDrawsTwiceAndKeepsTheFirstOfATie(t *testing.T) {
	for _, tc := range []struct {
		active, draws []int
		want          int
	}{
		{[]int{0, 0}, []int{0, 1}, 0},
		{[]int{0, 0}, []int{1, 0}, 1},
		{[]int{3, 3, 3}, []int{2, 0}, 2},
		{[]int{1, 0}, []int{0, 1}, 1},
		{[]int{1, 0}, []int{1, 0}, 1},
		{[]int{5, 0}, []int{0, 0}, 0}, // with replacement: the busiest is still picked when it is drawn twice
		{[]int{0, 1, 2}, []int{2, 1}, 1},
	} {
		l := NewLeastRequest(len(tc.active), scripted(t, tc.draws...))
		l.Active = tc.active
		if got := l.Pick(); got != tc.want {
			t.Errorf("busy %v, drawn %v: %d, want %d", tc.active, tc.draws, got, tc.want)
		}
	}
}

func sequence(p Picker, n int) string {
	var s strings.Builder
	for range n {
		fmt.Fprint(&s, p.Pick())
	}
	return s.String()
}

func TestScheduleByDeadline(t *testing.T) {
	for _, tc := range []struct {
		weights []int
		want    string
	}{
		// By hand: deadlines are k/weight, and of equal ones that which was put in first goes first. The weights are powers
		// of two, so that no deadline is rounded.
		{[]int{4, 1}, "0001000010"},
		{[]int{1, 4}, "1110111101"},
		{[]int{2, 1}, "010010"},
		{[]int{2, 1, 1}, "01200120"},
	} {
		for _, now := range []float64{0, 1000} {
			if got := sequence(startEDF(tc.weights, now), len(tc.want)); got != tc.want {
				t.Errorf("weights %v, from %g: %s, want %s", tc.weights, now, got, tc.want)
			}
		}
	}
}

func TestScheduleSkipsPicks(t *testing.T) {
	// 5 picks are one cycle of 4:1: 5,000,003 skipped picks are a million cycles and 3.
	want := sequence(startEDF([]int{4, 1}, 0), 8)[3:]
	if got := sequence(newEDF([]int{4, 1}, scripted(t, 5_000_003)), 5); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	starts := map[string]int{}
	for stream := range uint64(500) {
		starts[sequence(newEDF([]int{4, 1}, random(stream)), 5)]++
	}
	for _, turn := range []string{"00010", "00100", "01000", "10000", "00001"} {
		if starts[turn] < 60 {
			t.Errorf("%d of 500 schedules start with %s, want about a fifth each: %v", starts[turn], turn, starts)
		}
	}
}

func TestWeightsChooseThePicker(t *testing.T) {
	for _, tc := range []struct {
		weights []int
		equal   bool
	}{{[]int{1, 1}, true}, {[]int{2, 2, 2}, true}, {[]int{7}, true}, {[]int{3, 1, 1, 1}, false}} {
		p, err := New(tc.weights, random(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, is := p.(*LeastRequest); is != tc.equal {
			t.Errorf("weights %v: %T", tc.weights, p)
		}
	}
	for _, weights := range [][]int{nil, {1, 0}, {-1}} {
		if p, err := New(weights, random(1)); err == nil {
			t.Errorf("weights %v: %T, want an error", weights, p)
		}
		if s, err := NewSidecar(weights, 2, random(1)); err == nil {
			t.Errorf("weights %v: %v, want an error", weights, s)
		}
	}
}

func TestRouteByWeight(t *testing.T) {
	r := NewRoute([]int{60, 0, 40}, scripted(t, 0, 59, 60, 99))
	if got := sequence(r, 4); got != "0022" {
		t.Errorf("%s, want 0022", got)
	}
}

func TestRefusedAttemptsAreRetriedElsewhere(t *testing.T) {
	for _, tc := range []struct {
		what  string
		picks []int // what the inner picker gives, in turn
		draws []int // 0 refuses
		want  int
	}{
		{"the other endpoint never refuses", []int{0}, nil, 0},
		{"accepted", []int{1}, []int{3}, 1},
		{"refused, then elsewhere", []int{1, 0}, []int{0}, 0},
		{"refused, and the other is found late", []int{1, 1, 1, 1, 1, 1, 0}, []int{0}, 0},
		{"refused, not found, accepted on the second attempt", []int{1, 1, 1, 1, 1, 1, 1}, []int{0, 2}, 1},
		{"refused, not found, refused, elsewhere", []int{1, 1, 1, 1, 1, 1, 1, 0}, []int{0, 0}, 0},
	} {
		inner := &fixed{picks: tc.picks}
		r := Refusing{Picker: inner, Endpoint: 1, OneIn: 5, Draw: scripted(t, tc.draws...)}
		if got := r.Pick(); got != tc.want || len(inner.picks) > 0 {
			t.Errorf("%s: %d with %v left, want %d", tc.what, got, inner.picks, tc.want)
		}
	}
}

type fixed struct{ picks []int }

func (f *fixed) Pick() int {
	next := f.picks[0]
	f.picks = f.picks[1:]
	return next
}

func TestGatewayChoosesForAConnection(t *testing.T) {
	g := NewGateway(2, scripted(t, 0, 0, 0, 1)) // the second worker draws both, and the first backend holds a connection
	var got []int
	for _, worker := range []int{4, 4, 7, 4, 7} {
		got = append(got, g.Backend(worker))
	}
	if want := []int{0, 0, 1, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("backends %v, want %v", got, want)
	}
}
