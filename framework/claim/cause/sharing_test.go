package cause

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// replies changes the replies that sleep on east had from west.
func replies(change func(*evidence.Reply)) func(evidence.Run) {
	return func(run evidence.Run) {
		all := example.Calls(run, east, evidence.Split).Replies
		for i := range all {
			if all[i].Version == "v2" {
				change(&all[i])
				all[i].Version = ""
			}
		}
	}
}

// fails makes connections from east to west's gateway fail during the calls.
func fails(count int64) func(evidence.Run) {
	return func(run evidence.Run) {
		after := example.Calls(run, east, evidence.Split).After
		for i, c := range after {
			if strings.HasSuffix(c.Address, ":15443") {
				after[i].CxConnectFail, after[i].RqError = count, count
			}
		}
	}
}

// sends makes sleep on east route helloworld's requests to these targets.
func sends(policy evidence.Policy, all ...evidence.Target) func(evidence.Run) {
	return func(run evidence.Run) {
		out := evidence.OutboundCluster("sample")
		example.Proxy(run, east, evidence.RoleSleep).ConfigDump = example.Dump(
			example.Endpoints(out, example.Local(run.Intent.Clusters[0], 1), example.Remote(run.Intent.Clusters[1], 1)), example.Policy(out, policy), example.Routes(all...))
	}
}

func subset(name string) string {
	return "outbound|5000|" + name + "|" + evidence.HelloworldHost("sample")
}

// opens gives west's gateway a filter chain for each of these subsets.
func opens(run evidence.Run, names ...string) {
	chains := []string{evidence.SNICluster("sample")}
	for _, n := range names {
		chains = append(chains, "outbound_.5000_."+n+"_."+evidence.HelloworldHost("sample"))
	}
	example.Proxy(run, west, evidence.RoleGateway).ConfigDump = example.Dump(example.Listener(15443, chains...), example.Endpoints("other"))
}

func TestSharing(t *testing.T) {
	weighted := []evidence.Target{{Cluster: subset("v1"), Weight: 70}, {Cluster: subset("v2"), Weight: 30}}
	leastRequest := evidence.Policy{LB: "LEAST_REQUEST"}
	rule := func(d evidence.DestinationRule, p evidence.Policy) func(evidence.Run) {
		return func(run evidence.Run) {
			alone(run)
			d.Object, d.Host = evidence.Object{Namespace: "sample", Name: "shift"}, "helloworld"
			example.Cluster(run, east).Kubernetes.DestinationRules = []evidence.DestinationRule{d}
			sends(p, evidence.Target{Cluster: evidence.OutboundCluster("sample")})(run)
		}
	}
	nameAll(t, []named{
		{"authorization-denied", "split-replies", eastToWest, claim.Failed, `300 of 600 calls from cluster east were refused with "RBAC: access denied" (authorization policies: sample/deny-all on west)`, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.AuthorizationPolicies = []evidence.AuthorizationPolicy{{Object: evidence.Object{Namespace: "sample", Name: "deny-all"}, Action: "DENY"}}
			replies(func(r *evidence.Reply) { r.Code, r.Body = 403, "RBAC: access denied" })(run)
		}},
		{"authorization-denied", "guide-calls", eastToWest, claim.Failed, "none was seen", func(run evidence.Run) {
			r := &example.Calls(run, east, evidence.GuideCalls).Replies[0]
			r.Version, r.Body = "", "RBAC: access denied"
		}},
		{"dns", "split-replies", eastToWest, claim.Inconclusive, "DNS of cluster east did not resolve helloworld.sample for sleep in 300 of 600 calls", replies(func(r *evidence.Reply) { r.Code, r.Exit, r.Body = 0, 6, "" })},
		{"dns", "guide-calls", eastToWest, claim.Inconclusive, "in 1 of 20 calls", func(run evidence.Run) {
			c := example.Calls(run, east, evidence.GuideCalls)
			c.Replies, c.Stderr = c.Replies[1:], "curl: (6) Could not resolve host: helloworld.sample"
		}},
		{"endpoint-ejected", "split-balanced", eastToWest, claim.Failed, "has taken 172.18.252.1:15443 out", func(run evidence.Run) {
			alone(run)
			example.Proxy(run, east, evidence.RoleSleep).Clusters = example.Clusters(evidence.Counters{Cluster: evidence.OutboundCluster("sample"), Address: "172.18.252.1:15443", Healthy: true, Ejected: true})
		}},
		{"endpoint-ejected", "split-balanced", eastToWest, claim.Failed, "outlier detection in sleep on cluster east", func(run evidence.Run) {
			alone(run)
			after := example.Calls(run, east, evidence.Split).After
			after[len(after)-1].Ejected = true
		}},
		{"endpoint-unhealthy", "endpoints-across-gateway", eastToWest, claim.Failed, "is told that 172.18.252.1:15443 is UNHEALTHY", func(run evidence.Run) {
			remote := example.Remote(run.Intent.Clusters[1], 1)
			remote.Health = "UNHEALTHY"
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), remote)
		}},
		{"endpoint-unhealthy", "split-balanced", eastToWest, claim.Failed, "gateway of cluster west takes helloworld's pod 10.244.0.8:5000 behind it for unhealthy", func(run evidence.Run) {
			alone(run)
			fails(91)(run)
			example.Proxy(run, west, evidence.RoleGateway).Clusters = example.Clusters(evidence.Counters{Cluster: evidence.SNICluster("sample"), Address: "10.244.0.8:5000"})
		}},
		{"failover-priority", "split-balanced", eastToWest, claim.Failed, "172.18.252.1:15443 has priority 1", func(run evidence.Run) {
			alone(run)
			remote := example.Remote(run.Intent.Clusters[1], 1)
			remote.Priority = 1
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), remote)
		}},
		{"subset-on-one-side", "split-replies", eastToWest, claim.Failed, `subset "v1" of helloworld, which cluster west does not define`, func(run evidence.Run) {
			sends(leastRequest, weighted...)(run)
			replies(func(r *evidence.Reply) {
				r.Code, r.Body = 503, "upstream connect error or disconnect/reset before headers"
			})(run)
		}},
		{"virtual-service", "split-balanced", eastToWest, claim.Failed, "70 to outbound|5000|v1|helloworld.sample.svc.cluster.local, 30 to", func(run evidence.Run) {
			example.Answer(run, east, func(n int) string { return map[bool]string{true: "v1", false: "v2"}[n <= 417] })
			sends(leastRequest, weighted...)(run)
			opens(run, "v1", "v2")
			example.Cluster(run, east).Kubernetes.VirtualServices = []evidence.VirtualService{{Object: evidence.Object{Namespace: "sample", Name: "seventy"}, Hosts: []string{"helloworld"}}}
		}},
		{"destination-rule", "split-balanced", eastToWest, claim.Failed, "destination rule sample/shift on cluster east makes sleep choose endpoints by MAGLEV", rule(evidence.DestinationRule{LB: "CONSISTENT_HASH"}, evidence.Policy{LB: "MAGLEV"})},
		{"destination-rule", "split-balanced", eastToWest, claim.Failed, "weigh localities", rule(evidence.DestinationRule{Locality: true}, evidence.Policy{LB: "LEAST_REQUEST", LocalityWeighted: true})},
		{"destination-rule", "split-balanced", eastToWest, claim.Failed, "TLS mode DISABLE", rule(evidence.DestinationRule{TLSMode: "DISABLE"}, leastRequest)},
		{"destination-rule", "lb-policy", eastToWest, claim.Failed, "turns outlier detection on", rule(evidence.DestinationRule{Outlier: true}, evidence.Policy{LB: "LEAST_REQUEST", Outlier: true})},
		{"destination-rule", "lb-policy", eastToWest, claim.Failed, "by RANDOM", rule(evidence.DestinationRule{LB: "RANDOM"}, evidence.Policy{LB: "RANDOM"})},
		{"stale-endpoint", "endpoints-across-gateway", eastToWest, claim.Failed, "holds 10.244.0.77:5000 for helloworld, an address that no pod of it has", func(run evidence.Run) {
			old := example.Local(run.Intent.Clusters[0], 1)
			old.Address = "10.244.0.77"
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), old, example.Remote(run.Intent.Clusters[1], 1))
		}},
		{"stale-endpoint", "gateway-backend-healthy", west, claim.Failed, "passes helloworld's traffic on to 10.244.0.77:5000", strangerBehindGateway},
		{"remote-connections-failing", "split-accounted", eastToWest, claim.Failed, "58 connections from sleep on cluster east to 172.18.252.1:15443 failed", fails(58)},
		{"version-in-wrong-cluster", "split-balanced", eastToWest, claim.Failed, `on cluster west is version "v1"`, func(run evidence.Run) {
			alone(run)
			example.Pod(run, west, "helloworld-v2-1").Labels["version"] = "v1"
		}},
	})
}

func TestTheWay(t *testing.T) {
	down := func(run evidence.Run) {
		alone(run)
		fails(46)(run)
		k := example.Cluster(run, west).Kubernetes
		k.Deployments[0].Replicas, k.Deployments[0].Available = 0, 0
		k.Pods = slices.DeleteFunc(k.Pods, func(p evidence.Pod) bool { return p.Name == example.GatewayPod })
		example.Cluster(run, west).Proxies = example.Cluster(run, west).Proxies[1:]
		example.Unreachable(run, east, "dial tcp 172.18.252.1:15443: connect: no route to host")
	}
	dial := func(text string) func(evidence.Run) {
		return func(run evidence.Run) { example.Unreachable(run, east, text) }
	}
	moved := func(address string, port uint32) func(evidence.Run) {
		return func(run evidence.Run) {
			remote := example.Remote(run.Intent.Clusters[1], 1)
			remote.Address, remote.Port = address, port
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), remote)
		}
	}
	certs := func(issued time.Time) func(evidence.Run) {
		return func(run evidence.Run) {
			alone(run)
			example.Proxy(run, west, evidence.RoleHelloworld).Certs = example.Certs("spiffe://cluster.local/ns/sample/sa/default", issued)
		}
	}
	nameAll(t, []named{
		{"gateway-not-running", "gateway-available", west, claim.Failed, "no pod of the gateway of cluster west is ready: its deployment has 0 of 0", down},
		{"gateway-not-running", "gateway-reached", eastToWest, claim.Failed, "cluster west", down},
		{"gateway-not-running", "split-balanced", eastToWest, claim.Failed, "cluster west", down},
		{"gateway-not-running", "served-by-peer", west, claim.Failed, "cluster west", func(run evidence.Run) {
			down(run)
			example.Calls(run, west, evidence.Split).After[0].RqTotal++
		}},
		{"gateway-not-running", "gateway-listener", west, claim.Failed, "cluster west", down},
		{"gateway-wrong-mode", "gateway-exposes", west, claim.Failed, `TLS mode "SIMPLE"`, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.Gateways[0].Servers[0].TLSMode = "SIMPLE"
		}},
		{"gateway-wrong-address", "endpoints-across-gateway", eastToWest, claim.Failed, "to 172.18.252.9, but the gateway there has 172.18.252.1", moved("172.18.252.9", 15443)},
		{"gateway-wrong-address", "endpoints-across-gateway", eastToWest, claim.Failed, "raw address 10.244.0.17 of a pod on cluster west", moved("10.244.0.17", 5000)},
		{"packets-dropped", "gateway-reached", eastToWest, claim.Failed, "from cluster east to the gateway of cluster west at 172.18.252.1:15443 are dropped", dial("dial tcp 172.18.252.1:15443: i/o timeout")},
		{"packets-dropped", "split-accounted", eastToWest, claim.Failed, "3 connections failed, and 2 calls waited 10 s or more", func(run evidence.Run) {
			fails(3)(run)
			all := example.Calls(run, east, evidence.Split).Replies
			all[3].Seconds, all[7].Seconds = 10.02, 11
		}},
		{"gateway-unreachable", "gateway-reached", eastToWest, claim.Failed, "connection refused", dial("dial tcp 172.18.252.1:15443: connect: connection refused")},
		{"control-plane-exposed", "gateway-exposure", west, claim.Failed, "port 15012 on the gateway of cluster west", func(run evidence.Run) {
			g := &example.Cluster(run, west).Kubernetes.Gateways[0]
			g.Servers = append(g.Servers, evidence.GatewayServer{Port: 15012, TLSMode: "PASSTHROUGH", Hosts: []string{"*"}})
			opens(run)
			example.Proxy(run, west, evidence.RoleGateway).ConfigDump = example.Dump(example.Listener(15012))
		}},
		{"certificate-not-valid", "certificates-valid", west, claim.Failed, "is not valid before", certs(example.Began().Add(4 * time.Hour))},
		{"certificate-not-valid", "split-balanced", eastToWest, claim.Failed, "was valid until", certs(example.Began().Add(-48 * time.Hour))},
		{"injected-by-another-revision", "sidecars", west, claim.Failed, `sleep-1 on cluster west was injected by revision "asm-173-3"`, func(run evidence.Run) {
			example.Pod(run, west, example.SleepPod).Annotations["istio.io/rev"] = "asm-173-3"
		}},
		{"two-revisions", "one-revision", west, claim.Failed, `"asm-173-3" on cluster west, "asm-1232-2" on cluster east`, func(run evidence.Run) {
			example.Pod(run, west, example.IstiodPod).Labels["istio.io/rev"] = "asm-173-3"
		}},
		{"same-network", "network-names", west, claim.Failed, `both on network "network1"`, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.Namespaces[0].Labels["topology.istio.io/network"] = "network1"
		}},
		{"same-network", "gateway-backend-healthy", west, claim.Failed, `both on network "network1"`, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.Namespaces[0].Labels["topology.istio.io/network"] = "network1"
			strangerBehindGateway(run)
		}},
	})
}

// strangerBehindGateway lets west's gateway pass traffic on to an address that no pod of west has.
func strangerBehindGateway(run evidence.Run) {
	example.Proxy(run, west, evidence.RoleGateway).Clusters = example.Clusters(evidence.Counters{Cluster: evidence.SNICluster("sample"), Address: "10.244.0.77:5000", Healthy: true})
}

// TestDNSHidesNothing: calls that were lost are no reason for the others to have gone to one side.
func TestDNSHidesNothing(t *testing.T) {
	run := example.Healthy()
	alone(run)
	r := &example.Calls(run, east, evidence.Split).Replies[5]
	r.Exit, r.Code, r.Version = 6, 0, ""
	found := Apply(run, claim.Judge(run))
	if f := finding(t, found, "split-replies", eastToWest); f.Cause == nil || f.Cause.ID != "dns" || f.Verdict != claim.Inconclusive {
		t.Errorf("%s, %+v", f.Verdict, f.Cause)
	}
	if f := finding(t, found, "crossed-by-gateway", eastToWest); f.Verdict != claim.Failed || f.Cause != nil {
		t.Errorf("%s, %+v", f.Verdict, f.Cause)
	}
}

// TestARuleWithoutEffectIsNoCause: outlier detection by itself changed nothing on a real mesh.
func TestARuleWithoutEffectIsNoCause(t *testing.T) {
	run := example.Healthy()
	alone(run)
	example.Cluster(run, east).Kubernetes.DestinationRules = []evidence.DestinationRule{{Object: evidence.Object{Namespace: "sample", Name: "x"}, Host: "helloworld", Outlier: true}}
	sends(evidence.Policy{LB: "LEAST_REQUEST", Outlier: true}, evidence.Target{Cluster: evidence.OutboundCluster("sample")})(run)
	if f := finding(t, Apply(run, claim.Judge(run)), "split-balanced", eastToWest); f.Verdict != claim.Failed || f.Cause != nil {
		t.Errorf("%s, %+v", f.Verdict, f.Cause)
	}
}

func TestMatches(t *testing.T) {
	for host, want := range map[string]bool{"helloworld.sample.svc.cluster.local": true, "helloworld": true, "helloworld.sample": true, "helloworld.sample.svc": true, "*": true, "*.local": true,
		"*.sample.svc.cluster.local": true, "sleep": false, "helloworld.other": false, "*.other.svc.cluster.local": false, "helloworld.sam": false} {
		if (sight{}).matches(host, "sample") != want {
			t.Errorf("host %s: %t, want %t", host, !want, want)
		}
	}
	if (sight{}).matches("helloworld", "other") {
		t.Error("a short name means a service of the rule's own namespace")
	}
}
