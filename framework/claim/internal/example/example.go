// Package example makes, for tests, the evidence of a small mesh that conforms: the one measured on two kind clusters whose
// pods have the same addresses. A test spoils one thing in it and looks at what is said then.
package example

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// Names and addresses of the example. Pods of both clusters have the same ones.
const (
	Revision   = "asm-1232-2"
	AppIP      = "10.244.0.8"
	SleepIP    = "10.244.0.9"
	GatewayIP  = "10.244.0.7"
	Root       = "aa11aa11aa11aa11aa11aa11aa11aa11"
	GatewayPod = "istio-eastwestgateway-1"
	IstiodPod  = "istiod-asm-1232-2-1"
	SleepPod   = "sleep-1"
)

// Address is the load balancer's address of a cluster's gateway.
func Address(cluster string) string {
	if cluster == "east" {
		return "172.18.251.1"
	}
	return "172.18.252.1"
}

// AppPod is the name of a cluster's helloworld pod.
func AppPod(c intent.Cluster) string { return "helloworld-" + c.Version + "-1" }

// Intent is what the example's run expects: 600 calls per direction, clusters east and west.
func Intent() intent.Intent {
	in := intent.Intent{
		RunID: "1015-ab12", Mode: intent.Corrected, Provision: intent.Kind, Platform: "kind", CA: "istio-ca", Fleet: "fleet",
		ProjectNumber: "123456", MeshID: "proj-123456", Revision: Revision, TrustDomain: "cluster.local", GuideCalls: 20, Samples: 600, Alpha: 1e-8,
	}
	for i, name := range []string{"east", "west"} {
		n := strconv.Itoa(i + 1)
		in.Clusters = append(in.Clusters, intent.Cluster{Name: name, ID: intent.ClusterID("fleet", name), Network: "network" + n,
			Version: "v" + n, RemoteName: "kind-" + name})
	}
	return in
}

// Healthy is a run whose every claim holds. Each call gives a new one.
func Healthy() evidence.Run {
	run := evidence.Run{Intent: Intent(), Epochs: map[string]evidence.Epoch{}}
	for n := 1; n <= 13; n++ {
		run.Steps = append(run.Steps, evidence.Step{ID: fmt.Sprintf("S%d", n), Title: "a step of the guide"})
	}
	joined := evidence.Epoch{Name: evidence.Joined, Clusters: map[string]*evidence.Cluster{}}
	removed := evidence.Epoch{Name: evidence.Removed, Clusters: map[string]*evidence.Cluster{}}
	for i, c := range run.Intent.Clusters {
		peer := run.Intent.Clusters[1-i]
		joined.Clusters[c.Name] = cluster(run.Intent, c, peer)
		removed.Clusters[c.Name] = empty(run.Intent, c, peer)
	}
	run.Epochs[evidence.Joined], run.Epochs[evidence.Removed] = joined, removed
	// 300 of 600 local on both sides: east's own are calls 1..300, west's own 301..600.
	for i, c := range run.Intent.Clusters {
		Answer(run, c.Name, func(number int) string { return run.Intent.Clusters[(i+(number-1)/300)%2].Version })
	}
	return run
}

func pod(namespace, name, ip string, labels map[string]string, containers ...string) evidence.Pod {
	p := evidence.Pod{Object: evidence.Object{Namespace: namespace, Name: name, Labels: labels}, IP: ip, Phase: "Running"}
	for _, c := range containers {
		p.Containers = append(p.Containers, evidence.Container{Name: c, Image: "registry.example/" + c, Ready: true})
	}
	return p
}

func meshObjects(in intent.Intent, c, peer intent.Cluster) *evidence.Kubernetes {
	gateway := map[string]string{"istio": "eastwestgateway", "app": "istio-eastwestgateway"}
	own := pod("istio-system", GatewayPod, GatewayIP, map[string]string{"istio": "eastwestgateway", "istio.io/rev": in.Revision}, "istio-proxy")
	own.Env = map[string]string{"ISTIO_META_MESH_ID": in.MeshID, "ISTIO_META_CLUSTER_ID": c.ID, "ISTIO_META_NETWORK": c.Network}
	return &evidence.Kubernetes{
		Version: "v1.37.2", Server: "https://" + c.Name, MeshRoot: Root, Namespaces: []evidence.Object{{Name: "istio-system"}},
		Deployments: []evidence.Deployment{{Object: evidence.Object{Namespace: "istio-system", Name: "istio-eastwestgateway", Labels: gateway}, Replicas: 1, Available: 1}},
		Pods: []evidence.Pod{own, pod("istio-system", IstiodPod, "10.244.0.6",
			map[string]string{"app": "istiod", "istio.io/rev": in.Revision}, "discovery")},
		Services: []evidence.Service{{Object: evidence.Object{Namespace: "istio-system", Name: "istio-eastwestgateway", Labels: gateway},
			Type: "LoadBalancer", Ports: []int32{15021, 15443, 15012, 15017}, Addresses: []string{Address(c.Name)}}},
		RemoteSecrets: []evidence.Object{{Namespace: "istio-system", Name: "istio-remote-secret-" + peer.RemoteName,
			Annotations: map[string]string{"networking.istio.io/cluster": peer.RemoteName}}},
		Gateways: []evidence.Gateway{{Object: evidence.Object{Namespace: "istio-system", Name: "cross-network-gateway"},
			Selector: map[string]string{"istio": "eastwestgateway"},
			Servers:  []evidence.GatewayServer{{Port: 15443, TLSMode: "AUTO_PASSTHROUGH", Hosts: []string{"*.local"}}}}},
	}
}

func cluster(in intent.Intent, c, peer intent.Cluster) *evidence.Cluster {
	k := meshObjects(in, c, peer)
	k.Namespaces = append(k.Namespaces, evidence.Object{Name: "sample"})
	k.Services = append(k.Services, evidence.Service{Object: evidence.Object{Namespace: "sample", Name: "helloworld"}, Type: "ClusterIP", Ports: []int32{5000}})
	for name, p := range map[string]evidence.Pod{
		"helloworld": pod("sample", AppPod(c), AppIP, map[string]string{"app": "helloworld", "version": c.Version}, "helloworld", "istio-proxy"),
		"sleep":      pod("sample", SleepPod, SleepIP, map[string]string{"app": "sleep"}, "sleep", "istio-proxy"),
	} {
		p.Annotations = map[string]string{"istio.io/rev": in.Revision}
		if name == "sleep" {
			k.Pods = append(k.Pods, p)
		} else {
			k.Pods = append([]evidence.Pod{p}, k.Pods...)
		}
	}
	return &evidence.Cluster{
		Kubernetes: k,
		Istiods:    []evidence.Istiod{istiod(c, peer, AppIP)},
		Proxies: []evidence.Proxy{
			gateway(true),
			{Namespace: "sample", Pod: AppPod(c), Role: evidence.RoleHelloworld, RootSHA256: Root, Clusters: Clusters(), ConfigDump: Dump()},
			Sleep(Local(c, 1), Remote(peer, 1)),
		},
		Dials: []evidence.Dial{{To: peer.Name, Pod: "probe", Address: net.JoinHostPort(Address(peer.Name), "15443"), Connected: true, Seconds: 0.001}},
	}
}

// empty is a cluster after S15.
func empty(in intent.Intent, c, peer intent.Cluster) *evidence.Cluster {
	return &evidence.Cluster{Kubernetes: meshObjects(in, c, peer), Istiods: []evidence.Istiod{istiod(c, peer)}, Proxies: []evidence.Proxy{gateway(false)}}
}

func istiod(c, peer intent.Cluster, shards ...string) evidence.Istiod {
	return evidence.Istiod{Pod: IstiodPod, Revision: Revision, Pages: map[string]json.RawMessage{
		evidence.PageClusterz: RemoteClusters(evidence.RemoteCluster{ID: c.ID, SyncStatus: "synced"},
			evidence.RemoteCluster{ID: peer.RemoteName, SecretName: "istio-system/istio-remote-secret-" + peer.RemoteName, SyncStatus: "synced"}),
		evidence.PageEndpointShardz: Shards(evidence.HelloworldHost("sample"), c.ID, shards...),
		evidence.PageNetworkz:       page([]object{{"Network": peer.Network, "Cluster": peer.RemoteName, "Addr": Address(peer.Name), "Port": 15443}}),
	}}
}

func gateway(withSample bool) evidence.Proxy {
	sni := evidence.SNICluster("sample")
	p := evidence.Proxy{Namespace: "istio-system", Pod: GatewayPod, Role: evidence.RoleGateway, RootSHA256: Root,
		Clusters: Clusters(), ConfigDump: Dump(Listener(15443, "outbound_.443_._.kubernetes.default.svc.cluster.local"), Endpoints("other"))}
	if withSample {
		p.Clusters = Clusters(evidence.Counters{Cluster: sni, Address: AppIP + ":5000", Healthy: true, Weight: 1})
		p.ConfigDump = Dump(Listener(15443, sni), Endpoints(sni, evidence.Endpoint{Address: AppIP, Port: 5000, Health: "HEALTHY", Weight: 1}))
	}
	return p
}

// Local is helloworld's own pod of a cluster as the cluster's sleep holds it.
func Local(c intent.Cluster, weight uint32) evidence.Endpoint {
	return evidence.Endpoint{Address: AppIP, Port: 5000, Health: "HEALTHY", Weight: weight, ClusterID: c.ID}
}

// Remote is the gateway of a peer as a client's Envoy holds it.
func Remote(peer intent.Cluster, weight uint32) evidence.Endpoint {
	return evidence.Endpoint{Address: Address(peer.Name), Port: 15443, Health: "HEALTHY", Weight: weight, ClusterID: peer.RemoteName}
}

// Sleep is sleep's Envoy with these endpoints for helloworld.
func Sleep(endpoints ...evidence.Endpoint) evidence.Proxy {
	out := evidence.OutboundCluster("sample")
	return evidence.Proxy{Namespace: "sample", Pod: SleepPod, Role: evidence.RoleSleep, RootSHA256: Root, Clusters: Clusters(),
		ConfigDump: Dump(Endpoints(out, endpoints...), Policy(out, evidence.Policy{LB: "LEAST_REQUEST"}))}
}

func split(address string) (string, uint32) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	return host, uint32(n)
}

// Began is when the example's calls began.
func Began() time.Time { return time.Date(2026, 10, 15, 12, 0, 0, 0, time.UTC) }
