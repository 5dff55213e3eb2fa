package claim

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestHealthyMeshPassesEveryClaim(t *testing.T) {
	run := example.Healthy()
	found := Judge(run)
	for _, f := range found {
		if unasked(f) {
			if f.Verdict != Skipped || f.Level != Extended {
				t.Errorf("%s of a run that changed nothing: %s, %s: %s", f.Claim, f.Level, f.Verdict, f.Reason)
			}
			continue
		}
		saw(run, f)
		if f.Verdict != Passed {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
		if f.Reason == "" || f.Sentence == "" || f.Guide == "" || len(f.Evidence) == 0 {
			t.Errorf("%s (%s): reason, sentence, guide or evidence is empty: %+v", f.Claim, f.Subject, f)
		}
	}
	if code := ExitCode(found); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if rate := FalseFailRate(run); rate < 1.471e-8 || rate > 1.473e-8 {
		t.Errorf("false-fail rate %g, want twice 7.36e-9", rate)
	}
}

func TestClaimsAreAList(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.ID] {
			t.Errorf("claim %s is there twice", c.ID)
		}
		seen[c.ID] = true
		if want := c.Area == Split || c.Disruptive || c.ID == "traffic-identity"; (c.Kind == Once) != want {
			t.Errorf("claim %s is of kind %s: calls are judged once, alone and with what was done to the mesh, and nothing else is", c.ID, c.Kind)
		}
		if want := slices.Contains(extended(), c.ID); (c.Level == Extended) != want {
			t.Errorf("claim %s is %s", c.ID, c.Level)
		}
	}
	for _, id := range []string{"procedure", "mesh-ids", "one-revision", "sidecars", "gateway-available", "gateway-address", "gateway-listener",
		"gateway-exposes", "gateway-reached", "remote-clusters-synced", "endpoints-across-gateway", "gateway-backend-healthy", "lb-policy", "common-root",
		"guide-calls", "split-replies", "split-accounted", "split-balanced", "served-by-peer", "crossed-by-gateway", "sample-removed", "endpoints-withdrawn",
		"control-plane-available", "network-names", "namespace-labelled", "remote-secrets", "gateways-known", "endpoints-shared", "proxies-synced",
		"trust-domain", "workload-identity", "certificates-valid", "accepts-mesh-certificate", "denies-plaintext", "denies-unknown-names",
		"denies-foreign-protocols", "denies-missing-certificate", "denies-foreign-certificates", "second-endpoints", "second-service", "traffic-identity", "create-mesh-secrets", "refuses-other-fleet"} {
		if !seen[id] {
			t.Errorf("there is no claim %s", id)
		}
	}
}

// extended are the claims that are reported and decide nothing.
func extended() []string {
	return []string{"lb-policy", "injector-webhook", "cert-provider", "gateway-exposure", "remote-cluster-metrics", "reader-access", "locality-off", "ca-in-use", "configuration-accepted", "nothing-restarted",
		"refuses-other-fleet", "istiod-log", "istiod-panics"}
}

// TestNoFileNoPass takes each file away that a finding names, one by one: what cannot be read is never passed, and is named.
func TestNoFileNoPass(t *testing.T) {
	for _, healthy := range []func() evidence.Run{example.Healthy, example.WithAsmcli} {
		for _, f := range Judge(healthy()) {
			for _, file := range f.Evidence {
				got := one(t, example.Without(healthy(), file), f.Claim, f.Subject)
				if got.Verdict != Inconclusive || !strings.Contains(got.Reason, file) {
					t.Errorf("%s (%s) without %s: %s: %s", f.Claim, f.Subject, file, got.Verdict, got.Reason)
				}
			}
		}
	}
}

// one gives the finding of a claim on a subject; the finding on "mesh" when there is no such subject.
func one(t *testing.T, run evidence.Run, id, subject string) Finding {
	t.Helper()
	var found []Finding
	for _, c := range All() {
		if c.ID == id {
			found = c.Judge(run)
		}
	}
	for _, who := range []string{subject, "mesh"} {
		at := slices.IndexFunc(found, func(f Finding) bool { return f.Claim == id && f.Subject == who })
		if at >= 0 {
			saw(run, found[at])
			return found[at]
		}
	}
	t.Fatalf("no finding of %s on %s", id, subject)
	return Finding{}
}

func TestEvidenceOfNothing(t *testing.T) {
	intentOnly := evidence.Run{Intent: example.Intent()}
	stoppedEarly := intentOnly
	stoppedEarly.Steps = []evidence.Step{{ID: "P3", Title: "create the kind clusters", Error: "no space left on device"}}
	for name, run := range map[string]evidence.Run{"no intent": {}, "intent only": intentOnly, "stopped early": stoppedEarly,
		"clusters without parts": {Intent: example.Intent(), Epochs: map[string]evidence.Epoch{
			evidence.Joined:  {Clusters: map[string]*evidence.Cluster{"east": {}, "west": {}}},
			evidence.Removed: {Clusters: map[string]*evidence.Cluster{"east": {}, "west": {}}},
		}}} {
		found := Judge(run)
		for _, f := range found {
			if unasked(f) {
				continue // nothing was done to the mesh
			}
			if f.Verdict != Inconclusive || f.Reason == "" {
				t.Errorf("%s: %s (%s): %s: %s", name, f.Claim, f.Subject, f.Verdict, f.Reason)
			}
			if name == "stopped early" && !strings.Contains(f.Reason, "no space left") && !strings.Contains(f.Reason, "step P3") {
				t.Errorf("%s does not say why nothing was seen: %s", f.Claim, f.Reason)
			}
		}
		if code := ExitCode(found); code != 3 {
			t.Errorf("%s: exit code %d, want 3", name, code)
		}
	}
}

func TestUnsealedEvidenceDoesNotPass(t *testing.T) {
	for _, f := range Judge(example.Without(example.Healthy(), evidence.SumsFile)) {
		if unasked(f) {
			continue
		}
		if f.Verdict != Inconclusive || !strings.Contains(f.Reason, evidence.SumsFile) {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
	}
}

func TestAnIncompleteListDoesNotPass(t *testing.T) {
	run := example.Healthy()
	c := example.Cluster(run, "west")
	c.Problems = []evidence.Problem{{What: "API objects", Error: "read events in sample on cluster west: timed out"}}
	if f := one(t, run, "gateway-address", "west"); f.Verdict != Passed {
		t.Errorf("events are not read by this claim, but: %s", f.Reason)
	}
	c.Problems = append(c.Problems, evidence.Problem{What: "API objects", Error: "read services in istio-system on cluster west: timed out"})
	if f := one(t, run, "gateway-address", "west"); f.Verdict != Inconclusive || !strings.Contains(f.Reason, "services in istio-system") {
		t.Errorf("%s: %s", f.Verdict, f.Reason)
	}
	run = example.Without(example.Healthy(), evidence.FileOfProblems(evidence.Joined, "west"))
	if f := one(t, run, "gateway-address", "west"); f.Verdict != Inconclusive || !strings.Contains(f.Reason, "problems.json") {
		t.Errorf("%s: %s", f.Verdict, f.Reason)
	}
}

func TestAPanicIsInconclusive(t *testing.T) {
	mistaken := rule{Claim: Claim{ID: "x", Level: Core}, about: wholeMesh, judge: func(view) result { panic("shape") }}
	found := mistaken.claim().Judge(example.Healthy())
	if len(found) != 1 || found[0].Verdict != Inconclusive || !strings.Contains(found[0].Reason, "shape") {
		t.Errorf("%+v", found)
	}
}

func aboutAsmcli(f Finding) bool {
	return slices.ContainsFunc(slices.Concat(createMeshRules(), otherFleetRules()), func(r rule) bool { return r.ID == f.Claim })
}

// unasked are the claims that a run in corrected mode does not make when it changes nothing and has no asmcli.
func unasked(f Finding) bool {
	return f.Area == Printed || aboutAsmcli(f) || slices.ContainsFunc(disruptions(), func(d disruption) bool { return d.claim == f.Claim }) ||
		slices.ContainsFunc(injections(), func(i injection) bool { return i.claim == f.Claim })
}
