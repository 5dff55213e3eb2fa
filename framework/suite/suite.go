// Package suite is the only one in framework/ that knows Ginkgo: it hands each spec of the tree its findings, and gives the
// matcher that reads them.
package suite

import (
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega/types"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

// Env carries one finished run through the tree. The run is no spec and does not run under Ginkgo: no focus, label,
// shuffle, rerun or time limit of the test runner can drop or cut it, and everything that is judged is judged by then.
type Env struct {
	// Outcome is what the run came to, Err what went wrong on the way.
	Outcome session.Outcome
	Err     error
}

// Findings gives the findings of one claim; never none once the run has an outcome.
func (e *Env) Findings(claimID string) []claim.Finding {
	var found []claim.Finding
	for _, f := range e.Outcome.Findings.Findings {
		if f.Claim == claimID {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		found = append(found, claim.Finding{Claim: claimID, Subject: "mesh", Verdict: claim.Inconclusive,
			Reason: fmt.Sprintf("the run ended before this claim was judged: %v", e.Err)})
	}
	return found
}

// Labels of a claim's spec: its level, its area and its id, and "disruptive" when the mesh is changed for it.
func Labels(c claim.Claim) ginkgo.Labels {
	labels := ginkgo.Labels{string(c.Level), string(c.Area), c.ID}
	if c.Disruptive {
		labels = append(labels, "disruptive")
	}
	return labels
}

// SkipIfNotClaimed skips the spec when every finding says that the mesh does not claim this.
func SkipIfNotClaimed(found []claim.Finding) {
	for _, f := range found {
		if f.Verdict != claim.Skipped {
			return
		}
	}
	ginkgo.Skip(found[0].Reason, 1)
}

// Hold succeeds when every finding passed. An extended claim holds whatever its verdict is: it is reported only.
func Hold() types.GomegaMatcher { return holds{} }

type holds struct{}

func (holds) Match(actual any) (bool, error) {
	found, ok := actual.([]claim.Finding)
	if !ok {
		return false, fmt.Errorf("hold takes []claim.Finding, not %T", actual)
	}
	for _, f := range found {
		if f.Verdict != claim.Passed && f.Level != claim.Extended {
			return false, nil
		}
	}
	return true, nil
}

func (holds) FailureMessage(actual any) string {
	var lines []string
	for _, f := range actual.([]claim.Finding) {
		if f.Verdict == claim.Passed {
			continue
		}
		lines = append(lines, report.Sentence(f))
		if len(f.Evidence) > 0 {
			lines = append(lines, "  evidence: "+strings.Join(f.Evidence, ", "))
		}
	}
	return strings.Join(lines, "\n")
}

func (holds) NegatedFailureMessage(any) string {
	return "every finding passed, and was expected not to"
}
