package verify

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// stalled makes calls that never end, until it is told to.
type stalled struct{ bounded bool }

func (s *stalled) Calls(ctx context.Context, _ string) (evidence.Step, error) {
	if _, s.bounded = ctx.Deadline(); !s.bounded {
		return evidence.Step{}, nil
	}
	<-ctx.Done()
	return evidence.Step{Error: context.Cause(ctx).Error()}, context.Cause(ctx)
}

// TestCallsOnAMeshThatHasNotSettledAreCutShort: and that is told where it is judged, and is no error of the look. A mesh that has
// settled gives them their time.
func TestCallsOnAMeshThatHasNotSettledAreCutShort(t *testing.T) {
	for name, tc := range map[string]struct {
		await []string
		cut   bool
	}{
		"nothing answers":    {nil, true},
		"nothing is awaited": {[]string{}, false},
	} {
		folder, err := evidence.Create(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		caller := &stalled{}
		o := Options{
			Set: cluster.Set{apitest.New(t).Cluster(t, "east")}, Intent: intent.Intent{Clusters: []intent.Cluster{{Name: "east"}}, Samples: 1}, Folder: folder, Caller: caller,
			Await: tc.await, LeaveOut: []string{evidence.Second}, Limits: Limits{Converge: time.Minute, Counters: time.Minute}, Unsettled: 1,
		}
		said := ""
		o.OnStep = func(step evidence.Step) {
			if step.ID == "V.split" {
				said = step.Error
			}
		}
		if err := Joined(t.Context(), o); (err == nil) != tc.cut { // nobody is there to make the measured calls
			t.Errorf("%s: %v", name, err)
		}
		if err := folder.SaveIntent(o.Intent); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(said, "had not settled") != tc.cut {
			t.Errorf("%s: the step says %q", name, said)
		}
		run, err := evidence.Load(folder.Dir())
		if err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []string{evidence.GuideCalls, evidence.Split} {
			calls, made := run.Cluster(evidence.Joined, "east").TrafficFor(purpose)
			if !made || caller.bounded != tc.cut || strings.Contains(calls.Error, "had not settled") != tc.cut || calls.Overran() != tc.cut {
				t.Errorf("%s: calls %s were made: %t, with a limit: %t, and the evidence says %q", name, purpose, made, caller.bounded, calls.Error)
			}
		}
	}
}

// TestOnlyWhatIsAskedIsAwaited: a mesh in which something else is broken need not settle; an extended claim is awaited when it is
// asked about, and one about another state is not.
func TestOnlyWhatIsAskedIsAwaited(t *testing.T) {
	in := intent.Intent{Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}}
	for _, tc := range []struct{ await, open []string }{
		{[]string{"gateway-address"}, []string{"gateway-address"}},
		{[]string{"gateway-address", "lb-policy"}, []string{"gateway-address", "lb-policy"}},
		{[]string{"sample-removed", "split-balanced"}, nil},
	} {
		var open []string
		for _, f := range unsettled(Options{Intent: in, Await: tc.await}, evidence.Joined, map[string]*evidence.Cluster{"east": {}, "west": {}}) {
			if !slices.Contains(open, f.Claim) {
				open = append(open, f.Claim)
			}
		}
		if !slices.Equal(open, tc.open) {
			t.Errorf("%q are awaited: %q are open, want %q", tc.await, open, tc.open)
		}
	}
}

func TestWhatIsOpenIsToldInShort(t *testing.T) {
	one := claim.Finding{Claim: "gateway-address", Subject: "east", Reason: "it has none"}
	two, three := claim.Finding{Claim: "gateway-reached", Subject: "east to west"}, claim.Finding{Claim: "gateway-reached", Subject: "west to east"}
	for want, open := range map[string][]claim.Finding{
		"gateway-address (east): it has none":                                 {one},
		"gateway-address (east): it has none; and 2 more, of gateway-reached": {one, two, three},
	} {
		if got := inShort(open); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
