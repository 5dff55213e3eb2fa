package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
)

func TestHealthyMeshPassesEveryClaim(t *testing.T) {
	for _, f := range Judge(example.Healthy()) {
		if f.Verdict != Passed {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
		t.Logf("%s (%s): %s %v %v", f.Claim, f.Subject, f.Reason, f.Measured, f.Evidence)
	}
}
