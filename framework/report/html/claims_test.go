package html

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
)

func TestClaimsTellFirstWhatNeedsAReader(t *testing.T) {
	finding := func(id, subject string, v claim.Verdict, reason string) claim.Finding {
		return claim.Finding{Claim: id, Level: claim.Core, Area: claim.Setup, Subject: subject, Verdict: v, Reason: reason}
	}
	extended := func(f claim.Finding) claim.Finding {
		f.Level = claim.Extended
		return f
	}
	all := areas(Page{Findings: []claim.Finding{
		finding("fine", "east", claim.Passed, "good"), finding("fine", "west", claim.Passed, "good"),
		finding("unclear", "mesh", claim.Inconclusive, "no answer"),
		extended(finding("aside", "mesh", claim.Failed, "a panic")),
		finding("mixed", "east", claim.Passed, "good"), finding("mixed", "west", claim.Failed, "it is off"),
		finding("a", "mesh", claim.Inconclusive, "the same"), finding("b", "mesh", claim.Inconclusive, "the same"), finding("c", "mesh", claim.Inconclusive, "the same"),
		finding("s1", "mesh", claim.Failed, "alike"), finding("s2", "mesh", claim.Failed, "alike"), finding("s3", "mesh", claim.Failed, "alike"),
		finding("after", "mesh", claim.Inconclusive, "nothing was seen: the run stopped at step P3 (x)"),
		extended(finding("unasked", "mesh", claim.Skipped, "not tried")), finding("withheld", "mesh", claim.Skipped, "not judged"),
	}})
	var got []string
	for _, a := range all {
		for _, c := range a.Claims {
			got = append(got, a.Name+": "+c.ID+map[bool]string{true: " open"}[c.Open])
		}
		for _, c := range a.Aside {
			got = append(got, a.Name+" aside: "+c.ID)
		}
	}
	want := []string{
		"What failed: mixed open", "What failed: s1", "What failed: s2", "What failed: s3", "What failed: aside open", "What could not be told: unclear open", "What was not judged: withheld open",
		"setup: fine", "setup: a", "setup: b", "setup: c", "setup: after", "setup aside: unasked",
	}
	if !slices.Equal(got, want) {
		t.Errorf("claims\n%q, want\n%q", got, want)
	}
	mixed := all[0].Claims[0]
	if mixed.Mark.Word != "failed" || mixed.Subjects[0].Name != "west" {
		t.Errorf("a claim that failed on west is marked %s, and tells of %s first", mixed.Mark.Word, mixed.Subjects[0].Name)
	}
	if marks := all[0].Marks; len(marks) != 1 || marks[0].N != 5 {
		t.Errorf("what failed is counted %+v, want the five that failed", marks)
	}
}

func TestACauseIsToldInFullOnce(t *testing.T) {
	because := func(id, sentence string) claim.Finding {
		return claim.Finding{Claim: id, Subject: "mesh", Verdict: claim.Failed, Reason: "off", Cause: &claim.Cause{ID: "dns", Sentence: sentence, Remedy: "Mend the names."}}
	}
	text := parse(t, render(t, Page{Verdict: claim.Failed, Reason: "why", Findings: []claim.Finding{because("a", "no name"), because("b", "no name"), because("c", "no other name")}})).text
	for _, words := range []string{"no name", "no other name", "mend the names."} {
		if got := strings.Count(strings.ToLower(text), words); got != 1 {
			t.Errorf("%q is on the page %d times, want once", words, got)
		}
	}
}

func TestAReasonIsToldAtFullLengthOnce(t *testing.T) {
	long := strings.Repeat("the wheel came off, ", 20) + "at last"
	found := []claim.Finding{{Claim: "a", Verdict: claim.Failed, Reason: long}, {Claim: "b", Verdict: claim.Failed, Reason: "again " + long}}
	views := claimViews(Page{Reason: "the mesh does not conform: " + long, Findings: found})
	if r := views[0].Subjects[0].Reason; len(r.Head)+len(r.Tail) > toldAgain || r.All == "" {
		t.Errorf("the reason that the top of the page tells stands whole again: %q", r.Head)
	}
	if r := views[1].Subjects[0].Reason; r.All != "" {
		t.Errorf("another reason is cut: %q", r.Head)
	}
}

func TestCountsLeadToWhatTheyCount(t *testing.T) {
	finding := func(id string, l claim.Level, v claim.Verdict) claim.Finding {
		return claim.Finding{Claim: id, Level: l, Subject: "mesh", Verdict: v, Reason: "reason " + id}
	}
	v := newView(Page{Findings: []claim.Finding{
		finding("a", claim.Core, claim.Passed), finding("b", claim.Extended, claim.Passed), finding("c", claim.Core, claim.Failed), finding("d", claim.Extended, claim.Failed),
		finding("e", claim.Extended, claim.Inconclusive), finding("f", claim.Extended, claim.Skipped),
	}})
	for i, want := range []struct{ to, aside string }{{"", ""}, {"failed", "(1 of extended claims)"}, {"inconclusive", "of extended claims, which decide nothing"}, {"", "of extended claims"}} {
		if got := v.Counts[i]; got.To != want.to || got.Aside != want.aside {
			t.Errorf("%s leads to %q and says %q, want %+v", got.Label, got.To, got.Aside, want)
		}
	}
}
