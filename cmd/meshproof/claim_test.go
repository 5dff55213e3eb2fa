package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/report"
)

func TestOneClaimIsJudged(t *testing.T) {
	kept := filepath.Join(t.TempDir(), report.EvidenceDir)
	if err := os.CopyFS(kept, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(t.TempDir(), "torn")
	if err := os.CopyFS(torn, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(torn, filepath.FromSlash(evidence.FileOfDials(evidence.Joined, "east")))
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, id, from string
		code           int
		want           []string
	}{
		{"from the evidence", "gateway-address", recorded, 0, []string{"gateway-address (core): ", "passed       gateway-address (east): ", "gateway-address (west): ",
			"  " + filepath.Join(recorded, evidence.Joined, "west", "kubernetes.json") + "\n"}},
		{"from a report directory", "gateway-address", filepath.Dir(kept), 0, []string{"  " + filepath.Join(kept, evidence.Joined, "east", "kubernetes.json") + "\n"}},
		{"evidence is missing", "gateway-reached", torn, exitCouldNot, []string{"inconclusive gateway-reached (east to west): "}},
		{"another claim of it", "gateway-address", torn, 0, []string{"passed "}},
		{"extended", "lb-policy", recorded, 0, []string{"lb-policy (extended): "}},
		{"not asked for", "denies-another-root", recorded, exitCouldNot, []string{"skipped "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, code := execute(t, "claim", tc.id, "--from", tc.from)
			if code != tc.code {
				t.Errorf("exit code %d, want %d:\n%s", code, tc.code, out)
			}
			for _, want := range tc.want {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
		})
	}
	body, code := execute(t, "claim", "common-root", "--from", recorded, "--output", "json")
	var found []claim.Finding
	if err := json.Unmarshal([]byte(body), &found); err != nil || code != 0 || len(found) != 1 || found[0].Claim != "common-root" {
		t.Errorf("exit code %d, %v: %+v", code, err, found)
	}
}

func TestTheExitCodeOfOneClaim(t *testing.T) {
	for v, want := range map[claim.Verdict]int{claim.Passed: 0, claim.Failed: 1, claim.Inconclusive: 3, claim.Skipped: 3, "": 3} {
		if got := codeOf(exitOf(v)); got != want {
			t.Errorf("%q ends with %d, want %d", v, got, want)
		}
	}
}
