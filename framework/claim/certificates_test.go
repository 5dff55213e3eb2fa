package claim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestIdentities(t *testing.T) {
	certs := func(id string, issued time.Time) func(evidence.Run) {
		return func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleSleep).Certs = example.Certs(id, issued)
		}
	}
	const sleep = "spiffe://cluster.local/ns/sample/sa/sleep"
	noDomain := func(run evidence.Run) { example.Proxy(run, west, evidence.RoleSleep).Certs = nil }
	judgeAll(t, []spoiled{
		{"another domain", "trust-domain", west, istiodOf(func(i *evidence.Istiod) {
			i.Pages[evidence.PageMesh] = json.RawMessage(`{"trustDomain":"fleet.svc.id.goog"}`)
		}), Failed, `has the trust domain "fleet.svc.id.goog", not "cluster.local"`},
		{"a proxy of another domain", "trust-domain", west, podOf(example.SleepPod, func(p *evidence.Pod) { p.Env["TRUST_DOMAIN"] = "evil.local" }), Failed, "evil.local"},
		{"no page", "trust-domain", west, withoutPage(evidence.PageMesh), Inconclusive, "mesh"},

		{"another domain", "workload-identity", west, certs("spiffe://evil.local/ns/sample/sa/sleep", example.Began()), Failed, "evil.local"},
		{"another account", "workload-identity", west, certs("spiffe://cluster.local/ns/sample/sa/default", example.Began()), Failed, "not for " + sleep},
		{"no certificate", "workload-identity", west, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleSleep).Certs = json.RawMessage(`{"certificates":[]}`)
		}, Failed, "has no certificate"},
		{"no page", "workload-identity", west, noDomain, Inconclusive, "not collected"},

		{"of the future", "certificates-valid", west, certs(sleep, example.Began().Add(4*time.Hour)), Failed, "is not valid before"},
		{"of the past", "certificates-valid", west, certs(sleep, example.Began().Add(-25*time.Hour)), Failed, "was valid until"},
		{"clocks half a minute apart", "certificates-valid", west, certs(sleep, example.Began().Add(150*time.Second)), Passed, "were valid"},
		{"no page", "certificates-valid", west, noDomain, Inconclusive, "not collected"},

		{"another authority", "ca-in-use", west, func(run evidence.Run) { example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = "cc33" }, Failed, "another authority signs"},
		{"no root of istiod's", "ca-in-use", west, objectsOf(func(k *evidence.Kubernetes) { k.MeshRoot = "" }), Inconclusive, "no root of istiod's own"},
		{"no root in a proxy", "ca-in-use", west, func(run evidence.Run) { example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = "" }, Inconclusive, "shows no root"},
	})
	run := example.Healthy()
	run.Intent.CA = "mesh-ca"
	if f := one(t, run, "ca-in-use", west); f.Verdict != Failed {
		t.Errorf("istiod's own root with Mesh CA: %s: %s", f.Verdict, f.Reason)
	}
	example.Cluster(run, west).Kubernetes.MeshRoot = "bb22"
	if f := one(t, run, "ca-in-use", west); f.Verdict != Passed {
		t.Errorf("another root with Mesh CA: %s: %s", f.Verdict, f.Reason)
	}
	run.Intent.TrustDomain = ""
	for _, id := range []string{"trust-domain", "workload-identity"} {
		if f := one(t, run, id, west); f.Verdict != Inconclusive {
			t.Errorf("%s without an expected trust domain: %s: %s", id, f.Verdict, f.Reason)
		}
	}
}

// TestTrustAnchorsBesideTheMeshRoot: an agent adds the anchors of the mesh's configuration to istiod's root; the config map has the root alone.
func TestTrustAnchorsBesideTheMeshRoot(t *testing.T) {
	anchored := func(run evidence.Run, clusters ...string) {
		for _, c := range clusters {
			example.Cluster(run, c).Kubernetes.MeshRoots = []string{example.Root}
			for i := range example.Cluster(run, c).Proxies {
				p := &example.Cluster(run, c).Proxies[i]
				p.RootSHA256, p.Roots = "ax12", []string{example.Root, "dd44"}
			}
		}
	}
	for name, tc := range map[string]struct {
		spoil func(evidence.Run)
		root  Verdict
		ca    Verdict
		word  string
	}{
		"everywhere":     {func(run evidence.Run) { anchored(run, east, west) }, Passed, Passed, "trust the root with SHA-256 ax12"},
		"on one cluster": {func(run evidence.Run) { anchored(run, west) }, Failed, Passed, "trusts the root aa11aa11aa11aa11, but pod sleep-1 on west"},
		"a control plane with another root": {func(run evidence.Run) {
			anchored(run, east, west)
			k := example.Cluster(run, west).Kubernetes
			k.MeshRoot, k.MeshRoots = "bb22", []string{"bb22"}
		}, Failed, Failed, "the control plane of west trusts bb22"},
		"one of its two roots": {func(run evidence.Run) {
			anchored(run, east, west)
			k := example.Cluster(run, west).Kubernetes
			k.MeshRoot, k.MeshRoots = "ab33", []string{example.Root, "bb22"}
		}, Failed, Failed, "the control plane of west trusts ab33"},
		"a proxy without them": {func(run evidence.Run) {
			anchored(run, east, west)
			p := example.Proxy(run, west, evidence.RoleSleep)
			p.RootSHA256, p.Roots = example.Root, []string{example.Root}
		}, Failed, Passed, "pod sleep-1 on west trusts aa11"},
		"older evidence": {func(run evidence.Run) {
			anchored(run, east, west)
			example.Cluster(run, west).Kubernetes.MeshRoots = nil
		}, Failed, Failed, "the control plane of west trusts aa11"},
	} {
		run := example.Healthy()
		tc.spoil(run)
		root, ca := one(t, run, "common-root", "mesh"), one(t, run, "ca-in-use", west)
		if root.Verdict != tc.root || ca.Verdict != tc.ca || !strings.Contains(root.Reason, tc.word) {
			t.Errorf("%s: common-root %s (%s), want %s with %q; ca-in-use %s (%s), want %s", name, root.Verdict, root.Reason, tc.root, tc.word, ca.Verdict, ca.Reason, tc.ca)
		}
	}
}
