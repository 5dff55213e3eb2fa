package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/exitcode"
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
			"  " + filepath.Join(recorded, evidence.Joined, "west", "kubernetes.json") + "\n", "judged: " + recorded + "\n"}},
		{"from a report directory", "gateway-address", filepath.Dir(kept), 0, []string{"  " + filepath.Join(kept, evidence.Joined, "east", "kubernetes.json") + "\n"}},
		{"evidence is missing", "gateway-reached", torn, exitcode.CouldNotTell, []string{"inconclusive gateway-reached (east to west): "}},
		{"another claim of it", "gateway-address", torn, 0, []string{"passed "}},
		{"extended", "lb-policy", recorded, 0, []string{"lb-policy (extended): "}},
		{"not asked for", "denies-another-root", recorded, exitcode.CouldNotTell, []string{"skipped "}},
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
	out, code := execute(t, "claim", "gateway-reached", "gateway-address", "--from", torn)
	if code != exitcode.CouldNotTell || !strings.Contains(out, "passed       gateway-address (west)") || !strings.Contains(out, "inconclusive gateway-reached (east to west)") {
		t.Errorf("two claims: exit code %d:\n%s", code, out)
	}
	body, code := execute(t, "claim", "common-root", "--from", recorded, "--output", "json")
	var found []claim.Finding
	if err := json.Unmarshal([]byte(body), &found); err != nil || code != 0 || len(found) != 1 || found[0].Claim != "common-root" {
		t.Errorf("exit code %d, %v: %+v", code, err, found)
	}
}

// TestWhereAClaimIsJudged: unasked it is judged on the one mesh that stands, else from the last report, and never on one of several.
func TestWhereAClaimIsJudged(t *testing.T) {
	path, err := filepath.Abs(recorded)
	if err != nil {
		t.Fatal(err)
	}
	evidenceOfARun := os.DirFS(path)
	for name, tc := range map[string]struct {
		standing []string
		latest   bool
		args     string
		code     int
		says     []string
	}{
		"one stands":           {[]string{"r1"}, true, "", exitcode.CouldNotTell, []string{"read how the standing mesh of run r1 is judged"}}, // its file is empty
		"two stand":            {[]string{"r1", "r2"}, true, "", exitcode.Usage, []string{"2 meshes stand", "--run: r1, r2"}},
		"one of two is chosen": {[]string{"r1", "r2"}, true, "--run r2", exitcode.CouldNotTell, []string{"standing mesh of run r2"}},
		"none stands":          {nil, true, "", 0, nil},
		"nothing is there":     {nil, false, "", exitcode.Usage, []string{"no mesh stands", "meshproof up --join", "--from"}},
		"a report is asked":    {[]string{"r1"}, true, "--from reports/latest", 0, nil},
		"both are asked":       {[]string{"r1"}, true, "--from reports/latest --run r1", exitcode.Usage, []string{"leave one of them out"}},
		"a run that is not":    {[]string{"r1"}, true, "--run r3", exitcode.Usage, []string{`find run "r3"`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, id := range tc.standing {
				w.write("state/meshproof/runs/"+id+"/standing.json", "")
			}
			if tc.latest {
				w.must(os.CopyFS("reports/latest/evidence", evidenceOfARun))
			}
			c := root()
			c.SetOut(io.Discard)
			c.SetArgs(append([]string{"claim", "gateway-address"}, strings.Fields(tc.args)...))
			err := c.ExecuteContext(context.Background())
			if codeOf(err) != tc.code {
				t.Fatalf("exit code %d, want %d: %v", codeOf(err), tc.code, err)
			}
			for _, want := range tc.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

// TestWhatCouldNotBeDoneLetsNothingPass: the findings are printed all the same.
func TestWhatCouldNotBeDoneLetsNothingPass(t *testing.T) {
	undone := errors.New("the calls were not made")
	for v, want := range map[claim.Verdict]int{claim.Passed: exitcode.CouldNotTell, claim.Failed: exitcode.Failed, claim.Inconclusive: exitcode.CouldNotTell} {
		var out strings.Builder
		err := conclusion(&out, &claimSource{from: "there"}, []claim.Finding{{Claim: "one", Subject: "east", Verdict: v}}, asText, undone)
		if codeOf(err) != want || !strings.Contains(out.String(), "one (east)") {
			t.Errorf("%s: exit code %d, want %d: %s", v, codeOf(err), want, out.String())
		}
	}
}

func TestTheExitCodeOfOneClaim(t *testing.T) {
	for v, want := range map[claim.Verdict]int{claim.Passed: 0, claim.Failed: 1, claim.Inconclusive: 3, claim.Skipped: 3, "": 3} {
		if got := codeOf(exitOf(v)); got != want {
			t.Errorf("%q ends with %d, want %d", v, got, want)
		}
	}
}
