package claim

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// TestRecordedSymptoms judges the mesh as it was seen with each disruption in force as if nothing had been done to it: the claims
// that must show it fail, and those that have nothing to do with it hold.
func TestRecordedSymptoms(t *testing.T) {
	subjects := map[string]string{"1": east, "2": west, "1>2": eastToWest, "2>1": "west to east", "mesh": "mesh"}
	for _, d := range disruptions() {
		run := recordedDisruptive(t)
		run.Epochs[evidence.Joined] = run.Epochs[evidence.Broken(d.id)]
		run.Intent.Samples = run.Intent.DisruptionSamples
		for want, all := range map[Verdict][]about{Failed: d.breaks, Passed: d.keeps} {
			for _, a := range all {
				if f := one(t, run, a.claim, subjects[a.subject]); f.Verdict != want {
					t.Errorf("with %s in force, %s (%s): %s: %s", d.id, a.claim, f.Subject, f.Verdict, f.Reason)
				}
			}
		}
	}
}

// TestNoRecordedFileNoPass takes each file away that a finding about the joined or the removed mesh names, one by one.
func TestNoRecordedFileNoPass(t *testing.T) {
	for _, r := range allRules() {
		if r.Disruptive {
			continue // TestRecordedDisruptionsSpoiled and TestRecordedRecoveriesSpoiled have them
		}
		f := r.claim().Judge(recordedDisruptive(t))[0] // one subject stands for the others
		if f.Verdict != Passed {
			continue
		}
		for _, file := range f.Evidence {
			var epochs []string
			if epoch, _, in := strings.Cut(file, "/"); in {
				epochs = append(epochs, epoch)
			}
			run := recordedDisruptive(t, epochs...)
			if got := one(t, example.Without(run, file), f.Claim, f.Subject); got.Verdict != Inconclusive || !strings.Contains(got.Reason, file) {
				t.Errorf("%s (%s) without %s: %s: %s", f.Claim, f.Subject, file, got.Verdict, got.Reason)
			}
		}
	}
}
