package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func TestAStandingMeshIsNotAskedAboutItsRemoval(t *testing.T) {
	for _, standing := range []bool{true, false} {
		run := evidence.Run{Intent: intent.Intent{Standing: standing, Logs: true, Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}}}
		removal := 0
		for _, c := range All() {
			if c.Epoch != evidence.Removed {
				continue
			}
			for _, f := range c.Judge(run) {
				removal++
				want, level := Inconclusive, Core
				if standing {
					want = Skipped
				}
				if standing || c.Level == Extended {
					level = Extended
				}
				if f.Verdict != want || f.Level != level {
					t.Errorf("standing %v: %s (%s) is %s at level %s, want %s at level %s", standing, f.Claim, f.Subject, f.Verdict, f.Level, want, level)
				}
			}
		}
		if removal == 0 {
			t.Error("no claim about the removal was judged")
		}
	}
}
