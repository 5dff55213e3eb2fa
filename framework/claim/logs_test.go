package claim

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/allowed"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// recordedLog is what collection keeps of lines that istiod logged on two kind clusters (framework/collect/testdata/istiod.log).
func recordedLog(t *testing.T) evidence.IstiodLog {
	t.Helper()
	text, err := os.ReadFile("testdata/istiod-log.json")
	if err != nil {
		t.Fatal(err)
	}
	var log evidence.IstiodLog
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	return log
}

func TestEachAllowedLineWasRecorded(t *testing.T) {
	entries, err := allowed.Istiod()
	if err != nil {
		t.Fatal(err)
	}
	log := recordedLog(t)
	used := map[string]bool{}
	for _, l := range log.Lines {
		e, is := allowed.Find(entries, l)
		if !is {
			t.Errorf("a healthy control plane logged what is not allowed: %+v", l)
		}
		used[e.ID] = true
	}
	for _, e := range entries {
		if !used[e.ID] {
			t.Errorf("entry %s matches no recorded line: take it out, or record one", e.ID)
		}
	}
}

func TestLogs(t *testing.T) {
	logged := func(l evidence.LoggedLine) func(evidence.Run) {
		return func(run evidence.Run) {
			for _, epoch := range run.Epochs {
				log := &epoch.Clusters[west].Logs[0]
				log.Lines = append(log.Lines, l)
			}
		}
	}
	change := func(f func(*evidence.IstiodLog)) func(evidence.Run) {
		return func(run evidence.Run) { f(&example.Cluster(run, west).Logs[0]) }
	}
	// replaced has the joined mesh have one more replica, which logged the line and is gone.
	replaced := func(l evidence.LoggedLine) func(evidence.Run) {
		return func(run evidence.Run) {
			c := run.Epochs[evidence.Joined].Clusters[west]
			c.Logs = append(c.Logs, evidence.IstiodLog{Pod: "istiod-old", Read: 1, Lines: []evidence.LoggedLine{l}})
			old := seen.IstiodPods(c.Kubernetes)[0]
			old.Name = "istiod-old"
			c.Kubernetes.Pods = append(c.Kubernetes.Pods, old)
		}
	}
	restarted := func(times int32) func(evidence.Run) {
		return func(run evidence.Run) {
			pods := run.Epochs[evidence.Removed].Clusters[west].Kubernetes.Pods
			for i, p := range pods {
				if p.Labels["app"] == "istiod" {
					pods[i].Containers = []evidence.Container{{Name: "discovery", Restarts: times}}
				}
			}
		}
	}
	fresh := evidence.LoggedLine{Level: "error", Scope: "ads", Message: "something new", Count: 3}
	panicked := evidence.LoggedLine{Level: evidence.LevelPanic, Message: "panic: no more", Count: 1, Stack: []string{"a.f", "b.g", "main.main"}}
	for _, tc := range []spoiled{
		{"a known line", "istiod-log", west, func(evidence.Run) {}, Passed, "but 2 lines that are known"},
		{"the recorded lines", "istiod-log", west, change(func(l *evidence.IstiodLog) { l.Lines = recordedLog(t).Lines }), Passed, "nothing beside information"},
		{"an unknown line", "istiod-log", west, logged(fresh), Failed, `istiod istiod-asm-1232-2-1 logged error (ads) "something new", 3 times`},
		{"a known line of another level", "istiod-log", west, logged(evidence.LoggedLine{Level: "error", Message: "discovery is not ready", Count: 1}), Failed, "discovery is not ready"},
		{"an unknown line is no panic", "istiod-panics", west, logged(fresh), Passed, "no replica of west panics"},
		{"a panic", "istiod-panics", west, logged(panicked), Failed, `panic "panic: no more" in a.f, called by b.g`},
		{"a panic of one that was replaced", "istiod-panics", west, replaced(panicked), Failed, `istiod istiod-old ended or caught panic "panic: no more"`},
		{"one that was replaced", "istiod-panics", west, replaced(fresh), Inconclusive, "istiod istiod-old was replaced after the mesh was joined"},
		{"restarted once", "istiod-panics", west, restarted(1), Passed, "no replica of west panics"},
		{"restarted twice", "istiod-panics", west, restarted(2), Inconclusive, "istiod istiod-asm-1232-2-1 was restarted 2 times"},
		{"a panic is no known line", "istiod-log", west, logged(panicked), Failed, "panic: no more"},
		{"lines were left out", "istiod-log", west, change(func(l *evidence.IstiodLog) { l.Left = 7 }), Inconclusive, "7 more lines"},
		{"the log is longer", "istiod-log", west, change(func(l *evidence.IstiodLog) { l.Cut = true }), Inconclusive, "longer than the 900 lines"},
		{"another replica", "istiod-log", west, change(func(l *evidence.IstiodLog) { l.Pod = "istiod-other" }), Inconclusive, "the log of istiod istiod-asm-1232-2-1 was not read"},
	} {
		t.Run(tc.claim+"/"+tc.name, func(t *testing.T) {
			run := example.Healthy()
			tc.spoil(run)
			if f := one(t, run, tc.claim, tc.subject); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.reason) || f.Level != Extended {
				t.Errorf("%s: %s\nwant %s: ...%s...", f.Verdict, f.Reason, tc.verdict, tc.reason)
			}
		})
	}
	run := example.Healthy()
	run.Intent.Logs = false
	if f := one(t, run, "istiod-log", west); f.Verdict != Skipped {
		t.Errorf("older evidence: %s: %s", f.Verdict, f.Reason)
	}
}
