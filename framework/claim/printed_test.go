package claim

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// printed gives the evidence of a run that followed the printed text, on releases that take it all.
func printed() evidence.Run {
	run := example.Healthy()
	run.Intent.Mode = intent.Literal
	return run
}

// raw gives sleep on a cluster the peer's pod in place of its gateway.
func raw(run evidence.Run, cluster string) {
	c, _ := run.Intent.Cluster(cluster)
	pod := example.Remote(run.Intent.Peers(cluster)[0], 1)
	pod.Address, pod.Port = "10.244.0.12", 5000
	*example.Proxy(run, cluster, evidence.RoleSleep) = example.Sleep(example.Local(c, 1), pod)
}

// refused puts the step before the gateway's in which istioctl refused the printed flag.
func refused(run *evidence.Run) {
	at := slices.IndexFunc(run.Steps, func(s evidence.Step) bool { return strings.HasPrefix(s.ID, "S6") })
	run.Steps = slices.Insert(slices.Clone(run.Steps), at, evidence.Step{ID: "S6.1", Title: "Install", Cluster: east, ExitCode: 1, Finding: "F2",
		Error: "exit status 1", Stderr: "Error: generate config:\ncould not unmarshal: json: unknown field \"spec\"\n"})
}

func TestPrinted(t *testing.T) {
	for _, tc := range []struct {
		name, claim string
		spoil       func(*evidence.Run)
		verdict     Verdict
		reason      string
	}{
		{"the gateway is given", "printed-networks", func(*evidence.Run) {}, Passed, "the peer's gateway on every cluster"},
		{"raw addresses", "printed-networks", func(run *evidence.Run) { raw(*run, west) }, Failed, "sleep on west is given 10.244.0.12:5000, 10.244.0.8:5000, where pods of the other side are, and 0 addresses"},
		{"one address on both sides", "printed-networks", func(run *evidence.Run) {
			c, _ := run.Intent.Cluster(west)
			*example.Proxy(*run, west, evidence.RoleSleep) = example.Sleep(example.Local(c, 1))
		}, Failed, "sleep on west is given 10.244.0.8:5000, where pods of the other side are, and 0 addresses"},
		{"nothing of the other side", "printed-networks", func(run *evidence.Run) {
			c, _ := run.Intent.Cluster(west)
			example.Pod(*run, east, example.AppPod(run.Intent.Clusters[0])).IP = "10.244.0.99"
			*example.Proxy(*run, west, evidence.RoleSleep) = example.Sleep(example.Local(c, 1))
		}, Inconclusive, "nothing of the other side"},
		{"endpoints were not collected", "printed-networks", func(run *evidence.Run) {
			example.Proxy(*run, west, evidence.RoleSleep).ConfigDump = nil
		}, Inconclusive, "was not collected"},
		{"the flag is taken", "printed-flag", func(*evidence.Run) {}, Passed, "takes the printed flag"},
		{"the flag is refused", "printed-flag", refused, Failed, "refuses the printed flag: could not unmarshal: json: unknown field \"spec\""},
		{"no gateway", "printed-flag", func(run *evidence.Run) {
			run.Steps = slices.DeleteFunc(slices.Clone(run.Steps), func(s evidence.Step) bool { return strings.HasPrefix(s.ID, "S6") })
		}, Inconclusive, "no gateway was installed"},
		{"the refused step is no failed set-up", "procedure", refused, Passed, "all steps"},
	} {
		run := printed()
		tc.spoil(&run)
		if f := one(t, run, tc.claim, "mesh"); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.reason) {
			t.Errorf("%s: %s: %s: %s\nwant %s: ...%s...", tc.claim, tc.name, f.Verdict, f.Reason, tc.verdict, tc.reason)
		}
	}
}

func TestExpected(t *testing.T) {
	shows := func(id string, v Verdict) Finding {
		return Finding{Claim: "printed", Finding: id, Level: Core, Verdict: v, Subject: "mesh", Reason: "of the print"}
	}
	because := func(cause string, v Verdict) Finding {
		return Finding{Claim: "split-replies", Level: Core, Verdict: v, Subject: eastToWest, Reason: "one side", Cause: &Cause{ID: cause, Sentence: cause + "."}}
	}
	fine := Finding{Claim: "procedure", Level: Core, Verdict: Passed}
	for _, tc := range []struct {
		name     string
		expected []string
		all      []Finding
		verdict  Verdict
		reason   string
	}{
		{"both, with what they explain", []string{"F1", "F2"}, []Finding{fine, shows("F1", Failed), shows("F2", Failed), because("same-network", Failed), because("same-network", Inconclusive)},
			Passed, "exactly what is expected of it: F1, F2 (4 findings"},
		{"one of them", []string{"F2"}, []Finding{fine, shows("F1", Passed), shows("F2", Failed)}, Passed, "F2 (1 findings"},
		{"one was not expected", []string{"F2"}, []Finding{fine, shows("F1", Failed), shows("F2", Failed)}, Failed, "more is wrong than was expected"},
		{"one was not found", []string{"F1", "F2"}, []Finding{fine, shows("F1", Failed), shows("F2", Passed)}, Failed, "not found: F2"},
		{"one could not be told", []string{"F1", "F2"}, []Finding{fine, shows("F1", Inconclusive), shows("F2", Failed)}, Inconclusive, "not found: F1: of the print"},
		{"something else is wrong", []string{"F1"}, []Finding{fine, shows("F1", Failed), because("different-roots", Failed)}, Failed, "different-roots"},
		{"something else could not be told", []string{"F1"}, []Finding{fine, shows("F1", Failed), because("image-not-pullable", Inconclusive)}, Inconclusive, "image-not-pullable"},
		{"F2 explains no split", []string{"F2"}, []Finding{fine, shows("F2", Failed), because("same-network", Failed)}, Failed, "same-network"},
		{"nothing is expected", nil, []Finding{fine, shows("F1", Failed)}, Failed, "does not conform"},
	} {
		if verdict, reason := Conclude(tc.all, tc.expected...); verdict != tc.verdict || !strings.Contains(reason, tc.reason) {
			t.Errorf("%s: %s: %s\nwant %s: ...%s...", tc.name, verdict, reason, tc.verdict, tc.reason)
		}
	}
}
