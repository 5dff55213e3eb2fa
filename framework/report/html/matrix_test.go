package html

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
)

func matrix(t *testing.T, change func(*Matrix)) string {
	t.Helper()
	m := Matrix{
		Runs:   []MatrixRun{{ID: "one", Began: "today", Verdict: claim.Passed, Reason: "well"}, {ID: "two", Verdict: claim.Failed, Reason: "broken"}},
		Facts:  []MatrixFact{{Name: "Kubernetes", Values: []string{"v1", "v2"}, Differs: true}, {Name: "mode", Values: []string{"literal", "literal"}}},
		Claims: []MatrixClaim{{ID: "a", Area: claim.Setup, Sentence: "It is.", Verdicts: []claim.Verdict{claim.Passed, claim.Failed}}, {ID: "b", Extended: true, Verdicts: []claim.Verdict{"", claim.Skipped}}},
		Open: []MatrixOpen{{Run: "two", Finding: claim.Finding{Claim: "a", Subject: "west", Verdict: claim.Failed, Reason: "no address",
			Cause: &claim.Cause{ID: "lb-pool-empty", Sentence: "Empty.", Remedy: "Fill it."}}}},
	}
	change(&m)
	var out bytes.Buffer
	if err := RenderMatrix(&out, m); err != nil {
		t.Fatal(err)
	}
	mustBeAlone(t, out.String())
	mustBeWellFormed(t, out.String())
	return out.String()
}

func TestMatrixPage(t *testing.T) {
	page := matrix(t, func(*Matrix) {})
	_, text, _ := strings.Cut(strings.Join(strings.Fields(parse(t, page).text), ""), "anemptyplace")
	for _, want := range []string{
		"Verdict✓passed✕failed", "one✓passedwell.two✕failedbroken.", "Kubernetesdiffersv1v2", "modeliteralliteral", "asetup✓passed✕failedItis.", "bextended–skipped",
		"✕failedtwoawest:noaddress", "Causelb-pool-empty:Empty.WhattodoFillit.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
	if text := parse(t, matrix(t, func(m *Matrix) { m.Open = nil })).text; strings.Contains(text, "not passed") {
		t.Error("a matrix of runs that passed tells what is not passed")
	}
}

func TestHostileTextsAreNoMarkupInTheMatrix(t *testing.T) {
	for _, hostile := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><script>alert(1)</script>`, `</title><b>`, "{{.}}"} {
		page := matrix(t, func(m *Matrix) { fill(reflect.ValueOf(m).Elem(), hostile) })
		if !strings.Contains(parse(t, page).text, hostile) {
			t.Errorf("%q is not on the page as text", hostile)
		}
	}
}
