package claim

import (
	"slices"
	"sync"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// All gives every claim, in the order of the report.
func All() []Claim {
	var all []Claim
	for _, r := range allRules() {
		all = append(all, r.claim())
	}
	return all
}

func allRules() []rule { return rulesOnce() }

// rulesOnce: causes look a claim up for every finding.
var rulesOnce = sync.OnceValue(func() []rule {
	return slices.Concat(setupRules(), logRules(), gatewayRules(), discoveryRules(), createMeshRules(), identityRules(), denialRules(), otherFleetRules(),
		disruptionRules(), secondRules(), splitRules(), injectionRules(), lifecycleRules(), panicRules(), printedRules())
})

// Judge judges every claim over all evidence of a run, in the order of All. Equal evidence gives equal findings. What the run
// was asked not to judge is skipped.
func Judge(run evidence.Run) []Finding {
	var all []Finding
	for _, c := range All() {
		found := c.Judge(run)
		if why, is := run.Intent.LeftOut[c.ID]; is {
			found = leftOut(found, why)
		}
		all = append(all, found...)
	}
	return all
}

// leftOut gives the findings of a claim that is not judged, on the subjects that it would have been judged on. They do not count
// towards the verdict.
func leftOut(found []Finding, why string) []Finding {
	var all []Finding
	for _, f := range found {
		all = append(all, Finding{Claim: f.Claim, Level: Extended, Area: f.Area, Guide: f.Guide, Sentence: f.Sentence, Subject: f.Subject,
			Verdict: Skipped, LeftOut: true, Reason: "left out: " + why})
	}
	return all
}

// Asked gives the claims that a run with that intent judges.
func Asked(in intent.Intent) []Claim {
	var all []Claim
	for _, r := range allRules() {
		if _, out := in.LeftOut[r.ID]; !out && r.notAsked(in) == "" && r.withheld(in) == "" {
			all = append(all, r.claim())
		}
	}
	return all
}
