package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/report"
)

// recorded is the evidence of a real run that passed.
const recorded = "../../framework/claim/testdata/healthy"

// reported is a report directory of the recorded run, in which one text of findings.json and conformance.yaml stands for
// another.
func reported(t *testing.T, from, to string) string {
	t.Helper()
	f, run, err := report.JudgeDir(recorded)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := report.Write(dir, f, run, report.Extra{}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{report.FindingsFile, report.ConformanceFile} {
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReportDiff(t *testing.T) {
	before := reported(t, "", "")
	failed := reported(t, `"verdict": "passed"`, `"verdict": "failed"`)
	newer := reported(t, "v1.37.2", "v1.38.0")
	for _, tc := range []struct {
		name, after string
		code        int
		want        string
	}{
		{"the same", before, 0, "nothing of weight changed\n"},
		{"another version", newer, 0, "tested: east Kubernetes: v1.37.2 -> v1.38.0\n"},
		{"other verdicts", failed, 1, "verdict: passed -> failed: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, code := execute(t, "report", "diff", before, tc.after)
			if code != tc.code || !strings.Contains(out, tc.want) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, tc.code, tc.want, out)
			}
		})
	}
	body, code := execute(t, "report", "diff", before, newer, "--output", "json")
	var d report.Difference
	if err := json.Unmarshal([]byte(body), &d); err != nil || code != 0 || len(d.Tested) != 2 || d.OfWeight {
		t.Errorf("exit code %d, %v: %+v", code, err, d)
	}
}

func TestReportMerge(t *testing.T) {
	one, two := reported(t, "", ""), reported(t, "record", "another")
	out, code := execute(t, "report", "merge", one, two, one)
	if code != 0 || !strings.Contains(out, "# meshproof: 2 runs\n") || !strings.Contains(out, "|  | `record` | `another` |\n") {
		t.Errorf("exit code %d:\n%.600s", code, out)
	}
	without := t.TempDir()
	if more, code := execute(t, "report", "merge", one, without, two); code != 0 || !strings.HasSuffix(more, out) {
		t.Errorf("with a directory that holds no findings: exit code %d:\n%.600s", code, more)
	}
	for _, none := range []string{without, filepath.Join(without, "nowhere")} {
		if more, code := execute(t, "report", "merge", none); code != 2 {
			t.Errorf("of %s alone: exit code %d:\n%.600s", none, code, more)
		}
	}
	page, code := execute(t, "report", "merge", "--output", "html", one, two)
	if code != 0 || !strings.HasPrefix(page, "<!DOCTYPE html>") || !strings.Contains(page, "another") {
		t.Errorf("exit code %d:\n%.200s", code, page)
	}
}
