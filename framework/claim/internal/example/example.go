// Package example makes, for tests, the evidence of a small mesh that conforms: the one measured on two kind clusters whose
// pods have the same addresses. A test spoils one thing in it and looks at what is said then.
package example

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
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
	// GatewayAccount is the gateway's service account.
	GatewayAccount = "istio-eastwestgateway-service-account"
)

// network is the label that names a network.
const network = "topology.istio.io/network"

// Server is the URL of a cluster's API server.
func Server(cluster string) string {
	if cluster == "east" {
		return "https://172.18.0.2:6443"
	}
	return "https://172.18.0.3:6443"
}

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
		Handshakes: true, Certificates: true, SecondCalls: 40, Logs: true,
	}
	for i, name := range []string{"east", "west"} {
		n := strconv.Itoa(i + 1)
		in.Clusters = append(in.Clusters, intent.Cluster{Name: name, ID: intent.ClusterID("fleet", name), Network: "network" + n,
			Version: "v" + n, RemoteName: "kind-" + name})
	}
	return in
}

// Healthy is a run whose every claim holds. Each call gives a new one.
func Healthy() evidence.Run { return healthy(Intent()) }

func healthy(in intent.Intent) evidence.Run {
	run := evidence.Run{Intent: in, Epochs: map[string]evidence.Epoch{}}
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
	// Half of them local on both sides: of 600, east's own are calls 1..300, west's own 301..600.
	for i, c := range run.Intent.Clusters {
		Answer(run, c.Name, func(number int) string { return run.Intent.Clusters[(i+(number-1)/(in.Samples/2))%2].Version })
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
	gateway[network] = c.Network
	own := pod("istio-system", GatewayPod, GatewayIP, map[string]string{"istio": "eastwestgateway", "istio.io/rev": in.Revision, network: c.Network}, "istio-proxy")
	own.Env, own.ServiceAccount = proxyEnv(in, c), GatewayAccount
	own.Env["ISTIO_META_REQUESTED_NETWORK_VIEW"] = c.Network
	control := map[string]string{"app": "istiod", "istio.io/rev": in.Revision}
	istiod := pod("istio-system", IstiodPod, "10.244.0.6", maps.Clone(control), "discovery")
	istiod.Env = map[string]string{"PILOT_CERT_PROVIDER": "istiod"}
	return &evidence.Kubernetes{
		Version: "v1.37.2", Server: Server(c.Name), MeshRoot: Root,
		Namespaces: []evidence.Object{{Name: "istio-system", Labels: map[string]string{network: c.Network}}},
		Deployments: []evidence.Deployment{
			{Object: evidence.Object{Namespace: "istio-system", Name: "istio-eastwestgateway", Labels: gateway}, Replicas: 1, Available: 1},
			{Object: evidence.Object{Namespace: "istio-system", Name: "istiod-" + in.Revision, Labels: control}, Replicas: 1, Available: 1},
		},
		Pods: []evidence.Pod{own, istiod},
		Services: []evidence.Service{{Object: evidence.Object{Namespace: "istio-system", Name: "istio-eastwestgateway", Labels: gateway},
			Type: "LoadBalancer", Ports: []int32{15021, 15443, 15012, 15017}, Addresses: []string{Address(c.Name)}}},
		RemoteSecrets: []evidence.Object{{Namespace: "istio-system", Name: "istio-remote-secret-" + peer.RemoteName,
			Labels: map[string]string{"istio/multiCluster": "true"}, Annotations: map[string]string{"networking.istio.io/cluster": peer.RemoteName}}},
		RemoteServers: []evidence.RemoteServer{{Secret: "istio-system/istio-remote-secret-" + peer.RemoteName, Cluster: peer.RemoteName, Server: Server(peer.Name)}},
		APIServers:    []string{strings.TrimPrefix(Server(c.Name), "https://")},
		ReaderMay:     map[string]bool{"list services": true, "list endpointslices": true, "create services": false},
		Webhooks: []evidence.Object{{Name: "istio-sidecar-injector-" + in.Revision + "-istio-system",
			Labels: map[string]string{"app": "sidecar-injector", "istio.io/rev": in.Revision}}},
		DestinationRules: []evidence.DestinationRule{}, VirtualServices: []evidence.VirtualService{}, AuthorizationPolicies: []evidence.AuthorizationPolicy{},
		Gateways: []evidence.Gateway{{Object: evidence.Object{Namespace: "istio-system", Name: "cross-network-gateway"},
			Selector: map[string]string{"istio": "eastwestgateway"},
			Servers:  []evidence.GatewayServer{{Port: 15443, TLSMode: "AUTO_PASSTHROUGH", Hosts: []string{"*.local"}}}}},
	}
}

func cluster(in intent.Intent, c, peer intent.Cluster) *evidence.Cluster {
	k := meshObjects(in, c, peer)
	k.Namespaces = append(k.Namespaces, evidence.Object{Name: "sample", Labels: map[string]string{"istio.io/rev": in.Revision}})
	k.Services = append(k.Services, evidence.Service{Object: evidence.Object{Namespace: "sample", Name: "helloworld"}, Type: "ClusterIP", Ports: []int32{5000}})
	for name, p := range map[string]evidence.Pod{
		"helloworld": pod("sample", AppPod(c), AppIP, map[string]string{"app": "helloworld", "version": c.Version}, "helloworld", "istio-proxy"),
		"sleep":      pod("sample", SleepPod, SleepIP, map[string]string{"app": "sleep"}, "sleep", "istio-proxy"),
	} {
		p.Annotations, p.Env, p.ServiceAccount = map[string]string{"istio.io/rev": in.Revision}, proxyEnv(in, c), "default"
		if name == "sleep" {
			p.ServiceAccount = "sleep"
			k.Pods = append(k.Pods, p)
		} else {
			k.Pods = append([]evidence.Pod{p}, k.Pods...)
		}
	}
	return &evidence.Cluster{
		Kubernetes: k,
		Istiods:    []evidence.Istiod{istiod(in, c, peer, AppIP)},
		Proxies: []evidence.Proxy{
			gateway(true),
			{At: Began(), Namespace: "sample", Pod: AppPod(c), Role: evidence.RoleHelloworld, RootSHA256: Root, Clusters: Clusters(), ConfigDump: Dump(),
				Certs: Certs("spiffe://cluster.local/ns/sample/sa/default", Began()), Stats: Stats(0)},
			Sleep(Local(c, 1), Remote(peer, 1)),
		},
		Dials:      []evidence.Dial{{To: peer.Name, Pod: "probe", Address: net.JoinHostPort(Address(peer.Name), "15443"), Connected: true, Seconds: 0.001}},
		Handshakes: handshakes(peer),
		Logs:       logs(),
	}
}

// empty is a cluster after S15.
func empty(in intent.Intent, c, peer intent.Cluster) *evidence.Cluster {
	return &evidence.Cluster{Kubernetes: meshObjects(in, c, peer), Istiods: []evidence.Istiod{istiod(in, c, peer)}, Proxies: []evidence.Proxy{gateway(false)}, Logs: logs()}
}

// echoIP is the address of the suite's own second service.
const echoIP = "10.244.0.11"

// second gives the endpoints of the second service that a client has beside these of helloworld.
func second(endpoints []evidence.Endpoint) []evidence.Endpoint {
	all := slices.Clone(endpoints)
	for i := range all {
		if all[i].Port != evidence.GatewayPort {
			all[i].Address, all[i].Port = echoIP, 8080
		}
	}
	return all
}

func gateway(withSample bool) evidence.Proxy {
	sni := evidence.SNICluster("sample")
	p := evidence.Proxy{At: Began(), Namespace: "istio-system", Pod: GatewayPod, Role: evidence.RoleGateway, RootSHA256: Root,
		Certs: Certs("spiffe://cluster.local/ns/istio-system/sa/"+GatewayAccount, Began()), Stats: Stats(0),
		Clusters: Clusters(), ConfigDump: Dump(Listener(15443, "outbound_.443_._.kubernetes.default.svc.cluster.local"), Endpoints("other"))}
	if withSample {
		p.Clusters = Clusters(evidence.Counters{Cluster: sni, Address: AppIP + ":5000", Healthy: true, Weight: 1},
			evidence.Counters{Cluster: evidence.SecondSNICluster, Address: echoIP + ":8080", Healthy: true, Weight: 1})
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
	return evidence.Proxy{At: Began(), Namespace: "sample", Pod: SleepPod, Role: evidence.RoleSleep, RootSHA256: Root, Clusters: Clusters(),
		Certs: Certs("spiffe://cluster.local/ns/sample/sa/sleep", Began()), Stats: Stats(0),
		ConfigDump: Dump(assignments(assignment(out, endpoints), assignment(evidence.SecondOutboundCluster, second(endpoints))), Policy(out, evidence.Policy{LB: "LEAST_REQUEST"}), Routes(evidence.Target{Cluster: out}))}
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
