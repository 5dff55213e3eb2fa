package cause

import (
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// watches makes istiod on east see west in this state; "" when it does not list it.
func watches(run evidence.Run, state string) *evidence.Istiod {
	own := evidence.RemoteCluster{ID: run.Intent.Clusters[0].ID, SyncStatus: "synced"}
	remote := evidence.RemoteCluster{ID: "kind-west", SecretName: "istio-system/istio-remote-secret-kind-west", SyncStatus: state}
	i := &example.Cluster(run, east).Istiods[0]
	i.Pages[evidence.PageClusterz] = example.RemoteClusters(own, remote)
	if state == "" {
		i.Pages[evidence.PageClusterz] = example.RemoteClusters(own)
	}
	return i
}

// secret is where east's remote secret for west points.
func secret(run evidence.Run) *evidence.RemoteServer {
	return &example.Cluster(run, east).Kubernetes.RemoteServers[0]
}

// complains makes istiod on east time out on west and say why.
func complains(troubles ...evidence.Trouble) func(evidence.Run) {
	return func(run evidence.Run) {
		i := watches(run, "timeout")
		for n, trouble := range troubles {
			i.Complaints = append(i.Complaints, evidence.Complaint{Cluster: "kind-west", Trouble: trouble, Count: 3, Last: example.Began().Add(time.Duration(n) * time.Minute)})
		}
	}
}

// cut is what a bad secret does to the calls when it was made anew: the other cluster is gone from east.
func cut(spoil func(evidence.Run)) func(evidence.Run) {
	return func(run evidence.Run) {
		spoil(run)
		alone(run)
		blind(run)
	}
}

func TestSecrets(t *testing.T) {
	const synced = "remote-clusters-synced"
	pointing := func(server string) func(evidence.Run) {
		return func(run evidence.Run) {
			complains(evidence.Unreached)(run)
			secret(run).Server = server
		}
	}
	nameAll(t, []named{
		{"secret-controller-wedged", synced, east, claim.Failed, "still counts 1 remote clusters and it still holds pods of kind-west", func(run evidence.Run) { watches(run, "") }},
		{"secret-controller-wedged", synced, east, claim.Failed, "no longer lists kind-west, yet it still holds pods of kind-west", func(run evidence.Run) { watches(run, "").Metrics = nil }},
		{"remote-secret-missing", synced, east, claim.Failed, "east has no remote secret for west", func(run evidence.Run) {
			i := watches(run, "")
			i.Metrics, i.Pages[evidence.PageEndpointShardz] = example.Metrics(0), example.Shards(evidence.HelloworldHost("sample"), "cn-fleet-global-east", example.AppIP)
			example.Cluster(run, east).Kubernetes.RemoteSecrets = nil
		}},
		{"remote-secret-foreign", "remote-secrets", east, claim.Failed, "istio-remote-secret-north, which is for no cluster of this mesh", func(run evidence.Run) {
			k := example.Cluster(run, east).Kubernetes
			k.RemoteSecrets = append(k.RemoteSecrets, evidence.Object{Namespace: "istio-system", Name: "istio-remote-secret-north"})
		}},
		{"remote-secret-unreadable", synced, east, claim.Failed, "it holds no kubeconfig", func(run evidence.Run) {
			watches(run, "").Metrics = nil
			delete(example.Cluster(run, east).Istiods[0].Pages, evidence.PageEndpointShardz)
			*secret(run) = evidence.RemoteServer{Secret: "istio-system/istio-remote-secret-kind-west", Problem: "it holds no kubeconfig"}
		}},
		{"remote-secret-unreadable", "remote-secrets", east, claim.Failed, "its kubeconfig cannot be read", func(run evidence.Run) {
			secret(run).Server, secret(run).Problem = "", "its kubeconfig cannot be read"
		}},
		{"remote-secret-unreadable", synced, east, claim.Failed, "cannot make a client", complains(evidence.Unusable)},
		{"remote-secret-unreadable", synced, east, claim.Failed, `under "other", so istiod does not know west as "kind-west"`, func(run evidence.Run) {
			complains()(run)
			secret(run).Cluster = "other"
		}},
		{"remote-secret-loopback", synced, east, claim.Failed, "points at https://127.0.0.1:6443", pointing("https://127.0.0.1:6443")},
		{"remote-secret-loopback", "remote-secrets", east, claim.Failed, "https://localhost", func(run evidence.Run) { secret(run).Server = "https://localhost" }},
		{"remote-secret-loopback", "split-balanced", eastToWest, claim.Failed, "https://[::1]:6443", cut(pointing("https://[::1]:6443"))},
		{"remote-secret-no-permission", synced, east, claim.Failed, "says forbidden", complains(evidence.Forbidden)},
		{"remote-secret-no-permission", synced, east, claim.Failed, "does not take the token", complains(evidence.Unauthorized)},
		{"remote-secret-no-permission", synced, east, claim.Failed, "says forbidden", complains(evidence.Unreached, evidence.Forbidden)}, // the newest counts
		{"remote-secret-no-permission", "crossed-by-gateway", eastToWest, claim.Failed, "says forbidden", cut(complains(evidence.Forbidden))},
		{"remote-secret-wrong-address", synced, east, claim.Failed, "points at 172.18.0.99:6443, but the API server there is at 172.18.0.3:6443, and answers", pointing("https://172.18.0.99:6443")},
		{"remote-secret-wrong-address", synced, east, claim.Failed, "points at 10.255.255.1:443", func(run evidence.Run) {
			complains(evidence.Untrusted)(run)
			secret(run).Server = "https://10.255.255.1"
		}},
		{"remote-secret-untrusted", synced, east, claim.Failed, "does not trust the certificate that answers at https://172.18.0.3:6443", complains(evidence.Untrusted)},
		{"remote-secret-unreachable", synced, east, claim.Failed, "cannot reach the API server of cluster west at https://172.18.0.3:6443, which answers from outside", complains(evidence.Unreached)},
		{"remote-secret-unreachable", "endpoints-across-gateway", eastToWest, claim.Failed, "cannot reach", func(run evidence.Run) {
			complains(evidence.Unreached)(run)
			blind(run)
		}},
		{"remote-cluster-timeout", synced, east, claim.Failed, "could not read cluster kind-west in time", complains()},
		{"remote-cluster-timeout", synced, east, claim.Failed, "could not read", func(run evidence.Run) {
			complains()(run)
			example.Cluster(run, east).Kubernetes.RemoteServers = nil // an older run
		}},
		// The same secret, when its API server is down: that is no fault of the mesh.
		{"api-server-unreachable", synced, east, claim.Inconclusive, "API server of cluster west did not answer", func(run evidence.Run) {
			pointing("https://172.18.0.99:6443")(run)
			*example.Cluster(run, west) = evidence.Cluster{Kubernetes: &evidence.Kubernetes{},
				Problems: []evidence.Problem{{What: "API objects", Error: "read pods in sample on cluster west: dial tcp 172.18.0.3:6443: connect: no route to host"}}}
		}},
	})
}

// TestAServerElsewhereIsNoFault: an API server may have several addresses; while istiod reads it, all is well.
func TestAServerElsewhereIsNoFault(t *testing.T) {
	run := example.Healthy()
	secret(run).Server = "https://api.west.example"
	for _, f := range Apply(run, claim.Judge(run)) {
		if f.Cause != nil || f.Verdict != claim.Passed && f.Level == claim.Core {
			t.Errorf("%s (%s): %s, %+v", f.Claim, f.Subject, f.Verdict, f.Cause)
		}
	}
}

// TestASecretThatFailedLaterExplainsNoCalls: istiod keeps what it has read, so the calls failed for another reason.
func TestASecretThatFailedLaterExplainsNoCalls(t *testing.T) {
	run := example.Healthy()
	complains(evidence.Unreached)(run)
	alone(run)
	if f := finding(t, Apply(run, claim.Judge(run)), "split-balanced", eastToWest); f.Verdict != claim.Failed || f.Cause != nil {
		t.Errorf("%s, %+v", f.Verdict, f.Cause)
	}
	run = example.Healthy()
	blind(run)
	c := example.Cluster(run, east)
	c.Kubernetes.RemoteSecrets, c.Problems = nil, []evidence.Problem{{What: "API objects", Error: "read remote secrets in istio-system on cluster east: it is forbidden"}}
	if f := finding(t, Apply(run, claim.Judge(run)), "remote-secrets", east); f.Verdict != claim.Inconclusive || f.Cause != nil {
		t.Errorf("secrets that could not be listed: %s, %+v", f.Verdict, f.Cause)
	}
}

// shutOut is what is seen when istiod on east has read west, may read it no more, and west's helloworld was made anew since.
func shutOut(trouble evidence.Trouble, before time.Duration, held ...string) func(evidence.Run) {
	return func(run evidence.Run) {
		i := watches(run, "synced")
		i.Complaints = []evidence.Complaint{{Cluster: "kind-west", Trouble: trouble, Count: 3, Last: i.At.Add(-before)}}
		i.Pages[evidence.PageEndpointShardz] = example.Shards(evidence.HelloworldHost("sample"), "kind-west", held...)
		alone(run)
		blind(run)
	}
}

func TestARefusalAfterTheSync(t *testing.T) {
	nameAll(t, []named{
		{"remote-secret-no-permission", "endpoints-across-gateway", eastToWest, claim.Failed, "has read cluster west and may no longer: the API server there answers unauthorized", shutOut(evidence.Unauthorized, time.Minute)},
		{"remote-secret-no-permission", "split-balanced", eastToWest, claim.Failed, "answers forbidden", shutOut(evidence.Forbidden, time.Minute, "10.244.0.99")},
	})
	for name, spoil := range map[string]func(evidence.Run){
		"it is long ago":                   shutOut(evidence.Unauthorized, 3*time.Minute),
		"it was another trouble":           shutOut(evidence.Unreached, time.Minute),
		"what istiod holds is up to date":  shutOut(evidence.Forbidden, time.Minute, example.AppIP),
		"its pods have two addresses each": shutOut(evidence.Forbidden, time.Minute, example.AppIP, "fd00::7"),
		"it is not known what is to be so": func(run evidence.Run) {
			shutOut(evidence.Unauthorized, time.Minute)(run)
			example.Cluster(run, west).Problems = noPods()
		},
		"the calls find their way": func(run evidence.Run) {
			shutOut(evidence.Unauthorized, time.Minute)(run)
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), example.Remote(run.Intent.Clusters[1], 1))
		},
	} {
		run := example.Healthy()
		spoil(run)
		if f := finding(t, Apply(run, claim.Judge(run)), "split-balanced", eastToWest); f.Cause != nil && f.Cause.ID == "remote-secret-no-permission" {
			t.Errorf("%s, and it is named all the same: %+v", name, f.Cause)
		}
	}
}

func noPods() []evidence.Problem {
	return []evidence.Problem{{What: "API objects", Error: "read pods in sample on cluster west: timed out"}}
}
