package session

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func kindOptions(t *testing.T) Options {
	dir := t.TempDir()
	return Options{Revision: "r", Fleet: "f", ProjectNumber: "1", Samples: 600, Alpha: 1e-8, StateDir: dir, ReportDir: filepath.Join(dir, "report"), Tell: silent{}, Disruptive: true}
}

// What would be done to the mesh for a claim that is left out alone is not done.
func TestWhatIsDoneForClaimsThatAreLeftOut(t *testing.T) {
	o := kindOptions(t)
	o.LeftOut = map[string]string{claim.OfDisruption("not-injected"): "--skip it", claim.OfDisruption("node-cut-off"): "--skip it"}
	s, err := begin(o)
	if err != nil {
		t.Fatal(err)
	}
	in := s.expected()
	if slices.Contains(in.Disruptions, "not-injected") || slices.Contains(in.Injections, "node-cut-off") ||
		len(in.Disruptions) != len(claim.Disruptions())-1 || len(in.Injections) != len(claim.Injections())-1 || !maps.Equal(in.LeftOut, o.LeftOut) {
		t.Errorf("the run does %q and %q, and leaves out %v", in.Disruptions, in.Injections, in.LeftOut)
	}
	lines, err := Plan(t.Context(), o)
	text := strings.Join(lines, "\n")
	if err != nil || strings.Contains(text, "disrupt    not-injected") || !strings.Contains(text, "; 2 are left out") {
		t.Errorf("%v: planned\n%s", err, text)
	}
	asked, err := Claims(o)
	if err != nil || slices.ContainsFunc(asked, func(c claim.Claim) bool { return c.ID == claim.OfDisruption("not-injected") }) {
		t.Errorf("%v: %d claims are asked for, that one among them", err, len(asked))
	}
}

func TestClaimsOfARun(t *testing.T) {
	counted := func(change func(*Options)) int {
		o := kindOptions(t)
		change(&o)
		asked, err := Claims(o)
		if err != nil {
			t.Fatal(err)
		}
		return len(asked)
	}
	whole := counted(func(*Options) {})
	for name, tc := range map[string]struct {
		change func(*Options)
		fewer  int
	}{
		"nothing is disrupted":  {func(o *Options) { o.Disruptive = false }, len(claim.Disruptions()) + len(claim.Injections())},
		"one disruption":        {func(o *Options) { o.Disruptions = []string{"not-injected"} }, len(claim.Disruptions()) + len(claim.Injections()) - 1},
		"one claim is left out": {func(o *Options) { o.LeftOut = map[string]string{"sidecars": "--skip it"} }, 1},
		"the printed text":      {func(o *Options) { o.Mode, o.Disruptive = intent.Literal, false }, len(claim.Disruptions()) + len(claim.Injections()) - 2},
	} {
		if got := whole - counted(tc.change); got != tc.fewer {
			t.Errorf("%s: %d claims fewer than %d, want %d", name, got, whole, tc.fewer)
		}
	}
}

func TestExpectedFindingsAreOfTheWholeRun(t *testing.T) {
	o := kindOptions(t)
	o.Mode, o.Disruptive, o.Expect, o.LeftOut = intent.Literal, false, []string{"F1"}, map[string]string{"sidecars": "--skip it"}
	if _, err := Claims(o); err == nil || !strings.Contains(err.Error(), "--expect is about all") {
		t.Errorf("%v", err)
	}
	o.LeftOut = nil
	if _, err := Claims(o); err != nil {
		t.Error(err)
	}
}

func TestStopAfter(t *testing.T) {
	in := intent.Intent{Disruptions: []string{"identity-denied", "not-injected"}, Injections: []string{"node-cut-off"}, LeftOut: map[string]string{"sidecars": "--skip it"}}
	after := stopAfter(in, "identity-denied")
	want := map[string]string{"sidecars": "--skip it"}
	for _, id := range []string{"not-injected", "node-cut-off"} {
		want[claim.OfDisruption(id)] = "--fail-fast, after denies-by-identity failed"
	}
	if !slices.Equal(after.Disruptions, []string{"identity-denied"}) || len(after.Injections) != 0 || !maps.Equal(after.LeftOut, want) {
		t.Errorf("after it: %q, %q, left out %v", after.Disruptions, after.Injections, after.LeftOut)
	}
	if len(in.LeftOut) != 1 || len(in.Disruptions) != 2 {
		t.Errorf("what was expected before is changed: %+v", in)
	}
	if last := stopAfter(in, "node-cut-off"); len(last.Disruptions) != 2 || len(last.Injections) != 1 || len(last.LeftOut) != 1 {
		t.Errorf("after the last: %+v", last)
	}
}

// What needs a new load balancer is not done where its host name would be reached after the repair's time is over.
func TestNoNewLoadBalancerWithAHostName(t *testing.T) {
	for address, done := range map[string]bool{"172.18.252.1": true, "2001:db8::7": true, "gw.west.example": false} {
		healthy, err := evidence.Load("../claim/testdata/healthy")
		if err != nil {
			t.Fatal(err)
		}
		services := healthy.Cluster(evidence.Joined, "west").Kubernetes.Services
		for i := range services {
			if services[i].Labels[evidence.GatewayLabel] == evidence.GatewayValue {
				services[i].Addresses = []string{address}
			}
		}
		s := &Session{o: Options{Disruptive: true, Tell: silent{}}, intent: healthy.Intent}
		s.lookForHostNames(healthy)
		in := s.disrupted(s.intent)
		if slices.Contains(in.Disruptions, "gateway-service-deleted") != done || !slices.Contains(in.Disruptions, "gateway-scaled-to-zero") {
			t.Errorf("with %s the run does %q", address, in.Disruptions)
		}
	}
}

// savedEpochs is an evidence folder in which every epoch holds what the joined mesh did.
func savedEpochs(t *testing.T, run evidence.Run, epochs ...string) *evidence.Folder {
	t.Helper()
	folder, err := evidence.Create(filepath.Join(t.TempDir(), "evidence"))
	if err != nil {
		t.Fatal(err)
	}
	for _, epoch := range epochs {
		for c, seen := range run.Epochs[evidence.Joined].Clusters {
			if err := folder.SaveCluster(epoch, c, seen); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folder
}

// A disruption that went unnoticed fails its claim; one that could not be looked at does not.
func TestFailFast(t *testing.T) {
	healthy, err := evidence.Load("../claim/testdata/healthy")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ failFast, looked, want bool }{
		"it went unnoticed":            {true, true, true},
		"and everything is to be done": {false, true, false},
		"nothing was seen of it":       {true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			epochs := []string{evidence.Joined}
			if tc.looked {
				epochs = append(epochs, evidence.Broken("remote-secret-deleted"), evidence.Repaired("remote-secret-deleted"))
			}
			folder := savedEpochs(t, healthy, epochs...)
			in := healthy.Intent
			in.Disruptions, in.DisruptionSamples = []string{"remote-secret-deleted", "not-injected"}, in.Samples
			s := &Session{o: Options{FailFast: tc.failFast, Tell: silent{}}, intent: in, folder: folder, steps: healthy.Steps}
			stop, err := s.failedFast("remote-secret-deleted")
			if err != nil || stop != tc.want || len(s.intent.LeftOut) > 0 != tc.want {
				t.Errorf("%v: it stops: %t, and leaves out %v", err, stop, s.intent.LeftOut)
			}
		})
	}
}
