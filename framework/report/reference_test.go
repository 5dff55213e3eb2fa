package report

import (
	"os"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
)

// The pages are made from the code and kept in the repository, for readers who have no Go: they may not differ.
func TestPagesAreWhatTheCodeGives(t *testing.T) {
	for file, want := range map[string]string{
		"../../docs/requirements.md":    RequirementsPage(Requirements()),
		"../../docs/troubleshooting.md": TroubleshootingPage(cause.All()),
	} {
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is not what the code gives: write it anew with: make docs", file)
		}
	}
}

func TestRequirementsPage(t *testing.T) {
	got := RequirementsPage([]Requirement{
		{ID: "one", Level: claim.Core, Kind: claim.Converges, Area: claim.Setup, Epoch: "10-joined", Guide: "S1", Sentence: "A | B for *.local"},
		{ID: "two", Level: claim.Extended, Kind: claim.Once, Area: claim.Setup, Epoch: "10-joined", Guide: "S2", Sentence: "C"},
		{ID: "three", Level: claim.Core, Kind: claim.Once, Area: claim.Denial, Epoch: "15-x", Guide: "S3", Sentence: "D", Disruptive: true},
	})
	for _, want := range []string{
		"3 claims, 2 of them core", "## Setup\n", "## Denial\n", "| `one` | A \\| B for \\*.local | S1 | core | converges | `10-joined` |\n| `two` |",
		"| core, disruptive | once | `15-x` |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Count(got, "## Setup") != 1 {
		t.Error("an area is begun twice")
	}
}

func TestTroubleshootingPage(t *testing.T) {
	got := TroubleshootingPage([]cause.Entry{
		{ID: "one", Verdict: claim.Inconclusive, Sentence: "It is away.", Remedy: "Bring it back."},
		{ID: "two", Verdict: claim.Failed, Sentence: "It is wrong_ly.", Remedy: "Mend `a_b` and `c`, then _it_.", Explains: []string{"a", "b"}},
	})
	for _, want := range []string{
		"the 2 causes", "## one\n\nIt is away.\n\n- **Finding:** inconclusive\n- **Can break:** any claim\n- **What to do:** Bring it back.\n",
		"- **Can break:** `a`, `b`\n", "It is wrong\\_ly.", "Mend `a_b` and `c`, then \\_it\\_.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
}
