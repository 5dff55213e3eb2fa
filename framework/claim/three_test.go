package claim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

// three is the sealed evidence of a run on three kind clusters, of which one was added to two that were joined.
const three = "testdata/three"

func TestThreeClustersPass(t *testing.T) {
	run := load(t, three)
	if len(run.Intent.Clusters) != 3 {
		t.Fatalf("%d clusters", len(run.Intent.Clusters))
	}
	all := Judge(run)
	if code := ExitCode(all); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if _, err := json.Marshal(all); err != nil {
		t.Errorf("the findings cannot be written: %v", err)
	}
	for _, f := range all {
		if f.Verdict != Passed && !unasked(f) {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
	}
}

// Each cluster's share is tested for itself: the caller's own may be right where two others are not.
func TestSharesOfThreeClusters(t *testing.T) {
	replies := func(run evidence.Run, change func(version string, n int) string) {
		traffic := run.Epochs[evidence.Joined].Clusters["east"].Traffic
		for i := range traffic {
			if traffic[i].Purpose != evidence.Split {
				continue
			}
			for n := range traffic[i].Replies {
				traffic[i].Replies[n].Version = change(traffic[i].Replies[n].Version, n)
			}
		}
	}
	for _, tc := range []struct {
		name   string
		change func(version string, n int) string
		want   Verdict
		says   []string
	}{
		{"as it was recorded", func(v string, _ int) string { return v }, Passed, []string{"its own v1", "west's v2", "north's v3", "expected share of 0.3333"}},
		{"north answers for west too", func(v string, _ int) string { return strings.Replace(v, "v2", "v3", 1) }, Failed, []string{"0 of 200 calls from east were answered by west's v2", "north's v3"}},
		{"north answers none", func(v string, n int) string {
			if v == "v3" {
				return []string{"v1", "v2"}[n%2]
			}
			return v
		}, Failed, []string{"0 of 200 calls from east were answered by north's v3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := load(t, three)
			replies(run, tc.change)
			for _, f := range Judge(run) {
				if f.Claim != "split-balanced" || f.Subject != "east to west and north" {
					continue
				}
				if f.Verdict != tc.want {
					t.Errorf("%s, want %s: %s", f.Verdict, tc.want, f.Reason)
				}
				for _, want := range tc.says {
					if !strings.Contains(f.Reason, want) {
						t.Errorf("%q does not say %q", f.Reason, want)
					}
				}
				shares, _ := f.Measured["shares"].(map[string]any)
				if len(shares) != 3 {
					t.Errorf("the shares of %d clusters are measured, want 3", len(shares))
				}
			}
		})
	}
}

func TestFalseFailRateOfThreeClusters(t *testing.T) {
	run := load(t, three)
	if got, most := FalseFailRate(run), 9*run.Intent.Alpha+secondChance(run.Intent); got <= 0 || got > most {
		t.Errorf("the rate is %g: want the sum of nine checks, at most %g", got, most)
	}
}
