package report

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

// judgedOnce is what the recorded run is judged to be, for tests that do not change it.
var judgedOnce = sync.OnceValue(func() (j struct {
	findings Findings
	run      evidence.Run
	err      error
}) {
	j.findings, j.run, j.err = JudgeDir(recorded)
	return j
})

// written is a report directory of the recorded run.
func written(t *testing.T) string {
	t.Helper()
	j := judgedOnce()
	if j.err != nil {
		t.Fatal(j.err)
	}
	dir := t.TempDir()
	if err := Write(dir, j.findings, j.run, Extra{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func finished(t *testing.T) Finished {
	t.Helper()
	f, err := ReadDir(written(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhoRanItIsInTheReport(t *testing.T) {
	j := judgedOnce()
	if j.err != nil {
		t.Fatal(j.err)
	}
	dir := t.TempDir()
	if err := Write(dir, j.findings, j.run, Extra{By: "the nightly job", Where: "runner 7", Tool: "meshproof v1"}); err != nil {
		t.Fatal(err)
	}
	for file, all := range map[string][]string{
		ConformanceFile: {"by: the nightly job\n", "where: runner 7\n", "tool: meshproof v1\n"},
		PageFile:        {"<dt>Run by</dt><dd>the nightly job</dd>", "<dt>Run on</dt><dd>runner 7</dd>", "<dt>Tool</dt><dd>meshproof v1</dd>"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range all {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %q", file, want)
			}
		}
	}
}

// TestTheReportLinksWhatIsThere: a run that stopped early has findings about evidence that was never saved.
func TestTheReportLinksWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	saved := ""
	for _, f := range judgedOnce().findings.Findings {
		if len(f.Evidence) > 0 {
			saved = f.Evidence[0]
		}
	}
	file := filepath.Join(dir, EvidenceDir, saved)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600), Write(dir, judgedOnce().findings, judgedOnce().run, Extra{})); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, PageFile))
	if all, one := strings.Count(string(page), `href="evidence/`), strings.Count(string(page), `href="evidence/`+saved+`"`); err != nil || one == 0 || all != one {
		t.Errorf("%d links to evidence, of which %d to %s, which alone is there (error %v)", all, one, saved, err)
	}
}

// TestAReportIsWrittenAgainWhole: who reads a report while it is written again has the old one to its end, not half of the new one.
func TestAReportIsWrittenAgainWhole(t *testing.T) {
	dir := written(t)
	for _, name := range []string{FindingsFile, ConformanceFile, JUnitFile, PageFile} {
		before, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, judgedOnce().findings, judgedOnce().run, Extra{}); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(filepath.Join(dir, name))
		if err != nil || os.SameFile(before, after) {
			t.Errorf("%s is written in place, error %v", name, err)
		}
	}
}

func TestReadDirRefuses(t *testing.T) {
	whole := written(t)
	for name, tc := range map[string]struct{ file, from, to, want string }{
		"no findings":          {FindingsFile, "", "", "findings.json"},
		"no conformance":       {ConformanceFile, "", "", "conformance.yaml"},
		"findings cut":         {FindingsFile, "}", "", "findings.json"},
		"an unknown finding":   {FindingsFile, `"claim":`, `"claims":`, `unknown field "claims"`},
		"an unknown key":       {ConformanceFile, "\nrunID:", "\nwho: me\nrunID:", `unknown field "who"`},
		"another version":      {FindingsFile, "findings/v1", "findings/v9", "meshproof.dev/findings/v9"},
		"another form of YAML": {ConformanceFile, "conformance/v1", "conformance/v2", "meshproof.dev/conformance/v2"},
		"of another run":       {ConformanceFile, "\nrunID: ", "\nrunID: x", "of run"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "report")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, tc.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if tc.from == "" {
				err = os.Remove(path)
			} else if bad := strings.Replace(string(text), tc.from, tc.to, 1); bad != string(text) {
				err = os.WriteFile(path, []byte(bad), 0o600)
			} else {
				t.Fatalf("%s has no %q", tc.file, tc.from)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ReadDir(dir); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want one that says %q and the directory", err, tc.want)
			}
		})
	}
}

// other is the recorded run with changes of a test's own.
func other(t *testing.T, change func(*Finished)) (before, after Finished) {
	t.Helper()
	before, after = finished(t), finished(t)
	after.Findings.RunID, after.conformance.RunID = "other", "other"
	change(&after)
	return before, after
}

func (f *Finished) at(t *testing.T, id, subject string) *claim.Finding {
	t.Helper()
	at := slices.IndexFunc(f.Findings.Findings, func(x claim.Finding) bool { return x.Claim == id && x.Subject == subject })
	if at < 0 {
		t.Fatalf("there is no finding %s (%s)", id, subject)
	}
	return &f.Findings.Findings[at]
}

func without(f *Finished, id string) {
	f.Findings.Findings = slices.DeleteFunc(f.Findings.Findings, func(x claim.Finding) bool { return x.Claim == id })
}

func TestDiff(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Finished)
		weight bool
		want   []string
		lines  int // of the text: the runs, what changed, and the last
	}{
		"nothing": {func(*Finished) {}, false, []string{" -> other\n", "nothing of weight changed\n"}, 2},
		"the verdict": {func(f *Finished) { f.Findings.Verdict, f.Findings.Reason = claim.Failed, "it broke" }, true,
			[]string{"verdict: passed -> failed: it broke\n", "something of weight changed\n"}, 3},
		"a core finding": {func(f *Finished) {
			x := f.at(t, "common-root", "mesh")
			x.Verdict, x.Reason, x.Cause = claim.Failed, "two roots", &claim.Cause{ID: "different-roots"}
		}, true, []string{"changed: common-root (mesh): passed -> failed: two roots [cause different-roots]\n"}, 3},
		"an extended finding": {func(f *Finished) { f.at(t, "lb-policy", "east to west").Verdict = claim.Failed }, false,
			[]string{"changed: lb-policy (east to west): passed -> failed: ", " (extended)\n"}, 3},
		"a core claim that is not asked any more": {func(f *Finished) {
			x := f.at(t, "common-root", "mesh")
			x.Verdict, x.Level = claim.Skipped, claim.Extended
		}, true, []string{"changed: common-root (mesh): passed -> skipped"}, 3},
		"a claim is gone":           {func(f *Finished) { without(f, "common-root") }, true, []string{"gone: common-root (mesh): passed -> -: "}, 3},
		"an extended claim is gone": {func(f *Finished) { without(f, "ca-in-use") }, false, []string{"gone: ca-in-use (east): ", "gone: ca-in-use (west): "}, 4},
		"another version":           {func(f *Finished) { f.conformance.Clusters[1].Kubernetes = "v2" }, false, []string{"tested: west Kubernetes: v1.37.2 -> v2\n"}, 3},
		"another root":              {func(f *Finished) { f.conformance.Clusters[0].Root = "" }, false, []string{"tested: east root (SHA-256): ", " -> -\n"}, 3},
		"another address":           {func(f *Finished) { f.conformance.Clusters[0].Server = "elsewhere" }, false, nil, 2},
		"a cluster more": {func(f *Finished) {
			f.conformance.Clusters = append(f.conformance.Clusters, fingerprint{Name: "north", Kubernetes: "v3"})
		}, false, []string{"tested: north Kubernetes: - -> v3\n"}, 3},
		"a cluster less": {func(f *Finished) { f.conformance.Clusters = f.conformance.Clusters[:1] }, false, []string{"tested: west Kubernetes: v1.37.2 -> -\n"}, 6},
		"other counts": {func(f *Finished) {
			f.at(t, "split-balanced", "east to west").Measured["replies"] = map[string]any{"v1": 1, "v2": 2}
		}, false, []string{"split: east to west: v1 ", " -> v1 1, v2 2\n"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := other(t, tc.change)
			d := Diff(a, b)
			text := d.Text()
			if d.OfWeight != tc.weight || strings.Count(text, "\n") != tc.lines {
				t.Errorf("of weight: %v, want %v, in %d lines:\n%s", d.OfWeight, tc.weight, tc.lines, text)
			}
			for _, want := range tc.want {
				if !strings.Contains(text, want) {
					t.Errorf("the text lacks %q:\n%s", want, text)
				}
			}
		})
	}
}

func TestANewClaimHasWeightWhenItIsCore(t *testing.T) {
	for id, weight := range map[string]bool{"common-root": true, "ca-in-use": false} {
		a, b := other(t, func(*Finished) {})
		without(&a, id)
		if d := Diff(a, b); d.OfWeight != weight || len(d.New) == 0 || d.New[0].Claim != id || d.New[0].From != "" || len(d.Gone) > 0 {
			t.Errorf("%s: of weight %v, new %+v", id, d.OfWeight, d.New)
		}
	}
}
