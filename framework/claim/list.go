package claim

import (
	"fmt"
	"slices"

	"github.com/meshproof/meshproof/framework/evidence"
)

// All gives every claim, in the order of the report.
func All() []Claim {
	var all []Claim
	for _, r := range slices.Concat(setupRules(), logRules(), gatewayRules(), discoveryRules(), createMeshRules(), identityRules(), denialRules(), otherFleetRules(), disruptionRules(), secondRules(), splitRules(), injectionRules(), lifecycleRules(), panicRules(), printedRules()) {
		all = append(all, r.claim())
	}
	return all
}

// Judge judges every claim over all evidence of a run, in the order of All. Equal evidence gives equal findings.
func Judge(run evidence.Run) []Finding {
	var all []Finding
	for _, c := range All() {
		all = append(all, judge(c, run)...)
	}
	return all
}

// judge keeps a mistake in one Judge from taking the others' findings along: the evidence may be of any shape.
func judge(c Claim, run evidence.Run) (found []Finding) {
	defer func() {
		if r := recover(); r != nil {
			found = []Finding{{Claim: c.ID, Level: c.Level, Area: c.Area, Guide: c.Guide, Sentence: c.Sentence, Subject: "mesh",
				Verdict: Inconclusive, Reason: fmt.Sprintf("the evidence has a shape that this claim cannot judge: %v", r)}}
		}
	}()
	return c.Judge(run)
}
