package claim

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// The mesh as it was seen on two kind clusters with each disruption in force, in what its claim looks at.
func spoilers() map[string]func(evidence.Run) {
	shut := func(run evidence.Run) {
		h := example.Handshake(run, east, evidence.AsMember)
		h.Handshake, h.Code, h.Peer, h.Phase, h.Error = false, 0, "", "handshake", "read: connection reset by peer"
	}
	alone := func(run evidence.Run) { // east is answered by its own helloworld, and its Envoy counts what it tried
		calls := example.Calls(run, east, evidence.Split)
		for i := range calls.Replies {
			calls.Replies[i].Version = "v1"
		}
		failing(run, east)
	}
	local := func(run evidence.Run) {
		*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1))
	}
	forgotten := func(run evidence.Run) {
		alone(run)
		local(run)
		calls := example.Calls(run, east, evidence.Split)
		remote := func(c evidence.Counters) bool { return strings.HasSuffix(c.Address, ":15443") }
		calls.Before, calls.After = slices.DeleteFunc(calls.Before, remote), slices.DeleteFunc(calls.After, remote)
		c := example.Cluster(run, east)
		c.Istiods[0].Pages[evidence.PageClusterz] = example.RemoteClusters(evidence.RemoteCluster{ID: run.Intent.Clusters[0].ID, SyncStatus: "synced"})
	}
	unreached := func(run evidence.Run) {
		d := &example.Cluster(run, east).Dials[0]
		d.Connected, d.Error = false, "connection refused"
	}
	backends := func(run evidence.Run) { example.Proxy(run, west, evidence.RoleGateway).Clusters = example.Clusters() }
	raw := func(run evidence.Run) {
		e := example.Remote(run.Intent.Clusters[1], 1)
		e.Address, e.Port = "10.244.0.12", 5000
		*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), e)
	}
	bare := func(run evidence.Run) {
		p := example.Pod(run, west, example.AppPod(run.Intent.Clusters[1]))
		p.Containers = p.Containers[:1]
	}
	both := func(all ...func(evidence.Run)) func(evidence.Run) {
		return func(run evidence.Run) {
			for _, spoil := range all {
				spoil(run)
			}
		}
	}
	return map[string]func(evidence.Run){
		"identity-denied": func(run evidence.Run) {
			example.Handshake(run, east, evidence.AsMember).Code = forbidden
			calls := example.Calls(run, east, evidence.Split)
			for i := range calls.Replies {
				if calls.Replies[i].Version == "v2" {
					calls.Replies[i].Code, calls.Replies[i].Version = forbidden, ""
				}
			}
		},
		"identity-allowed": func(run evidence.Run) { example.Handshake(run, east, evidence.AsStranger).Code = forbidden },
		"service-private": both(shut, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).ConfigDump = example.Dump(example.Listener(15443, "outbound_.443_._.kubernetes.default.svc.cluster.local"))
		}),
		"mtls-disabled": both(shut, backends),
		"not-injected":  both(bare, local, alone, backends),
		"gateway-scaled-to-zero": both(unreached, alone, func(run evidence.Run) {
			d := &example.Cluster(run, west).Kubernetes.Deployments[0]
			d.Replicas, d.Available = 0, 0
		}),
		"gateway-unexposed": both(unreached, alone, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).ConfigDump = example.Dump(example.Listener(15021))
		}),
		"remote-secret-deleted":     forgotten,
		"remote-secret-unreachable": forgotten,
		"gateway-service-deleted": both(raw, func(run evidence.Run) {
			k := example.Cluster(run, west).Kubernetes
			k.Services = k.Services[1:]
		}),
		"different-roots": both(shut, alone, func(run evidence.Run) {
			example.Cluster(run, west).Kubernetes.MeshRoot = "bb22"
			failing(run, west)
		}),
		"wrong-revision": both(bare, func(run evidence.Run) {
			for i, n := range example.Cluster(run, west).Kubernetes.Namespaces {
				if n.Name == "sample" {
					example.Cluster(run, west).Kubernetes.Namespaces[i].Labels["istio.io/rev"] = "not-there"
				}
			}
		}),
		"same-network": both(raw, func(run evidence.Run) {
			example.Pod(run, west, example.GatewayPod).Env["ISTIO_META_NETWORK"] = "network1"
		}),
		"service-deleted": func(run evidence.Run) {
			guided, measured := example.Calls(run, east, evidence.GuideCalls), example.Calls(run, east, evidence.Split)
			guided.Replies, guided.Stderr = nil, "curl: (6) Could not resolve host: helloworld.sample"
			for i := range measured.Replies {
				measured.Replies[i] = evidence.Reply{Number: i + 1, Exit: 6}
			}
		},
	}
}

// failing adds attempts to the peer that failed and were tried again.
func failing(run evidence.Run, name string) {
	after := example.Calls(run, name, evidence.Split).After
	for i := range after {
		if strings.HasSuffix(after[i].Address, ":15443") {
			after[i].CxConnectFail = 7
		}
	}
}

func TestDisruptions(t *testing.T) {
	for _, d := range disruptions() {
		spoil := spoilers()[d.id]
		if spoil == nil {
			t.Errorf("there is no example of %s", d.id)
			continue
		}
		without := func(epoch string) func(evidence.Run) {
			return func(run evidence.Run) { delete(run.Epochs, epoch) }
		}
		for _, tc := range []struct {
			name    string
			spoil   func(evidence.Run)
			after   func(evidence.Run)
			verdict Verdict
			says    string
		}{
			{"as it must be", spoil, nil, Passed, "held again afterwards"},
			{"nothing shows", func(evidence.Run) {}, nil, Failed, ""},
			{"it was not undone", spoil, func(run evidence.Run) {
				run.Epochs[evidence.Repaired(d.id)] = run.Epochs[evidence.Broken(d.id)]
			}, Failed, ""},
			{"not looked at", spoil, without(evidence.Broken(d.id)), Inconclusive, evidence.Broken(d.id)},
			{"not looked at again", spoil, without(evidence.Repaired(d.id)), Inconclusive, evidence.Repaired(d.id)},
		} {
			t.Run(d.id+"/"+tc.name, func(t *testing.T) {
				run := example.Disrupted(d.id, tc.spoil)
				if tc.after != nil {
					tc.after(run)
				}
				if f := one(t, run, d.claim, "mesh"); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.says) {
					t.Errorf("%s: %s", f.Verdict, f.Reason)
				}
			})
		}
		if f := one(t, example.Without(example.Disrupted(d.id, spoil), evidence.SumsFile), d.claim, "mesh"); f.Verdict == Passed {
			t.Errorf("%s passed on evidence without a seal", d.id)
		}
	}
}

// TestDisruptionsNameClaims: a claim that is not there could never be broken or kept.
func TestDisruptionsNameClaims(t *testing.T) {
	run := example.Healthy()
	for _, d := range disruptions() {
		for _, a := range append(d.breaks, d.keeps...) {
			v := view{run: run, epoch: evidence.Joined}
			if subject, got := a.judged(v); got.verdict != Passed || subject == "" {
				t.Errorf("%s: %s (%s) of a healthy mesh: %s: %s", d.id, a.claim, a.subject, got.verdict, got.reason)
			}
		}
	}
}
