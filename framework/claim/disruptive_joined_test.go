package claim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// TestRecordedJoinedSpoiled breaks, in the recorded run's joined and removed mesh, the claims that no disruption breaks.
func TestRecordedJoinedSpoiled(t *testing.T) {
	seen := func(change func(*evidence.Cluster)) func(evidence.Run) {
		return func(run evidence.Run) { change(example.Cluster(run, west)) }
	}
	pods := func(prefix string, change func(*evidence.Pod)) func(evidence.Run) {
		return seen(func(c *evidence.Cluster) {
			for i, p := range c.Kubernetes.Pods {
				if strings.HasPrefix(p.Name, prefix) {
					change(&c.Kubernetes.Pods[i])
				}
			}
		})
	}
	env := func(name, value string) func(*evidence.Pod) { return func(p *evidence.Pod) { p.Env[name] = value } }
	second := func(body string) func(evidence.Run) {
		return func(run evidence.Run) { example.Calls(run, east, evidence.Second).Replies[7].Body = body }
	}
	const gateway, istiod = "istio-eastwestgateway-", "istiod-"
	for _, tc := range []spoiled{
		{"a step fails", "procedure", "mesh", func(run evidence.Run) {
			run.Steps[slices.IndexFunc(run.Steps, func(s evidence.Step) bool { return s.ID == "S6.1" })].Error = "no matches for kind Gateway"
		}, Failed, "step S6.1"},
		{"other mesh", "mesh-ids", west, pods(gateway, env("ISTIO_META_MESH_ID", "proj-")), Failed, `ISTIO_META_MESH_ID="proj-"`},
		{"other revision", "one-revision", west, pods(istiod, func(p *evidence.Pod) { p.Labels["istio.io/rev"] = "asm-173-3" }), Failed, "asm-173-3"},
		{"no replica", "control-plane-available", west, seen(func(c *evidence.Cluster) {
			for i := range c.Kubernetes.Deployments {
				c.Kubernetes.Deployments[i].Available = 0
			}
		}), Failed, "0 of 1 replicas"},
		{"a container was restarted", "nothing-restarted", west, pods(gateway, func(p *evidence.Pod) { p.Containers[0].Restarts = 2 }), Failed, "was restarted 2 times"},
		{"no webhook", "injector-webhook", west, seen(func(c *evidence.Cluster) { c.Kubernetes.Webhooks = []evidence.Object{} }), Failed, "none of 0"},
		{"an unknown line", "istiod-log", west, seen(func(c *evidence.Cluster) {
			c.Logs[0].Lines = append(c.Logs[0].Lines, evidence.LoggedLine{Level: "error", Message: "something new", Count: 3})
		}), Failed, "something new"},
		{"another provider", "cert-provider", west, pods(gateway, env("PILOT_CERT_PROVIDER", "kubernetes")), Failed, `PILOT_CERT_PROVIDER="kubernetes"`},
		{"the control plane is open", "gateway-exposure", west, func(run evidence.Run) {
			dump := &example.Proxy(run, west, evidence.RoleGateway).ConfigDump
			*dump = []byte(strings.ReplaceAll(string(*dump), `"port_value":15021`, `"port_value":15012`))
			for i, s := range example.Cluster(run, west).Kubernetes.Services {
				example.Cluster(run, west).Kubernetes.Services[i].Ports = append(s.Ports, 15012)
			}
		}, Failed, "listens on port 15012"},
		{"none", "remote-secrets", west, seen(func(c *evidence.Cluster) { c.Kubernetes.RemoteSecrets = nil }), Failed, "0 remote secrets for east"},
		{"listeners were refused", "configuration-accepted", west, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleSleep).Stats = example.Stats(2)
		}, Failed, "refused 2 updates"},
		{"none managed", "remote-cluster-metrics", west, seen(func(c *evidence.Cluster) { c.Istiods[0].Metrics = example.Metrics(0) }), Failed, "counts 0 remote clusters"},
		{"may not read", "reader-access", west, seen(func(c *evidence.Cluster) { c.Kubernetes.ReaderMay["list services"] = false }), Failed, "may not list services"},
		{"on", "locality-off", west, seen(func(c *evidence.Cluster) {
			c.Istiods[0].Pages[evidence.PageMesh] = json.RawMessage(`{"trustDomain":"cluster.local"}`)
		}), Failed, "weighs localities"},
		{"a proxy of another domain", "trust-domain", west, pods("sleep-", env("TRUST_DOMAIN", "evil.local")), Failed, "evil.local"},
		{"another authority", "ca-in-use", west, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = "cc33"
		}, Failed, "another authority signs"},
		{"the gateway has nobody behind it", "second-endpoints", eastToWest, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).Clusters = example.Clusters()
		}, Failed, "no healthy pod of echo.meshproof-second"},
		{"somebody else", "second-service", eastToWest, second(example.SecondBody("north", "spiffe://cluster.local/ns/sample/sa/sleep")), Failed, `somebody answered as "north"`},
		{"another account", "traffic-identity", eastToWest, second(example.SecondBody(west, "spiffe://cluster.local/ns/sample/sa/intruder")), Failed, "/sa/intruder"},
		{"fewer than replied", "served-by-peer", west, func(run evidence.Run) {
			for i, c := range example.Calls(run, west, evidence.Split).After {
				if c.Role == evidence.RoleHelloworld {
					example.Calls(run, west, evidence.Split).After[i].RqTotal--
				}
			}
		}, Failed, "but v2 replied"},
		{"still there", "sample-removed", west, func(run evidence.Run) {
			k := run.Cluster(evidence.Removed, west).Kubernetes
			k.Namespaces = append(k.Namespaces, evidence.Object{Name: "sample"})
		}, Failed, "is still there"},
	} {
		judgeRecorded(t, tc, evidence.Joined, evidence.Removed)
	}
}
