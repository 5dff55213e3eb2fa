package seen

import (
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func TestWhatAReplicaHoldsOfACluster(t *testing.T) {
	west := intent.Cluster{Name: "west", ID: "cn-west", RemoteName: "ctx-west"}
	shards := []evidence.Shard{
		{Cluster: "ctx-west", Address: "10.0.0.2"}, {Cluster: "cn-west", Address: "10.0.0.1"}, {Cluster: "cn-west", Address: "10.0.0.2"},
		{Cluster: "cn-west", Address: "fd00::1"}, {Cluster: "ctx-east", Address: "10.0.0.3"},
	}
	for _, tc := range []struct {
		own  bool
		pods []string
		want []string
	}{
		{false, []string{"10.0.0.9"}, []string{"10.0.0.1", "10.0.0.2"}},
		{true, []string{"10.0.0.9"}, []string{"10.0.0.1", "10.0.0.2"}},
		{false, []string{"fd00::9"}, []string{"fd00::1"}},
		{false, nil, []string{"10.0.0.1", "10.0.0.2", "fd00::1"}},
	} {
		of := ShardsOf(west, tc.own, shards)
		if want := map[bool]int{false: 4, true: 3}[tc.own]; len(of) != want {
			t.Errorf("own %t: %+v, want %d", tc.own, of, want)
		}
		if got := Held(of, tc.pods); !slices.Equal(got, tc.want) {
			t.Errorf("own %t, pods %q: %q, want %q", tc.own, tc.pods, got, tc.want)
		}
	}
}
