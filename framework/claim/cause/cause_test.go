package cause

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/evidence/evidencetest"
	"github.com/meshproof/meshproof/framework/intent"
)

const east, west, eastToWest = "east", "west", "east to west"

// alone makes every call of both clusters be answered by their own versions, as a cut mesh does.
func alone(run evidence.Run) {
	for name := range run.Epochs[evidence.Joined].Clusters {
		example.Cluster(run, name).Traffic = nil
	}
	for i, c := range run.Intent.Clusters {
		example.Answer(run, c.Name, func(int) string { return run.Intent.Clusters[i].Version })
	}
}

func finding(t *testing.T, found []claim.Finding, id, subject string) claim.Finding {
	t.Helper()
	at := slices.IndexFunc(found, func(f claim.Finding) bool { return f.Claim == id && f.Subject == subject })
	if at < 0 {
		t.Fatalf("no finding of %s on %s", id, subject)
	}
	return found[at]
}

// named is one thing that is wrong with a healthy mesh, and the cause that a finding must have then.
type named struct {
	id             string
	claim, subject string
	verdict        claim.Verdict
	sentence       string
	spoil          func(evidence.Run)
}

func nameAll(t *testing.T, cases []named) {
	t.Helper()
	moved := map[string]bool{}
	for _, tc := range cases {
		t.Run(tc.id+"/"+tc.claim, func(t *testing.T) {
			run := example.Healthy()
			tc.spoil(run)
			before := claim.Judge(run)
			f := finding(t, Apply(run, before), tc.claim, tc.subject)
			if f.Cause == nil {
				t.Fatalf("no cause for %s: %s", f.Verdict, f.Reason)
			}
			if f.Cause.ID != tc.id || f.Verdict != tc.verdict || !strings.Contains(f.Cause.Sentence, tc.sentence) || f.Cause.Remedy == "" {
				t.Errorf("%s, %+v, want %s, %s: ...%s...", f.Verdict, *f.Cause, tc.verdict, tc.id, tc.sentence)
			}
			if finding(t, before, tc.claim, tc.subject).Cause != nil {
				t.Error("Apply changed the findings that it was given")
			}
			if moved[tc.id] {
				return // once for each cause: what is saved waits for the disk
			}
			moved[tc.id] = true
			saved, dir := evidencetest.Saved(t, run)
			sameElsewhere(t, dir, saved, slices.DeleteFunc(claim.All(), func(c claim.Claim) bool { return c.ID != tc.claim }))
		})
	}
}

// blind takes everything out of sleep on east that istiod could know of west: its endpoints, and their counters.
func blind(run evidence.Run) {
	*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1))
	t := example.Calls(run, east, evidence.Split)
	remote := func(c evidence.Counters) bool { return strings.HasSuffix(c.Address, ":15443") }
	t.Before, t.After = slices.DeleteFunc(t.Before, remote), slices.DeleteFunc(t.After, remote)
}

func TestTheOddRootIsNamedFirst(t *testing.T) {
	run := evidence.Run{Epochs: map[string]evidence.Epoch{evidence.Joined: {Clusters: map[string]*evidence.Cluster{}}}}
	for _, c := range []struct{ name, root string }{{east, "aa11"}, {"north", "bb22"}, {west, "aa11"}} {
		run.Intent.Clusters = append(run.Intent.Clusters, intent.Cluster{Name: c.name})
		run.Epochs[evidence.Joined].Clusters[c.name] = &evidence.Cluster{Proxies: []evidence.Proxy{{Pod: "sleep", RootSHA256: c.root}, {Pod: "new"}}}
	}
	backwards := slices.Clone(run.Intent.Clusters)
	slices.Reverse(backwards)
	said, files := differentRoots(sight{run: run, epoch: evidence.Joined, peers: backwards})
	if want := "the proxies of north trust the root bb22, those of east and west the root aa11, so they do not take each other's certificates"; said != want {
		t.Errorf("said %q, want %q", said, want)
	}
	if len(files) != 2 || !strings.Contains(files[0], "north") || !strings.Contains(files[1], east) {
		t.Errorf("files %q, want one of each root", files)
	}
}

func TestCauses(t *testing.T) {
	gatewayPods := func(run evidence.Run) *evidence.Pod { return example.Pod(run, west, example.GatewayPod) }
	service := func(run evidence.Run) *evidence.Service { return &example.Cluster(run, west).Kubernetes.Services[0] }
	nameAll(t, []named{
		{"different-roots", "common-root", "mesh", claim.Failed, "cc33", func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = "cc33"
		}},
		{"different-roots", "split-balanced", eastToWest, claim.Failed, "the proxies of east trust the root aa11aa11aa11aa11, those of west the root cc33, so", func(run evidence.Run) {
			alone(run)
			for i := range example.Cluster(run, west).Proxies {
				example.Cluster(run, west).Proxies[i].RootSHA256 = "cc33"
			}
		}},
		{"remote-secret-missing", "split-balanced", eastToWest, claim.Failed, "east has no remote secret for west (kind-west)", func(run evidence.Run) {
			alone(run)
			blind(run)
			example.Cluster(run, east).Kubernetes.RemoteSecrets = nil
		}},
		{"remote-secret-missing", "served-by-peer", west, claim.Failed, "east has no remote secret", func(run evidence.Run) {
			example.Calls(run, west, evidence.Split).After[0].RqTotal++
			blind(run)
			example.Cluster(run, east).Kubernetes.RemoteSecrets = nil
		}},
		{"remote-cluster-timeout", "remote-clusters-synced", east, claim.Failed, "could not read cluster kind-west", func(run evidence.Run) {
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageClusterz] = example.RemoteClusters(
				evidence.RemoteCluster{ID: run.Intent.Clusters[0].ID, SyncStatus: "synced"},
				evidence.RemoteCluster{ID: "kind-west", SecretName: "istio-system/istio-remote-secret-kind-west", SyncStatus: "timeout"})
		}},
		{"gateway-without-address", "gateway-address", west, claim.Failed, "gateway of cluster west has no address", func(run evidence.Run) {
			service(run).Addresses, service(run).Type = nil, "ClusterIP"
		}},
		{"lb-pool-empty", "gateway-address", west, claim.Inconclusive, "no available IPs", func(run evidence.Run) {
			service(run).Addresses = nil
			k := example.Cluster(run, west).Kubernetes
			k.Events = []evidence.Event{{Namespace: "istio-system", Object: "Service/istio-eastwestgateway", Reason: "AllocationFailed",
				Message: `Failed to allocate IP for "istio-system/istio-eastwestgateway": no available IPs`}}
		}},
		{"gateway-without-listener", "gateway-listener", west, claim.Failed, "no listener on port 15443", func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).ConfigDump = example.Dump(example.Listener(15021))
		}},
		{"gateway-without-listener", "gateway-reached", eastToWest, claim.Failed, "cluster west has no listener", func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).ConfigDump = example.Dump(example.Listener(15021))
			example.Cluster(run, east).Dials[0].Connected = false
		}},
		{"gateway-unreachable", "gateway-reached", eastToWest, claim.Failed, "no route to host", func(run evidence.Run) {
			example.Unreachable(run, east, "no route to host")
		}},
		{"remote-connections-failing", "gateway-reached", eastToWest, claim.Failed, "connections from sleep on cluster east", func(run evidence.Run) {
			example.Cluster(run, east).Dials[0].Connected, example.Cluster(run, east).Dials[0].Error = false, "connection reset by peer"
			for i, c := range example.Calls(run, east, evidence.Split).After {
				if strings.HasSuffix(c.Address, ":15443") {
					example.Calls(run, east, evidence.Split).After[i].CxConnectFail = 7
				}
			}
		}},
		{"same-network", "endpoints-across-gateway", eastToWest, claim.Failed, `both on network "default"`, func(run evidence.Run) {
			for _, name := range []string{east, west} {
				example.Pod(run, name, example.GatewayPod).Env["ISTIO_META_NETWORK"] = "default"
			}
			raw := example.Remote(run.Intent.Clusters[1], 2)
			raw.Address, raw.Port = "10.244.0.12", 5000
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 2), raw)
		}},
		{"service-missing", "guide-calls", eastToWest, claim.Failed, "east has no service helloworld", func(run evidence.Run) {
			k := example.Cluster(run, east).Kubernetes
			k.Services = k.Services[:1]
			calls := example.Calls(run, east, evidence.GuideCalls)
			calls.Replies, calls.Stderr = nil, "curl: (6) Could not resolve host: helloworld.sample"
		}},
		{"not-injected", "sidecars", west, claim.Failed, "pod sample/sleep-1 on cluster west has no sidecar", func(run evidence.Run) {
			p := example.Pod(run, west, example.SleepPod)
			p.Containers = p.Containers[:1]
		}},
		{"not-injected", "gateway-available", west, claim.Failed, `image "auto"`, func(run evidence.Run) {
			gatewayPods(run).Containers[0] = evidence.Container{Name: "istio-proxy", Image: "auto", Waiting: "ErrImagePull"}
		}},
		{"image-not-pullable", "sidecars", west, claim.Inconclusive, "ImagePullBackOff", func(run evidence.Run) {
			example.Pod(run, west, example.SleepPod).Containers[0] = evidence.Container{Name: "sleep", Image: "sleep:1", Waiting: "ImagePullBackOff"}
		}},
		{"image-not-pullable", "procedure", "mesh", claim.Inconclusive, "step S6", func(run evidence.Run) {
			run.Steps[5].Error, run.Steps[5].Stderr = "exit code 1", "Failed to pull image"
		}},
		{"api-server-unreachable", "procedure", "mesh", claim.Inconclusive, "cluster west did not answer after step S6", func(run evidence.Run) {
			run.Steps[5].Error, run.Steps[5].Reachable = "exit code 1", map[string]bool{east: true, west: false}
		}},
		{"api-server-unreachable", "gateway-reached", eastToWest, claim.Inconclusive, "API server of cluster west", func(run evidence.Run) {
			*example.Cluster(run, west) = evidence.Cluster{Kubernetes: &evidence.Kubernetes{},
				Problems: []evidence.Problem{{What: "API objects", Error: "read pods in sample on cluster west: dial tcp 172.18.0.3:6443: connect: connection refused"}}}
			example.Cluster(run, east).Dials = []evidence.Dial{}
		}},
		{"api-server-unreachable", "sample-removed", west, claim.Inconclusive, "after step S15", func(run evidence.Run) {
			delete(run.Epochs, evidence.Removed)
			run.Steps[12] = evidence.Step{ID: "S15", Error: "exit code 1", Reachable: map[string]bool{west: false}}
		}},
		{"remote-connections-failing", "split-accounted", eastToWest, claim.Failed, "7 connections from sleep on cluster east to 172.18.252.1:15443 failed", func(run evidence.Run) {
			for i, c := range example.Calls(run, east, evidence.Split).After {
				if strings.HasSuffix(c.Address, ":15443") {
					example.Calls(run, east, evidence.Split).After[i].CxConnectFail = 7
				}
			}
		}},
	})
}

func TestAHealthyMeshHasNoCause(t *testing.T) {
	run := example.Healthy()
	for _, f := range Apply(run, claim.Judge(run)) {
		if f.Cause != nil || f.Verdict != claim.Passed && f.Level == claim.Core {
			t.Errorf("%s (%s): %s, %+v", f.Claim, f.Subject, f.Verdict, f.Cause)
		}
	}
	// Nor does a fault of which the evidence shows nothing else.
	example.Pod(run, west, example.GatewayPod).Env["ISTIO_META_MESH_ID"] = "proj-"
	if f := finding(t, Apply(run, claim.Judge(run)), "mesh-ids", west); f.Cause != nil || f.Verdict != claim.Failed {
		t.Errorf("%s, %+v, want failed without a cause", f.Verdict, f.Cause)
	}
}

// TestAnEnvironmentCauseExplainsOnlyItsClaims: different roots stay a failure beside an image that cannot be pulled.
func TestAnEnvironmentCauseExplainsOnlyItsClaims(t *testing.T) {
	run := example.Healthy()
	example.Pod(run, west, example.SleepPod).Containers[0] = evidence.Container{Name: "sleep", Image: "sleep:1", Waiting: "ImagePullBackOff"}
	example.Proxy(run, west, evidence.RoleGateway).RootSHA256 = "cc33"
	example.Proxy(run, west, evidence.RoleGateway).Clusters = json.RawMessage(nil)
	found := Apply(run, claim.Judge(run))
	if f := finding(t, found, "common-root", "mesh"); f.Verdict != claim.Failed || f.Cause == nil || f.Cause.ID != "different-roots" {
		t.Errorf("%s: %s, %+v", f.Verdict, f.Reason, f.Cause)
	}
	if claim.ExitCode(found) != 1 {
		t.Error("the run does not fail")
	}
	// Nothing turns an inconclusive finding into a failed one.
	if f := finding(t, found, "gateway-backend-healthy", west); f.Verdict != claim.Inconclusive {
		t.Errorf("%s: %s", f.Verdict, f.Reason)
	}
}

// TestAnotherNeighbourInTheNamespaceExplainsNothing: what istio-system and the sample's namespace hold besides the mesh does not turn a
// failure into one that could not be told.
func TestAnotherNeighbourInTheNamespaceExplainsNothing(t *testing.T) {
	for name, disturb := range map[string]func(*evidence.Kubernetes){
		"an image": func(k *evidence.Kubernetes) {
			for _, namespace := range []string{"istio-system", "sample"} {
				k.Pods = append(k.Pods, evidence.Pod{Object: evidence.Object{Namespace: namespace, Name: "kiali-1", Labels: map[string]string{"app": "kiali"}}, Phase: "Pending",
					Containers: []evidence.Container{{Name: "kiali", Image: "kiali:v2", Waiting: "ImagePullBackOff"}}})
			}
		},
		"an address": func(k *evidence.Kubernetes) {
			k.Services = append(k.Services, evidence.Service{Object: evidence.Object{Namespace: "istio-system", Name: "istio-ingressgateway",
				Labels: map[string]string{"istio": "ingressgateway"}}, Type: "LoadBalancer", Ports: []int32{443}})
			k.Events = append(k.Events, evidence.Event{Namespace: "istio-system", Object: "Service/istio-ingressgateway", Reason: "AllocationFailed", Message: "no available IPs"})
		},
	} {
		run := example.Healthy()
		k := example.Cluster(run, west).Kubernetes
		k.Gateways, k.Services[0].Type = nil, "ClusterIP"
		k.Services[0].Addresses = nil
		disturb(k)
		found := Apply(run, claim.Judge(run))
		for _, id := range []string{"gateway-exposes", "gateway-address"} {
			if f := finding(t, found, id, west); f.Verdict != claim.Failed {
				t.Errorf("%s that something else waits for: %s is %s: %s, %+v", name, id, f.Verdict, f.Reason, f.Cause)
			}
		}
	}
}

func TestTheTableNamesClaimsThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, c := range claim.All() {
		known[c.ID] = true
	}
	seen := map[string]bool{}
	for _, r := range table() {
		if seen[r.id] || r.sentence == "" || r.remedy == "" || r.shows == nil || r.verdict != claim.Failed && r.verdict != claim.Inconclusive {
			t.Errorf("row %s is there twice, or not whole", r.id)
		}
		seen[r.id] = true
		for _, id := range r.explains {
			if !known[id] {
				t.Errorf("cause %s explains %q, which is no claim", r.id, id)
			}
		}
	}
	for _, id := range ofOneCluster() {
		if !known[id] {
			t.Errorf("%q is no claim", id)
		}
	}
}
