package claim

import (
	"strings"
	"testing"
)

func TestConclude(t *testing.T) {
	f := func(v Verdict, l Level) Finding {
		return Finding{Claim: "c-" + string(v), Subject: "east", Verdict: v, Level: l, Reason: "because"}
	}
	withCause := f(Failed, Core)
	withCause.Claim, withCause.Cause = "later", &Cause{ID: "x", Sentence: "the roots differ."}
	long := f(Inconclusive, Core)
	long.Reason = strings.Repeat("é", 301)
	after := f(Inconclusive, Core)
	after.Reason = "nothing was seen: the run stopped at step P1 (bring the images), whose error is with the claim procedure"
	for _, tc := range []struct {
		name    string
		all     []Finding
		verdict Verdict
		code    int
		reason  string
	}{
		{"nothing", nil, Inconclusive, 3, "nothing"},
		{"extended ones only", []Finding{f(Passed, Extended)}, Inconclusive, 3, "no core claim"},
		{"passed", []Finding{f(Passed, Core), f(Passed, Core)}, Passed, 0, "all 1 core claims hold (2 findings)"},
		{"extended failed", []Finding{f(Passed, Core), f(Failed, Extended)}, Passed, 0, "conforms"},
		{"inconclusive", []Finding{f(Passed, Core), f(Inconclusive, Core)}, Inconclusive, 3, "c-inconclusive (east): because"},
		{"skipped", []Finding{f(Passed, Core), f(Skipped, Core)}, Inconclusive, 3, "c-skipped"},
		{"failed before inconclusive", []Finding{f(Inconclusive, Core), f(Failed, Core)}, Failed, 1, "c-failed"},
		{"extended ones do not count", []Finding{f(Passed, Core), f(Failed, Core), f(Failed, Extended), f(Skipped, Extended)}, Failed, 1, "1 of 2 core findings failed"},
		{"nor do they among open ones", []Finding{f(Passed, Core), f(Inconclusive, Core), f(Skipped, Core), f(Skipped, Extended)}, Inconclusive, 3, "2 of 3 core findings are open"},
		{"what follows from the stop comes last", []Finding{after, f(Inconclusive, Core)}, Inconclusive, 3, "among them c-inconclusive (east): because"},
		{"all follow from the stop", []Finding{after, after}, Inconclusive, 3, "the first is c-inconclusive (east): nothing was seen"},
		{"a reason that is a list", []Finding{long}, Inconclusive, 3, strings.Repeat("é", 300) + " …"},
		{"the cause comes first", []Finding{f(Failed, Core), withCause}, Failed, 1, "later (east), because the roots differ"},
	} {
		verdict, reason := Conclude(tc.all)
		if code := ExitCode(tc.all); verdict != tc.verdict || code != tc.code || !strings.Contains(reason, tc.reason) {
			t.Errorf("%s: %s, %d: %q; want %s, %d: ...%s...", tc.name, verdict, code, reason, tc.verdict, tc.code, tc.reason)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, tc := range []struct {
		all  []Verdict
		want Verdict
	}{
		{nil, ""},
		{[]Verdict{Passed}, Passed},
		{[]Verdict{Passed, Skipped}, Skipped},
		{[]Verdict{Inconclusive, Skipped}, Inconclusive},
		{[]Verdict{Passed, Failed, Inconclusive}, Failed},
	} {
		var all []Finding
		for _, v := range tc.all {
			all = append(all, Finding{Verdict: v, Level: Extended})
		}
		if got := Worst(all); got != tc.want {
			t.Errorf("worst of %v is %q, not %q", tc.all, got, tc.want)
		}
	}
}
