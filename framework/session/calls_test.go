package session

import (
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/fault"
)

func TestSecondCallsShowEveryCluster(t *testing.T) {
	for clusters, want := range map[int]int{2: 40, 3: 70, 4: 99} {
		if got := secondCalls(clusters); got != want {
			t.Errorf("%d clusters: %d calls, want %d", clusters, got, want)
		}
	}
}

// TestCallsOfADisruption: the measured ones, unless it breaks what they would wait for, and the guide's where a claim reads them.
func TestCallsOfADisruption(t *testing.T) {
	for _, tc := range []struct {
		d    fault.Disruption
		want []string
	}{
		{fault.Disruption{}, []string{evidence.Second, evidence.GuideCalls}},
		{fault.Disruption{GuideCalls: true}, []string{evidence.Second}},
		{fault.Disruption{NoCalls: true}, []string{evidence.Second, evidence.GuideCalls, evidence.Split}},
	} {
		if got := leftOut(tc.d); !slices.Equal(got, tc.want) {
			t.Errorf("%+v: %q are left out, want %q", tc.d, got, tc.want)
		}
	}
}
