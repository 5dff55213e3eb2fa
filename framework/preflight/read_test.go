package preflight

import (
	"slices"
	"sync"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// TestEachLookIsTold: a look takes up to a minute for each cluster, and who waits for it is told at what it is.
func TestEachLookIsTold(t *testing.T) {
	var mu sync.Mutex
	var begun, ended []string
	note := func(to *[]string, what string) {
		mu.Lock()
		defer mu.Unlock()
		*to = append(*to, what)
	}
	set := cluster.Set{apitest.New(t).Cluster(t, "east"), apitest.New(t).Cluster(t, "west")}
	facts := Read(t.Context(), Options{Set: set, Revision: "r", Place: t.TempDir(), Looking: func(what string, look func() error) error {
		note(&begun, what)
		defer note(&ended, what)
		return look()
	}})
	slices.Sort(begun)
	slices.Sort(ended)
	want := []string{"look at cluster east", "look at cluster west", "look at this machine"}
	if !slices.Equal(begun, want) || !slices.Equal(ended, want) {
		t.Errorf("begun %q, ended %q, want %q", begun, ended, want)
	}
	if len(facts.Clusters) != 2 || facts.Clusters[0].Answer.Err != nil {
		t.Errorf("seen: %+v", facts.Clusters)
	}
}
