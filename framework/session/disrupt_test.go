package session

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

// TestUnfit: a mesh in which a core claim does not hold is left alone, and it is said which and why; what a claim about the sample's removal
// would say is no matter then.
func TestUnfit(t *testing.T) {
	healthy, err := evidence.Load("../claim/testdata/healthy")
	if err != nil {
		t.Fatal(err)
	}
	delete(healthy.Epochs, evidence.Removed)
	if why := unfit(healthy); why != "" {
		t.Errorf("a whole mesh is left alone: %s", why)
	}
	healthy.Epochs[evidence.Joined].Clusters["west"] = withWrongRevision(t)
	if why := unfit(healthy); !strings.HasPrefix(why, "sidecars (west) is failed: ") {
		t.Errorf("of a mesh without sidecars: %q", why)
	}
}
