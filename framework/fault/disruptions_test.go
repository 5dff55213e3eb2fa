package fault

import (
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
)

// Each claim about a disruption needs somebody who does it, and nothing is done that no claim is about.
func TestDisruptionsAreThoseOfTheClaims(t *testing.T) {
	var done, injected []string
	for _, d := range Disruptions() {
		done = append(done, d.ID)
		if d.Sentence == "" || d.Break == nil || d.Repair == nil {
			t.Errorf("disruption %s is not whole", d.ID)
		}
	}
	for _, i := range Injections() {
		injected = append(injected, i.ID)
		if i.Sentence == "" || i.Break == nil || i.Repair == nil {
			t.Errorf("injection %s is not whole", i.ID)
		}
	}
	if !slices.Equal(done, claim.Disruptions()) || !slices.Equal(injected, claim.Injections()) {
		t.Errorf("%v and %v are done, the claims are about %v and %v", done, injected, claim.Disruptions(), claim.Injections())
	}
}
