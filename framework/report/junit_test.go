package report

import (
	"encoding/xml"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func TestJUnitTellsTheFourVerdictsApart(t *testing.T) {
	finding := func(id string, level claim.Level, v claim.Verdict) claim.Finding {
		return claim.Finding{Claim: id, Level: level, Area: claim.Gateway, Subject: "east", Verdict: v, Reason: "because"}
	}
	body, err := junitXML(Findings{Verdict: claim.Failed, Reason: "the mesh does not conform", Findings: []claim.Finding{
		finding("passed", claim.Core, claim.Passed), finding("failed", claim.Core, claim.Failed),
		finding("inconclusive", claim.Core, claim.Inconclusive), finding("skipped", claim.Core, claim.Skipped),
		finding("extended", claim.Extended, claim.Failed),
	}}, evidence.Run{Steps: []evidence.Step{{Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}})
	if err != nil {
		t.Fatal(err)
	}
	var got reporters.JUnitTestSuites
	if err := xml.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 6 || got.Failures != 2 || got.Errors != 1 || got.TestSuites[1].Skipped != 2 {
		t.Errorf("tests %d failures %d errors %d skipped %d, want 6 2 1 2", got.Tests, got.Failures, got.Errors, got.TestSuites[1].Skipped)
	}
	if verdict := got.TestSuites[0]; verdict.Timestamp == "" || len(verdict.TestCases) != 1 || verdict.TestCases[0].Failure == nil || verdict.TestCases[0].Failure.Message != "the mesh does not conform" {
		t.Errorf("the verdict's suite is %+v", verdict)
	}
	cases := got.TestSuites[1].TestCases
	if cases[1].Failure == nil || cases[2].Error == nil || cases[3].Skipped == nil || cases[4].Skipped == nil || cases[4].Failure != nil {
		t.Errorf("cases %+v: each verdict must have its own element, and an extended claim is never a failure", cases)
	}
}

// TestJUnitIsGreenWhereTheRunPassed: what was expected of the guide's printed text turns no viewer red, and what was expected and not
// found does.
func TestJUnitIsGreenWhereTheRunPassed(t *testing.T) {
	networks := claim.Finding{Claim: "printed-networks", Level: claim.Core, Area: claim.Gateway, Subject: "mesh", Verdict: claim.Failed, Reason: "one name", Finding: "F1"}
	calls := claim.Finding{Claim: "split-replies", Level: claim.Core, Area: claim.Gateway, Subject: "east", Verdict: claim.Failed, Reason: "500", Cause: &claim.Cause{ID: "same-network"}}
	other := claim.Finding{Claim: "sidecars", Level: claim.Core, Area: claim.Gateway, Subject: "east", Verdict: claim.Failed, Reason: "none"}
	found := networks
	found.Verdict = claim.Passed
	for name, tc := range map[string]struct {
		found []claim.Finding
		red   int
	}{
		"as expected":            {[]claim.Finding{networks, calls}, 0},
		"expected and not there": {[]claim.Finding{found}, 1},
		"more than expected":     {[]claim.Finding{networks, other}, 2},
	} {
		run := evidence.Run{Intent: intent.Intent{Expect: []string{"F1"}}}
		f := Findings{Findings: tc.found}
		f.Verdict, f.Reason = claim.Conclude(f.Findings, run.Intent.Expect...)
		body, err := junitXML(f, run)
		if err != nil {
			t.Fatal(err)
		}
		var got reporters.JUnitTestSuites
		if err := xml.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if got.Failures+got.Errors != tc.red || (tc.red == 0) != (f.Verdict == claim.Passed) {
			t.Errorf("%s (%s): %d cases are red, want %d", name, f.Verdict, got.Failures+got.Errors, tc.red)
		}
	}
}

// TestJUnitTellsTheRunsTime: from the first step's start to the last end, also where steps overlap; no claim gets a share of it.
func TestJUnitTellsTheRunsTime(t *testing.T) {
	at := func(second int, took float64) evidence.Step {
		return evidence.Step{Started: time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC), Seconds: took}
	}
	for name, tc := range map[string]struct {
		steps []evidence.Step
		want  float64
	}{
		"no step":             {nil, 0},
		"one":                 {[]evidence.Step{at(5, 1.25)}, 1.25},
		"one after the other": {[]evidence.Step{at(5, 1), at(10, 2)}, 7},
		"one within another":  {[]evidence.Step{at(5, 9), at(6, 2)}, 9},
		"one not performed":   {[]evidence.Step{at(5, 1), {Skipped: "--from expose"}}, 1},
		"not in order":        {[]evidence.Step{at(6, 2), at(5, 1)}, 3},
	} {
		body, err := junitXML(Findings{Verdict: claim.Passed, Findings: []claim.Finding{{Claim: "a", Area: claim.Gateway, Verdict: claim.Passed}}}, evidence.Run{Steps: tc.steps})
		if err != nil {
			t.Fatal(err)
		}
		var got reporters.JUnitTestSuites
		if err := xml.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		verdict, claims := got.TestSuites[0], got.TestSuites[1]
		if got.Time != tc.want || verdict.Time != tc.want || verdict.TestCases[0].Time != tc.want || claims.Time != 0 || claims.TestCases[0].Time != 0 {
			t.Errorf("%s: run %v, verdict %v and %v, want %v; claims %v, want 0", name, got.Time, verdict.Time, verdict.TestCases[0].Time, tc.want, claims.Time)
		}
	}
}
