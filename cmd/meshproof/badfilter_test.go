package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/report"
)

// finished writes the report of a run in which these claims failed, and all others passed.
func finished(dir string, failed ...string) func(*world) {
	return func(w *world) {
		f := report.Judge(evidence.Run{})
		for i, one := range f.Findings {
			f.Findings[i].Verdict = claim.Passed
			if slices.Contains(failed, one.Claim) {
				f.Findings[i].Verdict = claim.Failed
			}
		}
		w.must(os.MkdirAll(filepath.Join(dir, report.EvidenceDir), 0o755))
		w.must(report.Write(dir, f, evidence.Run{}, report.Extra{}))
	}
}

func badFilters() []badInput {
	changed := finished("before", "gateway-address", "needs-the-service-in-every-cluster")
	var rows []badInput
	for _, f := range []struct {
		name, bad, good string
		say             string
		spoil           func(*world)
	}{
		{"an expression that is none", "--focus [", "--focus [s]plit", "give a regular expression", nil},
		{"a focus on nothing", "--focus gatway", "--focus gateway", "--focus gatway: it is about no claim", nil},
		{"nothing to skip", "--skip gatway", "--skip gateway", "--skip gatway: it is about no claim", nil},
		{"all skipped", "--skip .", "--skip balanced", "no claim is left", nil},
		{"labels without an end", "--label-filter core&&", "--label-filter core&&split", "Unexpected EOF", nil},
		{"an unknown label", "--label-filter cor", "--label-filter core", "it is about no claim", nil},
		{"extended claims alone", "--label-filter extended", "--label-filter !extended", "no core claim is left", nil},
		{"what changes the mesh, not allowed", "--label-filter disruptive", "--disruptive --label-filter disruptive", "or give --disruptive", nil},
		{"a report that is not there", "--rerun-failed none", "--rerun-failed before", "give a report directory", finished("before", "gateway-address")},
		{"a report in which nothing failed", "--rerun-failed before", "--rerun-failed other", "there is nothing to do again", func(w *world) { finished("before")(w); finished("other", "sidecars")(w) }},
		{"what failed changes the mesh", "--rerun-failed before", "--rerun-failed before --disruptive", "needs-the-service-in-every-cluster is to be judged again", changed},
	} {
		rows = append(rows, badInput{name: f.name, bad: both + " " + f.bad, good: both + " " + f.good, says: []string{f.say}, spoil: f.spoil, twin: f.spoil})
	}
	return append(rows, badInput{name: "an expectation of a part", bad: both + " --mode literal --expect F1 --focus printed", good: both + " --mode literal --expect F1",
		says: []string{"--expect is about all", "--focus"}})
}

// listed gives the ids that run --list prints as JSON. It asks no cluster.
func (w *world) listed(args string) []string {
	w.t.Helper()
	before := w.tree()
	out, code, err := w.dryRun("--list --output json " + args)
	w.unchanged(before)
	if code != 0 {
		w.t.Fatal(err)
	}
	var all []report.Requirement
	w.must(json.Unmarshal([]byte(out), &all))
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestList(t *testing.T) {
	w := newWorld(t)
	finished("before", "gateway-address", "split-balanced")(w)
	for args, want := range map[string][]string{
		"--focus ^split-b":                             {"split-balanced"},
		"--rerun-failed before":                        {"gateway-address", "split-balanced"},
		"--rerun-failed before --skip split":           {"gateway-address"},
		"--label-filter gateway&&extended":             nil, // without a core claim there is no verdict
		both + " --focus accepts":                      nil, // a run on given clusters has no certificate of the mesh's own root
		"--focus needs-the --disruptive=false":         nil,
		"--focus needs-the":                            {"needs-the-service-in-every-cluster"},
		tooled + " --focus create-mesh|refuses-other":  {"create-mesh-secrets", "refuses-other-fleet"},
		both + " --focus create-mesh":                  nil, // there is no asmcli
		both + " --read-only --focus split-balanced":   nil, // nothing is sent
		both + " --read-only --focus denies|remote-se": {"remote-secrets"},
		both + " --disruptive --focus needs-the":       {"needs-the-service-in-every-cluster"},
	} {
		if want == nil {
			if out, code, _ := w.dryRun("--list " + args); code != exitcode.Usage || out != "" {
				t.Errorf("%s: exit code %d, printed %q", args, code, out)
			}
			continue
		}
		if got := w.listed(args); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	if all := w.listed(""); !slices.Contains(all, "split-balanced") || slices.Contains(all, "printed-flag") {
		t.Errorf("all claims of a run: %q", all)
	}
}
