package claim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// spoiled is one thing that is wrong with a healthy mesh, and what a claim must say of it.
type spoiled struct {
	name, claim, subject string
	spoil                func(evidence.Run)
	verdict              Verdict
	reason               string
}

func judgeAll(t *testing.T, cases []spoiled) {
	t.Helper()
	judgeFrom(t, example.Healthy, cases)
}

func judgeFrom(t *testing.T, healthy func() evidence.Run, cases []spoiled) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.claim+"/"+tc.name, func(t *testing.T) {
			run := healthy()
			tc.spoil(run)
			f := one(t, run, tc.claim, tc.subject)
			if f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("%s: %s\nwant %s: ...%s...", f.Verdict, f.Reason, tc.verdict, tc.reason)
			}
		})
	}
}

const east, west, eastToWest = "east", "west", "east to west"

func gatewayService(run evidence.Run) *evidence.Service {
	return &example.Cluster(run, west).Kubernetes.Services[0]
}

func steps13(spoil func(*evidence.Step)) func(evidence.Run) {
	return func(run evidence.Run) { spoil(&run.Steps[5]) }
}

func TestSetup(t *testing.T) {
	gateway := func(run evidence.Run) *evidence.Pod { return example.Pod(run, west, example.GatewayPod) }
	sleep := func(run evidence.Run) *evidence.Pod { return example.Pod(run, west, example.SleepPod) }
	judgeAll(t, []spoiled{
		{"a step fails", "procedure", "mesh", steps13(func(s *evidence.Step) { s.Error = "istioctl: unknown field \"spec\"" }), Failed, "step S6"},
		{"a step of which both servers answer", "procedure", "mesh", steps13(func(s *evidence.Step) {
			s.Error, s.Reachable = "exit code 1", map[string]bool{east: true, west: true}
		}), Failed, "exit code 1"},
		{"a server does not answer", "procedure", "mesh", steps13(func(s *evidence.Step) {
			s.Error, s.Reachable = "exit code 1", map[string]bool{east: true, west: false}
		}), Inconclusive, "API server of cluster west did not answer"},
		{"an image is not there", "procedure", "mesh", steps13(func(s *evidence.Step) {
			s.Error, s.ExitCode, s.Stderr = "the step's limit has passed", -1, "istio-proxy: ImagePullBackOff"
		}), Inconclusive, "cannot be pulled"},
		{"the image auto is no image", "procedure", "mesh", steps13(func(s *evidence.Step) {
			s.Error, s.Stderr = "timed out", `ErrImagePull: failed to pull image "auto"`
		}), Failed, "timed out"},
		{"no address is left", "procedure", "mesh", steps13(func(s *evidence.Step) {
			s.Error = "gave up waiting; last state: EXTERNAL-IP <pending>"
		}), Inconclusive, "load balancer gave none"},
		{"somebody made it meanwhile", "procedure", "mesh", steps13(func(s *evidence.Step) { s.Error = evidence.InTheWay + ": Gateway" }), Inconclusive, "was not run"},
		{"another run took the lease", "procedure", "mesh", steps13(func(s *evidence.Step) {
			s.Error = `wait for "the gateway's pods" on cluster west: not seen after 3s and 4 tries (limit 5m0s); stopped: the run was interrupted: another run works on this cluster: r2; last state: 0 of 1; last error: not available`
		}), Inconclusive, "ended from outside"},
		{"the run was interrupted", "procedure", "mesh", steps13(func(s *evidence.Step) { s.Error = "interrupted by a signal" }), Inconclusive, "ended from outside"},
		{"another chain failed first", "procedure", "mesh", func(run evidence.Run) {
			run.Steps[5].Error, run.Steps[6].Error = "context canceled", "no matches for kind Gateway"
		}, Failed, "step S7"},
		{"a step of the harness", "procedure", "mesh", func(run evidence.Run) {
			run.Steps[0] = evidence.Step{ID: "P6", Cluster: west, Title: "install the control plane", Error: "timed out"}
		}, Inconclusive, "on cluster west"},
		{"the run ended before the end", "procedure", "mesh", func(run evidence.Run) { run.Steps[12].ID = "V.joined" }, Inconclusive, "S13"},

		{"other mesh", "mesh-ids", west, func(run evidence.Run) { gateway(run).Env["ISTIO_META_MESH_ID"] = "proj-" }, Failed, `ISTIO_META_MESH_ID="proj-"`},
		{"other name", "mesh-ids", west, func(run evidence.Run) { gateway(run).Env["ISTIO_META_CLUSTER_ID"] = "west" }, Failed, "ISTIO_META_CLUSTER_ID"},
		{"other network", "mesh-ids", west, func(run evidence.Run) { gateway(run).Env["ISTIO_META_NETWORK"] = "default" }, Failed, "ISTIO_META_NETWORK"},
		{"no gateway", "mesh-ids", west, func(run evidence.Run) { gateway(run).Terminating = true }, Inconclusive, "no gateway pod"},

		{"other revision", "one-revision", west, func(run evidence.Run) {
			example.Pod(run, west, example.IstiodPod).Labels["istio.io/rev"] = "asm-173-3"
		}, Failed, "asm-173-3"},
		{"two revisions", "one-revision", west, func(run evidence.Run) {
			k := example.Cluster(run, west).Kubernetes
			k.Pods = append(k.Pods, evidence.Pod{Object: evidence.Object{Namespace: "istio-system", Name: "istiod-old",
				Labels: map[string]string{"app": "istiod", "istio.io/rev": "asm-173-3"}}, Phase: "Running"})
		}, Failed, "2 revisions"},
		{"no control plane", "one-revision", west, func(run evidence.Run) { example.Pod(run, west, example.IstiodPod).Phase = "Failed" }, Failed, "no pod of istiod"},

		{"1/1", "sidecars", west, func(run evidence.Run) { sleep(run).Containers = sleep(run).Containers[:1] }, Failed, "1/1 without a sidecar"},
		{"1/2", "sidecars", west, func(run evidence.Run) {
			sleep(run).Containers[0] = evidence.Container{Name: "sleep", Waiting: "CrashLoopBackOff"}
		}, Failed, "1/2 containers ready (sleep waits: CrashLoopBackOff)"},
		{"by another revision", "sidecars", west, func(run evidence.Run) { sleep(run).Annotations["istio.io/rev"] = "default" }, Failed, `revision "default"`},
		{"revision as a label only", "sidecars", west, func(run evidence.Run) {
			sleep(run).Annotations, sleep(run).Labels["istio.io/rev"] = nil, example.Revision
		}, Passed, "all 2 pods"},
		{"native sidecar", "sidecars", west, func(run evidence.Run) { sleep(run).Containers[1].Sidecar = true }, Passed, "all 2 pods"},
		{"no pod", "sidecars", west, func(run evidence.Run) { sleep(run).Terminating = true }, Failed, "no pod of sleep"},
	})
}

func TestGateway(t *testing.T) {
	gateway := func(run evidence.Run) *evidence.Pod { return example.Pod(run, west, example.GatewayPod) }
	envoy := func(run evidence.Run) *evidence.Proxy { return example.Proxy(run, west, evidence.RoleGateway) }
	gone := func(run evidence.Run) { gateway(run).Terminating = true }
	judgeAll(t, []spoiled{
		{"not available", "gateway-available", west, func(run evidence.Run) { example.Cluster(run, west).Kubernetes.Deployments[0].Available = 0 }, Failed, "0 of 1 replicas"},
		{"scaled to nothing", "gateway-available", west, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.Deployments[0].Replicas, example.Cluster(run, west).Kubernetes.Deployments[0].Available = 0, 0
		}, Failed, "0 of 0 replicas"},
		{"no deployment", "gateway-available", west, func(run evidence.Run) { example.Cluster(run, west).Kubernetes.Deployments = nil }, Failed, "no deployment"},
		{"other revision", "gateway-available", west, func(run evidence.Run) { gateway(run).Labels["istio.io/rev"] = "asm-173-3" }, Failed, "asm-173-3"},
		{"image auto", "gateway-available", west, func(run evidence.Run) { gateway(run).Containers[0].Image = "auto" }, Failed, `image "auto"`},

		{"pending", "gateway-address", west, func(run evidence.Run) { gatewayService(run).Addresses = nil }, Failed, "no address"},
		{"cluster IP", "gateway-address", west, func(run evidence.Run) { gatewayService(run).Type = "ClusterIP" }, Failed, "ClusterIP"},
		{"no port 15443", "gateway-address", west, func(run evidence.Run) { gatewayService(run).Ports = []int32{443} }, Failed, "no service"},

		{"no listener", "gateway-listener", west, func(run evidence.Run) {
			envoy(run).ConfigDump = example.Dump(example.Listener(15021))
		}, Failed, "no listener on port 15443"},
		{"no pod", "gateway-listener", west, gone, Failed, "no running Envoy"},
		{"page cut short", "gateway-listener", west, func(run evidence.Run) { envoy(run).ConfigDump = json.RawMessage(`{"configs":[`) }, Inconclusive, "istio-eastwestgateway-1"},
		{"page not there", "gateway-listener", west, func(run evidence.Run) { envoy(run).ConfigDump = nil }, Inconclusive, "not collected"},

		{"no object", "gateway-exposes", west, func(run evidence.Run) { example.Cluster(run, west).Kubernetes.Gateways = nil }, Failed, "no Gateway"},
		{"other mode", "gateway-exposes", west, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.Gateways[0].Servers[0].TLSMode = "ISTIO_MUTUAL"
		}, Failed, "no Gateway"},
		{"other hosts", "gateway-exposes", west, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.Gateways[0].Servers[0].Hosts = []string{"*.other"}
		}, Failed, "no Gateway"},
		{"no chain", "gateway-exposes", west, func(run evidence.Run) {
			envoy(run).ConfigDump = example.Dump(example.Listener(15443, "outbound_.80_._.other"))
		}, Failed, "no filter chain"},
		{"no pod", "gateway-exposes", west, gone, Failed, "no running Envoy"},

		{"refused", "gateway-reached", eastToWest, func(run evidence.Run) {
			example.Cluster(run, east).Dials[0].Connected, example.Cluster(run, east).Dials[0].Error = false, "connection refused"
		}, Failed, "connection refused"},
		{"one of two addresses was not dialled", "gateway-reached", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "172.18.252.9")
		}, Inconclusive, "172.18.252.9"},
		{"no address", "gateway-reached", eastToWest, func(run evidence.Run) { gatewayService(run).Addresses = nil }, Failed, "no address"},
	})
}

func TestIdentity(t *testing.T) {
	judgeAll(t, []spoiled{
		{"other root in a sidecar", "common-root", "mesh", func(run evidence.Run) { example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = "bb22" }, Failed, "bb22"},
		{"other root of the control plane", "common-root", "mesh", func(run evidence.Run) { example.Cluster(run, west).Kubernetes.MeshRoot = "bb22" }, Failed, "control plane of west trusts bb22"},
		{"other root in every proxy of a cluster", "common-root", "mesh", func(run evidence.Run) {
			for i := range example.Cluster(run, west).Proxies {
				example.Cluster(run, west).Proxies[i].RootSHA256 = "bb22"
			}
		}, Failed, "the control plane of east trusts the root aa11aa11aa11aa11, but pod sleep-1 on west, pod helloworld-v2-1 on west, pod istio-eastwestgateway-1 on west trust bb22"},
		{"a proxy shows none", "common-root", "mesh", func(run evidence.Run) { example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = "" }, Inconclusive, "pod sleep-1 on west shows no root"},
	})
	run := example.Healthy()
	run.Intent.CA = "mesh-ca"
	example.Cluster(run, west).Kubernetes.MeshRoot = "bb22"
	if f := one(t, run, "common-root", "mesh"); f.Verdict != Passed {
		t.Errorf("with another CA istiod's own root says nothing, but: %s", f.Reason)
	}
}

func TestLifecycle(t *testing.T) {
	removed := func(run evidence.Run) *evidence.Cluster { return run.Epochs[evidence.Removed].Clusters[west] }
	sni := evidence.SNICluster("sample")
	judgeAll(t, []spoiled{
		{"still there", "sample-removed", west, func(run evidence.Run) {
			removed(run).Kubernetes.Namespaces = append(removed(run).Kubernetes.Namespaces, evidence.Object{Name: "sample"})
		}, Failed, "is still there"},
		{"still going", "sample-removed", west, func(run evidence.Run) {
			removed(run).Kubernetes.Namespaces = append(removed(run).Kubernetes.Namespaces, evidence.Object{Name: "sample", Terminating: true})
		}, Failed, "still being deleted"},
		{"no namespace was read", "sample-removed", west, func(run evidence.Run) { removed(run).Kubernetes.Namespaces = nil }, Inconclusive, "no namespace at all"},
		{"a host stayed in the gateway", "endpoints-withdrawn", west, func(run evidence.Run) {
			removed(run).Proxies[0].Clusters = example.Clusters(evidence.Counters{Cluster: sni, Address: "10.244.0.8:5000", Healthy: true, Weight: 1})
		}, Failed, "10.244.0.8:5000"},
		{"an endpoint stayed in the gateway", "endpoints-withdrawn", west, func(run evidence.Run) {
			removed(run).Proxies[0].ConfigDump = example.Dump(example.Endpoints(sni, evidence.Endpoint{Address: "10.244.0.8", Port: 5000, Health: "HEALTHY"}))
		}, Failed, "10.244.0.8:5000"},
		{"a shard stayed in istiod", "endpoints-withdrawn", west, func(run evidence.Run) {
			removed(run).Istiods[0].Pages[evidence.PageEndpointShardz] = example.Shards(evidence.HelloworldHost("sample"), "kind-east", "10.244.0.8")
		}, Failed, "in cluster kind-east"},
		{"a page is not there", "endpoints-withdrawn", west, func(run evidence.Run) {
			delete(removed(run).Istiods[0].Pages, evidence.PageEndpointShardz)
		}, Inconclusive, "endpointShardz"},
		{"no gateway is left", "endpoints-withdrawn", west, func(run evidence.Run) {
			removed(run).Kubernetes.Pods[0].Terminating = true
		}, Inconclusive, "no running Envoy"},
	})
}
