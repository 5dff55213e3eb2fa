package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func TestSummaryOfTheRecordedMesh(t *testing.T) {
	f, run, err := JudgeDir("../claim/testdata/healthy")
	if err != nil {
		t.Fatal(err)
	}
	got := Summary(f, run)
	for _, want := range []string{
		"## ✅ meshproof: passed", f.Reason, "| | east | west |", "| Kubernetes | `v1.37.2` | `v1.37.2` |", "| east to west | v1 ", "230 to 370 own replies",
		"Run `" + f.RunID + "`, platform `kind`, CA `istio-ca`, mode `corrected`",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the summary lacks %q:\n%s", want, got)
		}
	}
}

func TestSummaryOfOpenFindings(t *testing.T) {
	finding := func(id, subject string, v claim.Verdict, level claim.Level, reason string) claim.Finding {
		return claim.Finding{Claim: id, Subject: subject, Verdict: v, Level: level, Reason: reason, Guide: "S6"}
	}
	bad := finding("common-root", "mesh", claim.Failed, claim.Core, "two roots")
	bad.Cause = &claim.Cause{ID: "different-roots", Sentence: "The roots differ.", Remedy: "Use one."}
	f := Findings{Verdict: claim.Failed, Reason: "it failed", Findings: []claim.Finding{
		finding("first", "east", claim.Inconclusive, claim.Core, "the run stopped"), finding("second", "west", claim.Inconclusive, claim.Extended, "the run stopped"), bad,
		finding("fine", "east", claim.Passed, claim.Core, "it is well"),
	}}
	got := Summary(f, evidence.Run{Intent: intent.Intent{Planted: []string{"different-roots"}}})
	for _, want := range []string{
		"❌ meshproof: failed", "> **Cause `different-roots`:** The roots differ.", "> **What to do:** Use one.", "planted different-roots on purpose",
		"| `common-root` | mesh | ❌ failed | S6 | two roots |\n| `first`, `second` (extended) | east, west | ❔ inconclusive |  | the run stopped |",
		"1 passed, 1 failed, 2 inconclusive, 0 skipped",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the summary lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "it is well") {
		t.Error("the summary tells a finding that passed")
	}
}

func TestSummaryIsShort(t *testing.T) {
	f := Findings{Verdict: claim.Failed, Reason: strings.Repeat("long ", 1000)}
	for n := range 500 {
		f.Findings = append(f.Findings, claim.Finding{Claim: "c", Verdict: claim.Failed, Reason: fmt.Sprintf("%d %s", n, strings.Repeat("word ", 500))})
	}
	got := Summary(f, evidence.Run{})
	if len(got) > 16<<10 || !strings.Contains(got, "not listed here: 480") {
		t.Errorf("%d bytes for 500 findings; the rest must be counted", len(got))
	}
}

func TestSummaryTakesNoTextAsMarkup(t *testing.T) {
	for hostile, want := range map[string]string{
		"<img src=x>":              "&lt;img src=x&gt;",
		"a|b":                      `a\|b`,
		"[click](https://evil.ex)": `\[click\](https&#58;//evil.ex)`,
		"`code` *bold* _it_":       "\\`code\\` \\*bold\\* \\_it\\_",
		"one\n# two\n| three":      `one \# two \| three`,
		"@somebody":                "&#64;somebody",
	} {
		f := Findings{Verdict: claim.Failed, Findings: []claim.Finding{{Claim: hostile, Subject: hostile, Verdict: claim.Failed, Reason: hostile,
			Cause: &claim.Cause{ID: hostile, Sentence: hostile, Remedy: hostile}}}}
		got := Summary(f, evidence.Run{})
		if !strings.Contains(got, "| "+want+" |") {
			t.Errorf("%q does not stand as %q:\n%s", hostile, want, got)
		}
		for _, line := range strings.Split(got, "\n") {
			if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); cells != 0 && cells != 6 {
				t.Errorf("%q makes a row of %d bars: %s", hostile, cells, line)
			}
		}
	}
}

func TestAppendSummary(t *testing.T) {
	dir := t.TempDir()
	f := Findings{Verdict: claim.Failed, Reason: "it failed"}
	path := filepath.Join(dir, "summary.md")
	for range 2 {
		if err := AppendSummary(path, f, evidence.Run{}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != strings.Repeat(Summary(f, evidence.Run{}), 2) {
		t.Errorf("%v; the file is not what was appended:\n%s", err, got)
	}
	if err := AppendSummary("", f, evidence.Run{}); err != nil {
		t.Errorf("without the variable: %v", err)
	}
	if err := AppendSummary(dir, f, evidence.Run{}); err == nil || !strings.Contains(err.Error(), SummaryVariable) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v does not name the variable and the file", err)
	}
}
