package session

import "testing"

func TestSecondCallsShowEveryCluster(t *testing.T) {
	for clusters, want := range map[int]int{2: 40, 3: 70, 4: 99} {
		if got := secondCalls(clusters); got != want {
			t.Errorf("%d clusters: %d calls, want %d", clusters, got, want)
		}
	}
}
