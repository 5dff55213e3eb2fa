package cause

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// TestOnTheRecordedMesh puts what was measured on real meshes into recorded pages.
func TestOnTheRecordedMesh(t *testing.T) {
	load := func() evidence.Run {
		run, err := evidence.Load("../testdata/healthy")
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	run := load()
	for _, f := range Apply(run, claim.Judge(run)) {
		if f.Cause != nil {
			t.Errorf("%s (%s): %s, %+v", f.Claim, f.Subject, f.Verdict, *f.Cause)
		}
	}
	// 70/30 by a VirtualService: the route that was recorded, with two targets in place of one.
	sleep := example.Proxy(run, east, evidence.RoleSleep)
	plain := fmt.Sprintf(`"route":{"cluster":%q`, evidence.OutboundCluster("sample"))
	if !bytes.Contains(sleep.ConfigDump, []byte(plain)) {
		t.Fatal("the recorded page has no such route")
	}
	sleep.ConfigDump = bytes.ReplaceAll(sleep.ConfigDump, []byte(plain),
		fmt.Appendf(nil, `"route":{"weighted_clusters":{"clusters":[{"name":%q,"weight":70},{"name":%q,"weight":30}]}`, subset("v1"), subset("v2")))
	t.Run("subset on one side", func(t *testing.T) {
		f := claim.Finding{Claim: "split-balanced", Subject: eastToWest, Verdict: claim.Failed}
		if got, _ := Name(run, f); got == nil || got.ID != "subset-on-one-side" {
			t.Errorf("%+v", got)
		}
	})
	gateway := example.Proxy(run, west, evidence.RoleGateway)
	chain := []byte(evidence.SNICluster("sample"))
	gateway.ConfigDump = bytes.ReplaceAll(gateway.ConfigDump, fmt.Appendf(nil, `"server_names":[%q]`, chain),
		fmt.Appendf(nil, `"server_names":[%q,%q,%q]`, chain, "outbound_.5000_.v1_.helloworld.sample.svc.cluster.local", "outbound_.5000_.v2_.helloworld.sample.svc.cluster.local"))
	f := claim.Finding{Claim: "split-balanced", Subject: eastToWest, Verdict: claim.Failed}
	if got, _ := Name(run, f); got == nil || got.ID != "virtual-service" {
		t.Errorf("%+v", got)
	}
}

// TestNothingHidesBehindOneNetwork: a run that expects one network name is not to miss what stands behind it.
func TestNothingHidesBehindOneNetwork(t *testing.T) {
	run := example.Healthy()
	example.Cluster(run, west).Kubernetes.Namespaces[0].Labels["topology.istio.io/network"] = "network1"
	strangerBehindGateway(run)
	for i := range example.Calls(run, east, evidence.Split).Replies {
		if r := &example.Calls(run, east, evidence.Split).Replies[i]; i%2 == 0 {
			r.Code, r.Version, r.Body = 403, "", "RBAC: access denied"
		}
	}
	expecting := run
	expecting.Intent.Expect = []string{"F1"}
	for id, want := range map[string][2]string{
		"split-replies " + eastToWest:     {"same-network", "authorization-denied"},
		"gateway-backend-healthy " + west: {"same-network", "same-network"}, // the stale address comes of it
	} {
		name, subject, _ := strings.Cut(id, " ")
		before, after := finding(t, Apply(run, claim.Judge(run)), name, subject), finding(t, Apply(expecting, claim.Judge(run)), name, subject)
		if before.Cause == nil || before.Cause.ID != want[0] || after.Cause == nil || after.Cause.ID != want[1] {
			t.Errorf("%s: %+v, then %+v, want %v", id, before.Cause, after.Cause, want)
		}
	}
}

// TestWhatOneNetworkBringsIsExpected: raw addresses of pods come of one network name, and so do connections to a gateway that
// has such an address behind it, as a run in the printed text's way showed whose pods had different addresses.
func TestWhatOneNetworkBringsIsExpected(t *testing.T) {
	run := example.Healthy()
	run.Intent.Expect = []string{"F1"}
	example.Cluster(run, west).Kubernetes.Namespaces[0].Labels["topology.istio.io/network"] = "network1"
	raw := example.Remote(run.Intent.Clusters[1], 1)
	raw.Address, raw.Port = "10.244.0.10", 5000
	*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), raw)
	for _, f := range []claim.Finding{
		{Claim: "endpoints-across-gateway", Subject: eastToWest, Verdict: claim.Failed},
		{Claim: "denies-missing-certificate", Subject: eastToWest, Verdict: claim.Inconclusive},
	} {
		if got := Apply(run, []claim.Finding{f})[0]; got.Cause == nil || got.Cause.ID != "same-network" {
			t.Errorf("%s: %+v", f.Claim, got.Cause)
		}
	}
}

// TestWhatWasNotSeenIsNotExpected: one network name explains no evidence that is missing, so that it cannot stand for the calls.
func TestWhatWasNotSeenIsNotExpected(t *testing.T) {
	refused := "call helloworld from cluster east: exec in sample/sleep: forbidden"
	guided := func(change func(*evidence.Traffic)) func(evidence.Run) {
		return func(run evidence.Run) { change(example.Calls(run, east, evidence.GuideCalls)) }
	}
	for _, tc := range []struct {
		name, claim, subject string
		verdict              claim.Verdict
		spoil                func(evidence.Run)
	}{
		{"all was seen", "network-names", east, claim.Passed, func(evidence.Run) {}},
		{"the exec was refused", "guide-calls", eastToWest, claim.Inconclusive, guided(func(calls *evidence.Traffic) { calls.Replies, calls.Error = nil, refused })},
		{"the exec was cut off", "guide-calls", eastToWest, claim.Inconclusive, guided(func(calls *evidence.Traffic) { calls.Replies, calls.Error = calls.Replies[:3], refused })},
		{"the calls were stalled", "guide-calls", eastToWest, claim.Passed, guided(func(calls *evidence.Traffic) {
			calls.Replies, calls.Error = calls.Replies[:3], "ended after 4m0s: the step's limit of 4m0s has passed"
		})},
		{"no call is there", "guide-calls", eastToWest, claim.Inconclusive, func(run evidence.Run) {
			c := example.Cluster(run, east)
			c.Traffic = slices.DeleteFunc(c.Traffic, func(t evidence.Traffic) bool { return t.Purpose == evidence.GuideCalls })
		}},
		{"the measured calls were refused", "split-accounted", eastToWest, claim.Inconclusive, func(run evidence.Run) {
			calls := example.Calls(run, east, evidence.Split)
			calls.Pod, calls.Replies, calls.Error = "", nil, refused
		}},
		{"a page is not there", "gateway-backend-healthy", west, claim.Inconclusive, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).Clusters = nil
		}},
	} {
		run := example.Healthy()
		run.Intent.Mode, run.Intent.Expect = intent.Literal, []string{"F1"}
		for name := range run.Epochs[evidence.Joined].Clusters {
			example.Cluster(run, name).Kubernetes.Namespaces[0].Labels["topology.istio.io/network"] = "network1"
			example.Pod(run, name, example.GatewayPod).Env["ISTIO_META_NETWORK"] = "network1"
		}
		raw := example.Remote(run.Intent.Clusters[1], 1)
		raw.Address, raw.Port = "10.244.0.10", 5000
		*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), raw)
		tc.spoil(run)
		found := Apply(run, claim.Judge(run))
		if f := finding(t, found, tc.claim, tc.subject); (f.Cause != nil) != (tc.verdict == claim.Passed) {
			t.Errorf("%s: %s is %s: %s, %+v", tc.name, tc.claim, f.Verdict, f.Reason, f.Cause)
		}
		if verdict, reason := claim.Conclude(found, run.Intent.Expect...); verdict != tc.verdict {
			t.Errorf("%s: %s: %s, want %s", tc.name, verdict, reason, tc.verdict)
		}
	}
}

// TestTheOddOneOfThreeIsNamed: which cluster has another root than the others is what its owner wants to know.
func TestTheOddOneOfThreeIsNamed(t *testing.T) {
	for _, odd := range []int{0, 1, 2} {
		run, err := evidence.Load("../testdata/three")
		if err != nil {
			t.Fatal(err)
		}
		name := run.Intent.Clusters[odd].Name
		proxies := example.Cluster(run, name).Proxies
		for i := range proxies {
			proxies[i].RootSHA256 = "cc33"
		}
		got, _ := Name(run, claim.Finding{Claim: "common-root", Subject: "mesh", Verdict: claim.Failed})
		if got == nil || got.ID != "different-roots" || !strings.Contains(got.Sentence, "he proxies of "+name+" trust the root cc33, those of ") {
			t.Errorf("%s has another root: %+v", name, got)
		}
		proxies[0].RootSHA256 = example.Cluster(run, run.Intent.Clusters[(odd+1)%3].Name).Proxies[0].RootSHA256
		if got, _ := Name(run, claim.Finding{Claim: "common-root", Subject: "mesh", Verdict: claim.Failed}); got == nil || !strings.Contains(got.Sentence, " on cluster "+name+" the root ") && !strings.Contains(got.Sentence, " on cluster "+name+" trusts the root ") {
			t.Errorf("pods of %s have either: %+v", name, got)
		}
	}
}
