package session

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const (
	probeSpace = "/api/v1/namespaces/meshproof"
	probePod   = probeSpace + "/pods/probe"
	copyPath   = systemPath + "/configmaps/meshproof-run-r1"
)

// atPod does something each time it is told what a probe pod lacks.
type atPod struct {
	silent
	do func(cluster string)
}

func (a atPod) Progress(p Progress) {
	if p.What == "the probe pod runs" && !p.Over {
		a.do(p.Cluster)
	}
}

// podSays puts the status of a probe pod.
func podSays(t *testing.T, s *apitest.Server, phase, container string) {
	s.Put(t, probePod, "{metadata: {name: probe, namespace: meshproof, labels: {app: meshproof-probe}}, status: {phase: "+phase+", containerStatuses: [{name: probe, "+container+"}]}}")
}

// answering is a dial that gives this for every target.
func answering(connected bool, err error) dialling {
	return dialling{limit: 1, dial: func(_ context.Context, _ *cluster.Cluster, _ collect.Options, targets []collect.Target) ([]evidence.Dial, error) {
		var all []evidence.Dial
		for _, target := range targets {
			all = append(all, evidence.Dial{To: target.To, Address: target.Address, Connected: connected, Error: map[bool]string{false: "connection refused"}[connected]})
		}
		if err != nil {
			all = nil
		}
		return all, err
	}}
}

// outside takes away what goes with the probe's namespace, and with istio-system, on an API server that is not in memory.
func outside(all []string) []string {
	return slices.DeleteFunc(inSystem(all), func(p string) bool { return strings.HasPrefix(p, probeSpace+"/") })
}

// TestProbeLeavesNothing: whatever comes of it, the clusters and this machine hold what they held before, and each cluster has what
// its pod saw, or why it saw nothing.
func TestProbeLeavesNothing(t *testing.T) {
	runs := func(t *testing.T, s *apitest.Server, _ func()) { podSays(t, s, "Running", "ready: true") }
	broken := errors.New("no exec here")
	var both sync.WaitGroup
	both.Add(2)
	for name, tc := range map[string]struct {
		install bool
		spoil   func(t *testing.T, farm *apitest.Farm)
		// at is what happens while a pod is waited for, here on its server.
		at   func(t *testing.T, s *apitest.Server, interrupt func())
		dial dialling
		// one and two are parts of what is said of the clusters: an address that is reached, or an error.
		one, two string
		// nothing tells that nothing is made.
		nothing bool
	}{
		"all is reached":    {at: runs, dial: answering(true, nil), one: "west.example.com:443 true", two: "east.example.com:443 true"},
		"nothing is":        {at: runs, dial: answering(false, nil), one: "west.example.com:443 false", two: "east.example.com:443 false"},
		"without a mesh":    {install: true, at: runs, dial: answering(true, nil), one: "west.example.com:443 true", two: "east.example.com:443 true"},
		"a pod that is mum": {at: runs, dial: answering(false, broken), one: broken.Error(), two: broken.Error()},
		"an image that nobody has": {at: func(t *testing.T, s *apitest.Server, interrupt func()) {
			if pulls, _, _ := unstructured.NestedSlice(s.Get(probePod).Object, "status", "containerStatuses"); len(pulls) > 0 {
				both.Done()
				both.Wait()
				interrupt()
				return
			}
			podSays(t, s, "Pending", "state: {waiting: {reason: ErrImagePull, message: 'not found'}}")
		}, one: "ErrImagePull not found", two: "ErrImagePull not found"},
		"another version's image": {at: func(t *testing.T, s *apitest.Server, _ func()) {
			podSays(t, s, "Running", `image: old:v1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 2, message: 'probe: no command "--made-from": use wait'}}`)
		}, one: "image old:v1", two: "made from " + images.ProbeMadeFrom()},
		"another version's image that ran for a moment": {at: func(t *testing.T, s *apitest.Server, _ func()) {
			podSays(t, s, "Running", `image: old:v1, ready: true, lastState: {terminated: {exitCode: 2, message: 'probe: no command "--made-from": use wait'}}`)
		}, dial: dialling{limit: time.Minute, dial: answering(false, broken).dial}, one: "image old:v1", two: "made from " + images.ProbeMadeFrom()},
		"interrupted": {at: func(_ *testing.T, _ *apitest.Server, interrupt func()) { interrupt() }, one: "interrupted", two: "interrupted"},
		"a pod that one cluster refuses": {at: runs, dial: answering(true, nil), one: "west.example.com:443 true", two: "orbidden",
			spoil: func(_ *testing.T, farm *apitest.Farm) {
				farm.Server("west").Fail(http.MethodPatch, probePod, http.StatusForbidden)
			}},
		"a namespace of somebody's": {nothing: true, one: "Namespace meshproof is there already", two: "Namespace meshproof is there already",
			spoil: func(t *testing.T, farm *apitest.Farm) {
				farm.Server("west").Put(t, probeSpace, "{metadata: {name: meshproof}}")
			}},
		"one cluster twice": {nothing: true, one: "one and the same", two: "one and the same",
			spoil: func(t *testing.T, farm *apitest.Farm) {
				farm.Server("west").Put(t, "/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-east}}")
			}},
		"a server that is not ready": {nothing: true, one: "whether it is ready", two: "whether it is ready",
			spoil: func(_ *testing.T, farm *apitest.Farm) {
				farm.Server("west").Fail(http.MethodGet, "/readyz", http.StatusServiceUnavailable)
			}},
	} {
		t.Run(name, func(t *testing.T) {
			farm, o := meshes(t)
			if tc.install {
				farm, o = vacant(t)
			}
			if tc.spoil != nil {
				tc.spoil(t, farm)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			server := map[string]*apitest.Server{"one": farm.Server("east"), "two": farm.Server("west")}
			o.Tell = atPod{do: func(cluster string) {
				if s := server[cluster]; s.Get(copyPath) == nil || s.Get(leasePath) == nil || s.Get(probeSpace).GetLabels()["meshproof.dev/run"] != "r1" {
					t.Errorf("%s has a pod, and no copy of the ledger, no lease or no mark: %q", cluster, s.Paths())
				}
				interrupt := func() { cancel(errors.New("interrupted")) }
				if tc.nothing {
					t.Errorf("%s has a pod", cluster)
					interrupt()
					return
				}
				tc.at(t, server[cluster], interrupt)
			}}
			before := paths(farm)
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			seen, err := s.probe(ctx, tc.dial)
			if err != nil {
				t.Errorf("the removal: %v", err)
			}
			for cluster, want := range map[string]string{"one": tc.one, "two": tc.two} {
				if got := told(seen[cluster].Value, seen[cluster].Err); !strings.Contains(got, want) {
					t.Errorf("%s: %s, want %q", cluster, got, want)
				}
			}
			if after := outside(paths(farm)); !slices.Equal(outside(before), after) {
				t.Errorf("before %q, after %q", before, after)
			}
			if calls := slices.Concat(server["one"].Calls(), server["two"].Calls()); tc.nothing != (len(calls) == 0) {
				t.Errorf("it wrote %q", calls)
			}
			if left, err := filepath.Glob(filepath.Join(o.StateDir, "runs", "*")); err != nil || len(left) != 0 {
				t.Errorf("left %q, %v", left, err)
			}
		})
	}
}

func told(dials []evidence.Dial, err error) string {
	if err != nil {
		return err.Error()
	}
	if len(dials) != 1 {
		return "not one dial"
	}
	return dials[0].Address + map[bool]string{true: " true", false: " false"}[dials[0].Connected]
}

// TestAKilledProbeIsCleaned: what a process leaves that was killed with its pods deployed goes with the run's own removal, here or from
// another machine.
func TestAKilledProbeIsCleaned(t *testing.T) {
	for name, end := range map[string]func(*Session, Options) error{
		"down": func(s *Session, o Options) error { return Down(t.Context(), o.StateDir, o.RunID, unsaid) },
		"from another machine": func(s *Session, o Options) error {
			there, err := LookElsewhere(t.Context(), o.Targets)
			if err != nil {
				return err
			}
			return there.Remove(t.Context(), o.RunID, "", unsaid)
		},
	} {
		for _, from := range []intent.Begin{"", intent.FromInstall} {
			farm, o := meshes(t)
			if from != "" {
				farm, o = vacant(t)
			}
			ctx, kill := context.WithCancel(t.Context())
			var both sync.WaitGroup
			both.Add(2)
			o.Tell = atPod{do: func(string) {
				both.Done()
				both.Wait()
				kill()
			}}
			before := paths(farm)
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			s.dialAll(ctx, dialling{})
			if farm.Server("east").Get(probePod) == nil || farm.Server("west").Get(probePod) == nil {
				t.Errorf("%s: no pod was there", name)
			}
			if err := errors.Join(s.releaseLeases(t.Context()), s.ledger.Close(), end(s, o)); err != nil { // the lease would be over
				t.Errorf("%s, %q: %v", name, from, err)
			}
			if after := outside(paths(farm)); !slices.Equal(outside(before), after) {
				t.Errorf("%s, %q: before %q, after %q", name, from, before, after)
			}
			kill()
		}
	}
}

func TestCheckProbe(t *testing.T) {
	two := []Target{{}, {}}
	for name, tc := range map[string]struct {
		o    Options
		says string
	}{
		"given":      {Options{Targets: two}, ""},
		"to be made": {Options{}, "given clusters"},
		"read-only":  {Options{Targets: two, Beginning: Beginning{ReadOnly: true}}, "--read-only"},
	} {
		err := tc.o.CheckProbe()
		var usage *UsageError
		if (err == nil) != (tc.says == "") || err != nil && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
