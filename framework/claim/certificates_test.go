package claim

import (
	"encoding/json"
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
