package report

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
)

func TestMatrix(t *testing.T) {
	a, b := other(t, func(f *Finished) {
		f.Findings.Verdict, f.Findings.Reason = claim.Failed, "it | broke"
		x := f.at(t, "gateway-address", "east")
		x.Verdict, x.Reason, x.Cause = claim.Failed, "no address", &claim.Cause{ID: "lb-pool-empty", Sentence: "It is empty.", Remedy: "Fill it."}
		f.conformance.Clusters[0].Kubernetes = "v2"
		f.Findings.Findings = append(f.Findings.Findings, claim.Finding{Claim: "of-tomorrow", Level: claim.Extended, Subject: "mesh", Verdict: claim.Passed})
	})
	without(&b, "common-root")
	m := Matrix([]Finished{a, b, a})
	if len(m.Runs) != 2 || m.Runs[0].ID != a.Findings.RunID || m.Runs[1].ID != "other" {
		t.Fatalf("runs %+v: a run that is given twice has one column", m.Runs)
	}
	ids := map[string]int{}
	for _, c := range m.Claims {
		ids[c.ID]++
		if ids[c.ID] > 1 || len(c.Verdicts) != 2 {
			t.Errorf("claim %+v is there twice, or has not one verdict a run", c)
		}
	}
	if len(ids) != len(claim.All())+1 || m.Claims[0].ID != claim.All()[0].ID || m.Claims[len(m.Claims)-1].ID != "of-tomorrow" {
		t.Errorf("%d claims from %s to %s", len(ids), m.Claims[0].ID, m.Claims[len(m.Claims)-1].ID)
	}
	got := MatrixMarkdown(m)
	for _, want := range []string{
		"| Verdict | ✅ passed | ❌ failed |\n", "| `gateway-address` | ✅ passed | ❌ failed |\n", "| `common-root` | ✅ passed | – |\n",
		"| `of-tomorrow` (extended) | – | ✅ passed |\n", "| east Kubernetes | `v1.37.2` | `v2` |\n",
		"- ❌ failed `other` `gateway-address` (east): no address **Cause `lb-pool-empty`:** It is empty. **What to do:** Fill it.\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the matrix lacks %q:\n%s", want, got)
		}
	}
	for _, f := range m.Facts {
		if want := f.Name == "east Kubernetes"; f.Differs != want || strings.Join(f.Values, "") == "" {
			t.Errorf("%+v: only east's Kubernetes differs, and nothing empty is told", f)
		}
	}
}
