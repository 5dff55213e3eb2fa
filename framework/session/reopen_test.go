package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/report"
)

// remaining gives a mesh that stands and was left, whose kubectl is a script that notes its use and fails.
func remaining(t *testing.T) (o Options, called string) {
	t.Helper()
	_, o, called = stands(t)
	return o, called
}

// stands is remaining with what answers for the clusters. Its run began an hour ago.
func stands(t *testing.T) (farm *apitest.Farm, o Options, called string) {
	t.Helper()
	farm, o = meshes(t)
	for _, name := range []string{"east", "west"} {
		farm.Server(name).Put(t, "/api/v1/namespaces/sample", "{metadata: {name: sample}}")
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.takeClusters(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	called = filepath.Join(dir, "called")
	write(t, filepath.Join(dir, "kubectl"), "#!/bin/sh\necho \"$@\" >> "+called+"\nexit 7\n")
	if err := os.Chmod(filepath.Join(dir, "kubectl"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.intent.Standing, s.began = true, time.Now().Add(-time.Hour)
	s.images, s.rel = &images.Set{Kubectl: filepath.Join(dir, "kubectl")}, &release.Dir{Path: dir, Istioctl: filepath.Join(dir, "istioctl"), Samples: dir}
	s.steps = []evidence.Step{{ID: "S6.1", Title: "install the gateway"}}
	err = s.prepare(map[string]string{"CTX_1": "east", "CTX_2": "west"})
	if err := errors.Join(err, s.remain(), s.Leave(t.Context())); err != nil {
		t.Fatal(err)
	}
	return farm, o, called
}

// reopened takes it up, to be looked at once.
func reopened(t *testing.T, o Options) *Session {
	t.Helper()
	s, err := Reopen(o.StateDir, o.RunID, silent{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Leave(t.Context()) })
	s.limits.ClaimQuiet = 1
	return s
}

// TestClaimsOfAStandingMesh: what a claim reads is collected from the clusters by another process, and the calls that it reads, and
// no others, are made.
func TestClaimsOfAStandingMesh(t *testing.T) {
	o, called := remaining(t)
	s := reopened(t, o)
	dir := filepath.Join(t.TempDir(), "claim")
	for _, tc := range []struct {
		ids     []string
		verdict claim.Verdict
		calls   []string
	}{
		{[]string{"one-revision"}, claim.Passed, nil},
		{[]string{"guide-calls", "one-revision"}, claim.Inconclusive, []string{evidence.GuideCalls}},
		{[]string{"split-balanced"}, claim.Inconclusive, []string{evidence.Split}},
		{[]string{"second-service"}, claim.Inconclusive, []string{evidence.Second}},
		{[]string{"sample-removed"}, claim.Skipped, nil},
	} {
		if err := os.RemoveAll(called); err != nil {
			t.Fatal(err)
		}
		found, err := s.JudgeClaims(t.Context(), dir, ClaimOptions{IDs: tc.ids})
		if (err != nil) != slices.Contains(tc.ids, "split-balanced") { // nobody calls there
			t.Errorf("%q: %v", tc.ids, err)
		}
		if claim.Worst(found) != tc.verdict {
			t.Errorf("%q: %+v, want %s", tc.ids, found, tc.verdict)
		}
		for _, f := range found {
			if !slices.Contains(tc.ids, f.Claim) {
				t.Errorf("%q: it was not asked about %s", tc.ids, f.Claim)
			}
		}
		run, err := evidence.Load(filepath.Join(dir, report.EvidenceDir))
		if err != nil || len(run.Unreadable) != 0 || run.Steps[0].ID != "S6.1" {
			t.Fatalf("%q: %v, %+v, steps %+v", tc.ids, err, run.Unreadable, run.Steps)
		}
		for _, purpose := range []string{evidence.GuideCalls, evidence.Second, evidence.Split} {
			_, made := run.Cluster(evidence.Joined, "one").TrafficFor(purpose)
			if made != slices.Contains(tc.calls, purpose) {
				t.Errorf("%q: the calls %s were made: %t", tc.ids, purpose, made)
			}
		}
		if _, err := os.Stat(called); (err == nil) != slices.Contains(tc.calls, evidence.GuideCalls) {
			t.Errorf("%q: kubectl: %v", tc.ids, err)
		}
	}
}

// TestWhatIsAskedAlone: claims that converge are awaited alone, and with one among them that presumes a settled mesh all are.
func TestWhatIsAskedAlone(t *testing.T) {
	for _, tc := range []struct{ ids, awaited []string }{
		{[]string{"gateway-address", "lb-policy"}, []string{"gateway-address", "lb-policy"}},
		{[]string{"gateway-address", "split-balanced"}, nil},
	} {
		if got := awaited(tc.ids); !slices.Equal(got, tc.awaited) || (got == nil) != (tc.awaited == nil) {
			t.Errorf("%q: %q are awaited, want %q", tc.ids, got, tc.awaited)
		}
	}
}

// TestPatience: calls on a mesh that does not settle are cut short, unless somebody is patient.
func TestPatience(t *testing.T) {
	o, _ := remaining(t)
	s := reopened(t, o)
	s.limits.ClaimCalls = 1
	for patient, says := range map[bool]string{false: "the mesh had not settled", true: "exit status 7"} {
		dir := filepath.Join(t.TempDir(), "claim")
		if _, err := s.JudgeClaims(t.Context(), dir, ClaimOptions{IDs: []string{"guide-calls"}, Patient: patient}); err != nil {
			t.Errorf("patient %t: %v", patient, err)
		}
		run, err := evidence.Load(filepath.Join(dir, report.EvidenceDir))
		if err != nil {
			t.Fatal(err)
		}
		if calls, _ := run.Cluster(evidence.Joined, "one").TrafficFor(evidence.GuideCalls); !strings.Contains(calls.Error, says) {
			t.Errorf("patient %t: the calls say %q, want %q", patient, calls.Error, says)
		}
	}
}

// TestTheLogsOfAStandingMeshAreReadFromTheRunsBeginning: what istiod said before the look is said too.
func TestTheLogsOfAStandingMeshAreReadFromTheRunsBeginning(t *testing.T) {
	farm, o, _ := stands(t)
	const pod = systemPath + "/pods/istiod-up"
	farm.Server("east").Put(t, pod, "{metadata: {name: istiod-up, namespace: istio-system, labels: {app: istiod}}, status: {phase: Running}}")
	farm.Server("east").Put(t, pod+"/log", "{line: of a log}")
	s, stood := reopened(t, o), time.Now()
	dir := filepath.Join(t.TempDir(), "claim")
	if _, err := s.JudgeClaims(t.Context(), dir, ClaimOptions{IDs: []string{"istiod-log"}}); err != nil {
		t.Fatal(err)
	}
	run, err := evidence.Load(filepath.Join(dir, report.EvidenceDir))
	if err != nil {
		t.Fatal(err)
	}
	logs := run.Cluster(evidence.Joined, "one").Logs
	if len(logs) != 1 || logs[0].Since.IsZero() || !logs[0].Since.Before(stood.Add(-time.Minute)) {
		t.Errorf("%+v, and it was taken up at %s", logs, stood)
	}
}

// TestAStandingMeshIsOnesAtATime: while it is judged nobody else judges or removes it, and it stands afterwards.
func TestAStandingMeshIsOnesAtATime(t *testing.T) {
	o, _ := remaining(t)
	if runs, err := Standing(o.StateDir); err != nil || !slices.Equal(runs, []string{"r1"}) {
		t.Errorf("%q stand, %v", runs, err)
	}
	s := reopened(t, o)
	_, err := Reopen(o.StateDir, "r1", silent{})
	if removal := Down(t.Context(), o.StateDir, "r1", unsaid); !errors.Is(err, ledger.ErrInUse) || !errors.Is(removal, ledger.ErrInUse) {
		t.Errorf("judged: %v, removed: %v", err, removal)
	}
	if err := s.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	reopened(t, o)
}

// TestAnInterruptedCleanupBeginsNoRemoval: a mesh whose removal was not begun when the cleanup was interrupted stands on, and can be judged.
func TestAnInterruptedCleanupBeginsNoRemoval(t *testing.T) {
	o, _ := remaining(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted by a signal")
	cancel(interrupted)
	if err := Down(ctx, o.StateDir, o.RunID, unsaid); !errors.Is(err, interrupted) || !strings.Contains(err.Error(), "meshproof down "+o.RunID) {
		t.Errorf("%v", err)
	}
	var told []string
	err := CleanUp(ctx, []Left{{ID: "r1"}, {ID: "r2"}}, func(id string) error {
		told = append(told, id)
		return nil
	})
	if !errors.Is(err, interrupted) || len(told) != 0 {
		t.Errorf("it went on with %q: %v", told, err)
	}
	if runs, err := Standing(o.StateDir); err != nil || !slices.Equal(runs, []string{o.RunID}) {
		t.Errorf("%q stand, %v", runs, err)
	}
}

// TestAMeshThatWasPartlyRemovedStandsNoMore: what is left of one says nothing of what stood.
func TestAMeshThatWasPartlyRemovedStandsNoMore(t *testing.T) {
	o, _ := remaining(t)
	l, err := ledger.Open(ledgerOf(filepath.Join(o.StateDir, "runs", o.RunID)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Intend(ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: "gone", Run: o.RunID}), l.Close()); err != nil {
		t.Fatal(err)
	}
	if err := Down(t.Context(), o.StateDir, o.RunID, unsaid); err == nil || !strings.Contains(err.Error(), "1 things are left") {
		t.Fatalf("the removal ended with %v", err)
	}
	if runs, err := Standing(o.StateDir); err != nil || len(runs) != 0 {
		t.Errorf("%q stand, %v", runs, err)
	}
	_, err = Reopen(o.StateDir, o.RunID, silent{})
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "no mesh that stands") {
		t.Errorf("it is taken up: %v", err)
	}
}

func TestWhatDoesNotStandIsNotJudged(t *testing.T) {
	for name, tc := range map[string]struct {
		id, file string
		usage    bool
		says     string
	}{
		"no such run":    {id: "r2", usage: true, says: `find run "r2"`},
		"not joined":     {id: "r1", usage: true, says: "meshproof up --join"},
		"a damaged file": {id: "r1", file: "{", says: "meshproof down r1"},
	} {
		dir := t.TempDir()
		at := filepath.Join(dir, "runs", "r1")
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		if tc.file != "" {
			write(t, filepath.Join(at, standingFile), tc.file)
		}
		_, err := Reopen(dir, tc.id, silent{})
		var usage *UsageError
		if err == nil || errors.As(err, &usage) != tc.usage || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
