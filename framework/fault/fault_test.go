package fault

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/cause"
)

// The proof is worth something only when every cause that the suite can name has been provoked.
func TestEveryCauseHasAFault(t *testing.T) {
	// Causes that no fault here can bring about alone, with the reason.
	beyond := map[string]string{
		"remote-cluster-timeout": "stands for a remote cluster of which istiod says nothing more: every fault here has a surer cause",
	}
	for _, id := range cause.IDs() {
		if strings.HasPrefix(id, "asmcli-") {
			beyond[id] = "needs a real asmcli that fails, which no run on kind has: TestExplain has its texts"
		}
	}
	provoked := map[string]bool{}
	for _, f := range All() {
		provoked[f.Cause] = true
	}
	for _, id := range cause.IDs() {
		if _, out := beyond[id]; !provoked[id] && !out {
			t.Errorf("no fault has the cause %s", id)
		}
	}
}

func TestFaultsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	known := cause.IDs()
	for _, f := range All() {
		if seen[f.ID] {
			t.Errorf("two faults are named %s", f.ID)
		}
		seen[f.ID] = true
		if f.Sentence == "" || f.Break == nil || f.Repair == nil || f.Verdict == "" {
			t.Errorf("fault %s is not whole", f.ID)
		}
		for _, id := range append([]string{f.Cause}, f.Also...) {
			if !slices.Contains(known, id) {
				t.Errorf("fault %s declares the cause %q, which the suite cannot name", f.ID, id)
			}
		}
		if got, there := Get(f.ID); !there || got.ID != f.ID {
			t.Errorf("fault %s is not found by its id", f.ID)
		}
	}
	if _, there := Get("none"); there {
		t.Error("a fault that is not there was found")
	}
	if len(All()) < 30 {
		t.Errorf("%d faults, at least 30 are to be planted", len(All()))
	}
}
