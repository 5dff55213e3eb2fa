package claim

import (
	"encoding/json"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// holds replaces what sleep on east has for helloworld; its argument are the endpoints of a healthy mesh.
func holds(change func(local, remote evidence.Endpoint) []evidence.Endpoint) func(evidence.Run) {
	return func(run evidence.Run) {
		in := run.Intent.Clusters
		*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(change(example.Local(in[0], 1), example.Remote(in[1], 1))...)
	}
}

func watches(change func(own, remote evidence.RemoteCluster) []evidence.RemoteCluster) func(evidence.Run) {
	return func(run evidence.Run) {
		own := evidence.RemoteCluster{ID: run.Intent.Clusters[0].ID, SyncStatus: "synced"}
		remote := evidence.RemoteCluster{ID: "kind-west", SecretName: "istio-system/istio-remote-secret-kind-west", SyncStatus: "synced"}
		example.Cluster(run, east).Istiods[0].Pages[evidence.PageClusterz] = example.RemoteClusters(change(own, remote)...)
	}
}

func TestRemoteClusters(t *testing.T) {
	type remotes = []evidence.RemoteCluster
	judgeAll(t, []spoiled{
		{"timeout", "remote-clusters-synced", east, watches(func(own, remote evidence.RemoteCluster) remotes {
			remote.SyncStatus = "timeout"
			return remotes{own, remote}
		}), Failed, `"timeout"`},
		{"no secret", "remote-clusters-synced", east, watches(func(own, _ evidence.RemoteCluster) remotes { return remotes{own} }), Failed, "does not know cluster kind-west"},
		{"a third cluster", "remote-clusters-synced", east, watches(func(own, remote evidence.RemoteCluster) remotes {
			return remotes{own, remote, {ID: "kind-north", SecretName: "x", SyncStatus: "synced"}}
		}), Failed, "kind-north"},
		{"its own cluster by a secret", "remote-clusters-synced", east, watches(func(own, remote evidence.RemoteCluster) remotes {
			own.SecretName = "istio-system/istio-remote-secret-self"
			return remotes{own, remote}
		}), Failed, "by the secret"},
		{"the second of two replicas", "remote-clusters-synced", east, func(run evidence.Run) {
			c := example.Cluster(run, east)
			second := *example.Pod(run, east, example.IstiodPod)
			second.Name = "istiod-2"
			c.Kubernetes.Pods = append(c.Kubernetes.Pods, second)
			c.Istiods = append(c.Istiods, evidence.Istiod{Pod: "istiod-2", Pages: map[string]json.RawMessage{
				evidence.PageClusterz: example.RemoteClusters(evidence.RemoteCluster{ID: run.Intent.Clusters[0].ID, SyncStatus: "synced"})}})
		}, Failed, "istiod istiod-2 does not know"},
		{"a replica was not read", "remote-clusters-synced", east, func(run evidence.Run) {
			c := example.Cluster(run, east)
			second := *example.Pod(run, east, example.IstiodPod)
			second.Name = "istiod-2"
			c.Kubernetes.Pods = append(c.Kubernetes.Pods, second)
			c.Problems = []evidence.Problem{{What: "istiod", Error: "exec in istiod-2: connection reset"}}
		}, Inconclusive, "connection reset"},
		{"a page of another shape", "remote-clusters-synced", east, func(run evidence.Run) {
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageClusterz] = json.RawMessage(`{"a":1}`)
		}, Inconclusive, "clusterz"},
	})
}

func TestEndpoints(t *testing.T) {
	type set = []evidence.Endpoint
	judgeAll(t, []spoiled{
		{"local only", "endpoints-across-gateway", eastToWest, holds(func(l, _ evidence.Endpoint) set { return set{l} }),
			Failed, "gateway of west are 172.18.252.1:15443, but the Envoy holds none"},
		{"the raw remote pod", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			r.Address, r.Port = "10.244.0.12", 5000
			return set{l, r}
		}), Failed, "holds 10.244.0.12:5000"},
		{"the raw remote pod at the local one's address", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			r.Address, r.Port = l.Address, l.Port
			return set{l, r}
		}), Failed, "holds 10.244.0.8:5000"},
		{"a gateway of nobody", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			r.ClusterID = "kind-north"
			return set{l, r}
		}), Failed, `172.18.252.1:15443 of cluster "kind-north"`},
		{"unhealthy", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			r.Health = "UNHEALTHY"
			return set{l, r}
		}), Failed, "172.18.252.1:15443 is UNHEALTHY"},
		{"failover", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			r.Priority = 1
			return set{l, r}
		}), Failed, "priority 1"},
		{"weights 3 to 1", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			l.Weight = 3
			return set{l, r}
		}), Failed, "weighs 3"},
		{"weights 2 to 2", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			l.Weight, r.Weight = 2, 2
			return set{l, r}
		}), Passed, "172.18.252.1:15443"},
		{"two remote pods behind one address", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			second := *example.Pod(run, west, "helloworld-v2-1")
			second.Name = "helloworld-v2-2"
			example.Cluster(run, west).Kubernetes.Pods = append(example.Cluster(run, west).Kubernetes.Pods, second)
			p := evidence.Proxy{Namespace: "sample", Pod: "helloworld-v2-2", Role: evidence.RoleHelloworld}
			example.Cluster(run, west).Proxies = append(example.Cluster(run, west).Proxies, p)
			holds(func(l, r evidence.Endpoint) set { r.Weight = 2; return set{l, r} })(run)
		}, Passed, "172.18.252.1:15443"},
		{"two addresses of one gateway", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "172.18.252.2")
			holds(func(l, r evidence.Endpoint) set {
				l.Weight = 2
				other := r
				other.Address = "172.18.252.2"
				return set{l, r, other}
			})(run)
		}, Passed, "172.18.252.2:15443"},
		{"two addresses of unlike weight", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "172.18.252.2")
			holds(func(l, r evidence.Endpoint) set {
				l.Weight = 2
				other := r
				other.Address, other.Weight = "172.18.252.2", 3
				return set{l, r, other}
			})(run)
		}, Failed, "172.18.252.2:15443 weighs 3"},
		{"a host name", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = []string{"gw.west.example"}
		}, Passed, "gw.west.example"},
		{"two families, and sleep is told those of its own", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "2001:db8::1")
		}, Passed, "172.18.252.1:15443"},
		{"two families, and sleep is told all", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "2001:db8::1")
			holds(func(l, r evidence.Endpoint) set {
				l.Weight = 2
				other := r
				other.Address = "2001:db8::1"
				return set{l, r, other}
			})(run)
		}, Passed, "172.18.252.1:15443"},
		{"two families, and sleep is told the other's", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "2001:db8::1")
			holds(func(l, r evidence.Endpoint) set {
				r.Address = "2001:db8::1"
				return set{l, r}
			})(run)
		}, Failed, "are 172.18.252.1:15443, [2001:db8::1]:15443, but the Envoy holds [2001:db8::1]:15443"},
		{"no address of sleep's family", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = []string{"2001:db8::1"}
			holds(func(l, _ evidence.Endpoint) set { return set{l} })(run)
		}, Failed, "are [2001:db8::1]:15443, but the Envoy holds none"},
		{"a host name of two families", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = []string{"gw.west.example"}
			istiod := example.Cluster(run, east).Istiods[0]
			networks, _ := istiod.Networks()
			other := networks[len(networks)-1]
			other.Addr = "2001:db8::1"
			istiod.Pages[evidence.PageNetworkz], _ = json.Marshal(append(networks, other))
		}, Passed, "gw.west.example"},
		{"a stale local pod", "endpoints-across-gateway", eastToWest, holds(func(l, r evidence.Endpoint) set {
			stale := l
			stale.Address = "10.244.0.99"
			return set{l, stale, r}
		}), Failed, "10.244.0.99"},
		{"the page is cut short", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			example.Proxy(run, east, evidence.RoleSleep).ConfigDump = json.RawMessage(`{`)
		}, Inconclusive, "sleep-1"},
		{"sleep is not injected", "endpoints-across-gateway", eastToWest, func(run evidence.Run) {
			example.Pod(run, east, example.SleepPod).Containers = example.Pod(run, east, example.SleepPod).Containers[:1]
			example.Cluster(run, east).Proxies = nil
		}, Failed, "no running sleep with a sidecar"},
	})
}

func TestBackendsAndPolicy(t *testing.T) {
	sni, out := evidence.SNICluster("sample"), evidence.OutboundCluster("sample")
	backend := func(hosts ...evidence.Counters) func(evidence.Run) {
		return func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).Clusters = example.Clusters(hosts...)
		}
	}
	policy := func(p evidence.Policy) func(evidence.Run) {
		return func(run evidence.Run) {
			example.Proxy(run, east, evidence.RoleSleep).ConfigDump = example.Dump(example.Policy(out, p))
		}
	}
	judgeAll(t, []spoiled{
		{"unhealthy", "gateway-backend-healthy", west, backend(evidence.Counters{Cluster: sni, Address: "10.244.0.8:5000", Weight: 1}), Failed, "unhealthy"},
		{"none", "gateway-backend-healthy", west, backend(), Failed, "but the Envoy holds none"},
		{"a stranger", "gateway-backend-healthy", west, backend(evidence.Counters{Cluster: sni, Address: "10.244.0.8:5000", Healthy: true, Weight: 1},
			evidence.Counters{Cluster: sni, Address: "172.18.251.1:15443", Healthy: true, Weight: 1}), Failed, "172.18.251.1:15443"},
		{"page not there", "gateway-backend-healthy", west, func(run evidence.Run) { example.Proxy(run, west, evidence.RoleGateway).Clusters = nil }, Inconclusive, "not collected"},
		{"no pod", "gateway-backend-healthy", west, func(run evidence.Run) {
			example.Pod(run, west, "helloworld-v2-1").Terminating = true
			backend()(run)
		}, Failed, "no pod of helloworld"},
		{"listeners were refused", "configuration-accepted", east, func(run evidence.Run) {
			example.Proxy(run, east, evidence.RoleSleep).Stats = example.Stats(2)
		}, Failed, "proxy sample/" + example.SleepPod + " refused 2 updates (listener_manager.lds.update_rejected)"},
		{"statistics were not collected", "configuration-accepted", east, func(run evidence.Run) {
			example.Proxy(run, east, evidence.RoleGateway).Stats = nil
		}, Inconclusive, "was not collected"},
		{"round robin", "lb-policy", eastToWest, policy(evidence.Policy{LB: "ROUND_ROBIN"}), Failed, "ROUND_ROBIN"},
		{"outlier detection", "lb-policy", eastToWest, policy(evidence.Policy{LB: "LEAST_REQUEST", Outlier: true}), Failed, "outlier"},
		{"localities", "lb-policy", eastToWest, policy(evidence.Policy{LB: "LEAST_REQUEST", LocalityWeighted: true}), Failed, "localities"},
		{"no such cluster", "lb-policy", eastToWest, func(run evidence.Run) {
			example.Proxy(run, east, evidence.RoleSleep).ConfigDump = example.Dump(example.Policy("other", evidence.Policy{LB: "LEAST_REQUEST"}))
		}, Inconclusive, "no such cluster"},
	})
}
