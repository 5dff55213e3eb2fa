package report

import (
	"encoding/xml"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestJUnitTellsTheFourVerdictsApart(t *testing.T) {
	finding := func(id string, level claim.Level, v claim.Verdict) claim.Finding {
		return claim.Finding{Claim: id, Level: level, Area: claim.Gateway, Subject: "east", Verdict: v, Reason: "because"}
	}
	body, err := junitXML(Findings{Findings: []claim.Finding{
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
	if got.Tests != 5 || got.Failures != 1 || got.Errors != 1 || got.TestSuites[0].Skipped != 2 {
		t.Errorf("tests %d failures %d errors %d skipped %d, want 5 1 1 2", got.Tests, got.Failures, got.Errors, got.TestSuites[0].Skipped)
	}
	cases := got.TestSuites[0].TestCases
	if cases[1].Failure == nil || cases[2].Error == nil || cases[3].Skipped == nil || cases[4].Skipped == nil || cases[4].Failure != nil {
		t.Errorf("cases %+v: each verdict must have its own element, and an extended claim is never a failure", cases)
	}
}
