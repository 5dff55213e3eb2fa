package claim

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// only makes of a healthy run what a run that only reads would have of it.
func only() evidence.Run {
	run := example.Healthy()
	run.Intent.ReadOnly, run.Intent.Handshakes, run.Intent.Certificates, run.Intent.SecondCalls = true, false, false, 0
	delete(run.Epochs, evidence.Removed)
	for i := range run.Steps {
		run.Steps[i].Skipped = "--read-only"
	}
	for _, c := range run.Epochs[evidence.Joined].Clusters {
		c.Traffic, c.Dials, c.Handshakes = nil, nil, nil
	}
	return run
}

// onlyNoSample takes the sample away too.
func onlyNoSample() evidence.Run {
	run := only()
	run.Intent.NoSample = true
	empty := example.Healthy().Epochs[evidence.Removed]
	empty.Name = evidence.Joined
	run.Epochs[evidence.Joined] = empty
	return run
}

// TestReadOnly: nothing that needs traffic, a probe or a step is ever passed; all else is judged; and the run is no pass.
func TestReadOnly(t *testing.T) {
	acting := []string{"procedure", "gateway-reached", "guide-calls", "split-replies", "split-accounted", "split-balanced", "served-by-peer",
		"crossed-by-gateway", "sample-removed", "endpoints-withdrawn"}
	ofSample := []string{"sidecars", "namespace-labelled", "gateway-exposes", "gateway-backend-healthy", "endpoints-across-gateway", "lb-policy", "endpoints-shared"}
	for name, tc := range map[string]struct {
		run     evidence.Run
		skipped []string
	}{
		"with the sample":    {only(), acting},
		"without the sample": {onlyNoSample(), slices.Concat(acting, ofSample)},
	} {
		t.Run(name, func(t *testing.T) {
			all := Judge(tc.run)
			for _, f := range all {
				held := slices.Contains(tc.skipped, f.Claim)
				switch {
				case f.Claim == "denies-plaintext" && (f.Verdict != Skipped || !strings.HasPrefix(f.Reason, "--read-only: ")):
					t.Errorf("%s (%s) is %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
				case f.Level != Core && f.Verdict == Skipped:
				case held && (f.Verdict != Skipped || !strings.HasPrefix(f.Reason, "--read-only: ")):
					t.Errorf("%s (%s) is %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
				case !held && f.Level == Core && f.Verdict != Passed:
					t.Errorf("%s (%s) is %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
				}
			}
			if verdict, reason := Conclude(all); verdict != Inconclusive || !strings.Contains(reason, "--read-only") {
				t.Errorf("%s: %s", verdict, reason)
			}
		})
	}
	run := only()
	example.Cluster(run, east).Kubernetes.Services = nil
	if verdict, reason := Conclude(Judge(run)); verdict != Failed {
		t.Errorf("a gateway without a service is %s: %s", verdict, reason)
	}
}

// TestStepsThatWereFoundDone: a run that begins later is asked for the others only.
func TestStepsThatWereFoundDone(t *testing.T) {
	for _, tc := range []struct {
		from    string
		skipped []string
		verdict Verdict
		says    string
	}{
		{"join", []string{"S6", "S7"}, Passed, "but for S6, S7, which the run found done (--from join)"},
		{"expose", []string{"S6"}, Passed, "but for S6,"},
		{"expose", []string{"S6", "S7"}, Inconclusive, "step S7 is not in"},
		{"", []string{"S6"}, Inconclusive, "step S6 is not in"},
		{"", nil, Passed, "all steps from S1 to S13 did what they should"},
	} {
		run := example.Healthy()
		run.Intent.From = intent.Begin(tc.from)
		for i := range run.Steps {
			if slices.Contains(tc.skipped, run.Steps[i].ID) {
				run.Steps[i].Skipped = "--from " + tc.from
			}
		}
		if f := one(t, run, "procedure", "mesh"); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.says) {
			t.Errorf("--from %q without %v: %s: %s", tc.from, tc.skipped, f.Verdict, f.Reason)
		}
	}
}
