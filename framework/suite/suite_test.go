package suite

import (
	"errors"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

func TestHold(t *testing.T) {
	finding := func(level claim.Level, v claim.Verdict) claim.Finding {
		return claim.Finding{Claim: "gateway-address", Subject: "east", Level: level, Verdict: v, Reason: "no address", Evidence: []string{"10-joined/east/kubernetes.json"}}
	}
	for _, tc := range []struct {
		name  string
		found []claim.Finding
		want  bool
	}{
		{"passed", []claim.Finding{finding(claim.Core, claim.Passed)}, true},
		{"one failed", []claim.Finding{finding(claim.Core, claim.Passed), finding(claim.Core, claim.Failed)}, false},
		{"inconclusive is no pass", []claim.Finding{finding(claim.Core, claim.Inconclusive)}, false},
		{"a skipped core claim is no pass", []claim.Finding{finding(claim.Core, claim.Skipped)}, false},
		{"extended is reported only", []claim.Finding{finding(claim.Extended, claim.Failed)}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Hold().Match(tc.found)
			if err != nil || got != tc.want {
				t.Errorf("holds: %v, %v; want %v", got, err, tc.want)
			}
			if !tc.want {
				message := Hold().FailureMessage(tc.found)
				for _, part := range []string{"gateway-address", "east", "no address", "kubernetes.json"} {
					if !strings.Contains(message, part) {
						t.Errorf("message %q does not say %q", message, part)
					}
				}
			}
		})
	}
	if _, err := Hold().Match("a string"); err == nil {
		t.Error("a string was accepted as findings")
	}
}

func TestFindingsOfAClaimThatWasNeverJudged(t *testing.T) {
	env := &Env{Err: errors.New("no engine")}
	found := env.Findings("split-balanced")
	if len(found) != 1 || found[0].Verdict != claim.Inconclusive || !strings.Contains(found[0].Reason, "no engine") {
		t.Errorf("findings %+v, want one inconclusive that names the error", found)
	}
	env.Outcome = session.Outcome{Findings: report.Findings{Findings: []claim.Finding{{Claim: "a"}, {Claim: "b"}, {Claim: "a"}}}}
	if got := len(env.Findings("a")); got != 2 {
		t.Errorf("%d findings of claim a, want 2", got)
	}
}
