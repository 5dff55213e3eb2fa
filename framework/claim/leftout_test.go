package claim

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// What is left out is skipped whether it would have passed or failed, and takes no other finding along.
func TestLeftOutIsSkippedAndNeverPassed(t *testing.T) {
	for name, spoil := range map[string]func(evidence.Run){
		"healthy": func(evidence.Run) {},
		"broken":  func(run evidence.Run) { example.Answer(run, east, func(int) string { return "v1" }) },
	} {
		t.Run(name, func(t *testing.T) {
			whole, part := example.Healthy(), example.Healthy()
			spoil(whole)
			spoil(part)
			part.Intent.LeftOut = map[string]string{"split-balanced": "--skip balanced"}
			all, some := Judge(whole), Judge(part)
			if len(all) != len(some) {
				t.Fatalf("%d findings, want %d", len(some), len(all))
			}
			for i, f := range some {
				if f.Claim != "split-balanced" {
					if !reflect.DeepEqual(f, all[i]) {
						t.Errorf("%s (%s) is another finding: %+v", f.Claim, f.Subject, f)
					}
					continue
				}
				want := Finding{Claim: f.Claim, Level: Extended, Area: Split, Guide: f.Guide, Sentence: f.Sentence, Subject: all[i].Subject,
					Verdict: Skipped, LeftOut: true, Reason: "left out: --skip balanced"}
				if !reflect.DeepEqual(f, want) {
					t.Errorf("%+v, want %+v", f, want)
				}
			}
		})
	}
}

func TestTheVerdictSaysHowMuchWasLeftOut(t *testing.T) {
	unbalanced := func(run evidence.Run) { example.Answer(run, east, func(int) string { return "v1" }) }
	whole := len(Asked(example.Healthy().Intent))
	for _, tc := range []struct {
		name    string
		left    []string
		spoil   func(evidence.Run)
		verdict Verdict
		says    []string
		not     string
	}{
		{"passed", []string{"sidecars", "common-root"}, nil, Passed, []string{"what was asked for holds", "; 2 claims were left out", "nothing is said of the mesh as a whole"}, "conforms"},
		{"failed", []string{"common-root"}, unbalanced, Failed, []string{"does not conform", "; 1 claims were left out"}, "asked for"},
		{"only extended ones left", ids(func(c Claim) bool { return c.Level == Core }), nil, Inconclusive, []string{"no core claim was judged"}, ""},
		{"nothing left out", nil, nil, Passed, []string{"the mesh conforms"}, "left out"},
	} {
		run := example.Healthy()
		run.Intent.LeftOut = map[string]string{}
		for _, id := range tc.left {
			run.Intent.LeftOut[id] = "--skip it"
		}
		if tc.spoil != nil {
			tc.spoil(run)
		}
		verdict, reason := Conclude(Judge(run))
		if verdict != tc.verdict || tc.not != "" && strings.Contains(reason, tc.not) {
			t.Errorf("%s: %s: %s", tc.name, verdict, reason)
		}
		for _, want := range tc.says {
			if !strings.Contains(reason, want) {
				t.Errorf("%s: %q does not say %q", tc.name, reason, want)
			}
		}
		if asked := Asked(run.Intent); len(tc.left) < 3 && len(asked) != whole-len(tc.left) {
			t.Errorf("%s: %d claims are asked for, want %d", tc.name, len(asked), whole-len(tc.left))
		}
	}
}

// A disruption's claim judges the whole joined mesh before and after it: what is left out for itself is judged there.
func TestLeavingOutHidesNothingFromADisruption(t *testing.T) {
	const id = "wrong-revision"
	for name, tc := range map[string]struct {
		version func(number int) string
		verdict Verdict
		reason  string
	}{
		"balanced":   {func(n int) string { return []string{"v1", "v2"}[n%2] }, Passed, "held again afterwards"},
		"unbalanced": {func(n int) string { return map[bool]string{true: "v2", false: "v1"}[n%30 == 0] }, Failed, "after the repair, split-balanced (east to west) failed"},
	} {
		run := example.Disrupted(id, spoilers()[id])
		run.Intent.LeftOut = map[string]string{"split-balanced": "--skip balanced"}
		after := evidence.Run{Intent: run.Intent, Epochs: map[string]evidence.Epoch{evidence.Joined: run.Epochs[evidence.Repaired(id)]}}
		after.Intent.Samples = run.Intent.DisruptionSamples
		for _, c := range after.Intent.Clusters {
			example.Cluster(after, c.Name).Traffic = nil
		}
		example.Answer(after, east, tc.version)
		example.Answer(after, west, func(n int) string { return []string{"v1", "v2"}[n%2] })
		if f := one(t, run, OfDisruption(id), "mesh"); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.reason) {
			t.Errorf("%s: %s: %s, want %s: ...%s...", name, f.Verdict, f.Reason, tc.verdict, tc.reason)
		}
	}
}

func TestAsked(t *testing.T) {
	in := intent.Intent{Mode: intent.Corrected, Disruptions: []string{"service-deleted"}}
	has := func(id string) bool {
		return slices.ContainsFunc(Asked(in), func(c Claim) bool { return c.ID == id })
	}
	for id, want := range map[string]bool{
		"gateway-address": true, OfDisruption("service-deleted"): true, OfDisruption("not-injected"): false, OfDisruption("node-cut-off"): false,
		"printed-flag": false, "denies-plaintext": false,
	} {
		if has(id) != want {
			t.Errorf("%s is asked for: %t, want %t", id, has(id), want)
		}
	}
}

func TestEveryDisruptionHasItsClaim(t *testing.T) {
	known := ids(func(Claim) bool { return true })
	for _, id := range slices.Concat(Disruptions(), Injections()) {
		if !slices.Contains(known, OfDisruption(id)) {
			t.Errorf("%s is done for claim %q, which is not there", id, OfDisruption(id))
		}
	}
	if OfDisruption("nonsense") != "" {
		t.Error("nonsense has a claim")
	}
}

func ids(which func(Claim) bool) []string {
	var all []string
	for _, c := range All() {
		if which(c) {
			all = append(all, c.ID)
		}
	}
	return all
}

// TestCallsAreThoseThatAClaimReads: without them it is not decided, and without all others it says the same.
func TestCallsAreThoseThatAClaimReads(t *testing.T) {
	whole, read := Judge(load(t, recorded)), map[string]bool{}
	of := func(id string, all []Finding) []Finding {
		return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Claim != id })
	}
	for _, purpose := range []string{evidence.GuideCalls, evidence.Second, evidence.Split} {
		run := load(t, recorded)
		for _, c := range run.Epochs[evidence.Joined].Clusters {
			c.Traffic = slices.DeleteFunc(c.Traffic, func(calls evidence.Traffic) bool { return calls.Purpose == purpose })
		}
		without := Judge(run)
		for _, c := range Asked(run.Intent) {
			before, after := of(c.ID, whole), of(c.ID, without)
			if slices.Contains(c.Calls, purpose) {
				read[purpose] = true
				if Worst(after) != Inconclusive {
					t.Errorf("%s reads the calls %s, and is %s without them", c.ID, purpose, Worst(after))
				}
			} else if !reflect.DeepEqual(before, after) {
				t.Errorf("%s does not say that it reads the calls %s, and without them is %+v", c.ID, purpose, after)
			}
		}
		if !read[purpose] {
			t.Errorf("no claim reads the calls %s", purpose)
		}
	}
}
