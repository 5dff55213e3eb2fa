package claim

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestDiscoveryOfEachCluster(t *testing.T) {
	judgeAll(t, []spoiled{
		{"none", "remote-secrets", west, objectsOf(func(k *evidence.Kubernetes) { k.RemoteSecrets = nil }), Failed, "0 remote secrets for east (kind-east)"},
		{"one too many", "remote-secrets", west, objectsOf(func(k *evidence.Kubernetes) {
			k.RemoteSecrets = append(k.RemoteSecrets, evidence.Object{Name: "istio-remote-secret-north"})
		}), Failed, "also holds istio-remote-secret-north"},
		{"the same twice", "remote-secrets", west, objectsOf(func(k *evidence.Kubernetes) {
			k.RemoteSecrets = append(k.RemoteSecrets, k.RemoteSecrets[0])
		}), Failed, "2 remote secrets for east"},
		{"loopback", "remote-secrets", west, objectsOf(func(k *evidence.Kubernetes) { k.RemoteServers[0].Server = "https://127.0.0.1:6443" }), Failed, "points at https://127.0.0.1:6443"},
		{"unreadable", "remote-secrets", west, objectsOf(func(k *evidence.Kubernetes) {
			k.RemoteServers[0] = evidence.RemoteServer{Secret: "istio-system/x", Problem: "it holds no kubeconfig"}
		}), Failed, "it holds no kubeconfig"},
		{"servers were not taken", "remote-secrets", west, objectsOf(func(k *evidence.Kubernetes) { k.RemoteServers = nil }), Passed, "one remote secret for each of 1"},
		{"servers were not told", "remote-secrets", west, func(run evidence.Run) {
			c := example.Cluster(run, west)
			c.Kubernetes.RemoteServers = nil
			c.Problems = []evidence.Problem{{What: "API objects", Error: "read remote servers in istio-system on cluster west: the server has asked for time"}}
		}, Inconclusive, "does not hold the servers of the remote secrets: read remote servers in istio-system on cluster west: the server has asked for time"},

		{"another address", "gateways-known", west, func(run evidence.Run) {
			example.Cluster(run, east).Kubernetes.Services[0].Addresses = []string{"172.18.251.9"}
		}, Failed, "does not know 172.18.251.9:15443 as a way into network network1 of cluster east"},
		{"no address", "gateways-known", west, func(run evidence.Run) { gatewayService(run).Addresses = nil }, Failed, "no address that istiod could know"},
		{"a host name", "gateways-known", west, func(run evidence.Run) { gatewayService(run).Addresses = []string{"gw.example"} }, Passed, "know the gateways of 2 networks"},
		{"no page", "gateways-known", west, withoutPage(evidence.PageNetworkz), Inconclusive, "networkz"},

		{"no pods of the peer", "endpoints-shared", west, istiodOf(func(i *evidence.Istiod) {
			i.Pages[evidence.PageEndpointShardz] = example.Shards(evidence.HelloworldHost("sample"), "cn-fleet-global-west", example.AppIP)
		}), Failed, "the pods of helloworld on east are 10.244.0.8, but istiod istiod-asm-1232-2-1 holds none"},
		{"a stale pod", "endpoints-shared", west, podOf("helloworld-v2-1", func(p *evidence.Pod) { p.IP = "10.244.0.77" }), Failed, "holds 10.244.0.8"},
		{"a second address family", "endpoints-shared", west, func(run evidence.Run) {
			pages := example.Cluster(run, west).Istiods[0].Pages
			pages[evidence.PageEndpointShardz] = bytes.ReplaceAll(pages[evidence.PageEndpointShardz], []byte(`"10.244.0.8"`), []byte(`"10.244.0.8","fd00::8"`))
		}, Passed, "of all 2 clusters"},
		{"no pod", "endpoints-shared", west, podOf("helloworld-v2-1", func(p *evidence.Pod) { p.Terminating = true }), Failed, "the pods of helloworld on west are none"},
		{"no page", "endpoints-shared", west, withoutPage(evidence.PageEndpointShardz), Inconclusive, "endpointShardz"},

		{"behind", "proxies-synced", west, syncz(evidence.ResourceSync{Sent: "n2", Acked: "n1"}), Failed, "sleep-1 has not taken its ClusterLoadAssignment"},
		{"refused", "proxies-synced", west, syncz(evidence.ResourceSync{Sent: "n2", Acked: "n2", Error: "bad weight"}), Failed, "ClusterLoadAssignment (refused: bad weight)"},
		{"never sent", "proxies-synced", west, syncz(evidence.ResourceSync{}), Failed, "ClusterLoadAssignment (never sent)"},
		{"connected to none", "proxies-synced", west, podOf(example.SleepPod, func(p *evidence.Pod) { p.Namespace, p.Name = "sample", "sleep-2" }), Failed, "sleep-2 is connected to no istiod"},
		{"not at this replica", "proxies-synced", west, istiodOf(func(i *evidence.Istiod) { i.Pages[evidence.PageSyncz] = json.RawMessage("[]") }), Failed, "is connected to no istiod"},
		{"no page", "proxies-synced", west, withoutPage(evidence.PageSyncz), Inconclusive, "syncz"},
		{"no istiod", "proxies-synced", west, noIstiod, Failed, "no running istiod"},

		{"a time-out", "remote-cluster-metrics", west, istiodOf(func(i *evidence.Istiod) {
			i.Metrics = append(i.Metrics, evidence.Metric{Name: evidence.MetricTimeouts, Labels: map[string]string{"cluster": "kind-east"}, Value: 1})
		}), Failed, "counts 1 time-outs"},
		{"none managed", "remote-cluster-metrics", west, istiodOf(func(i *evidence.Istiod) { i.Metrics = example.Metrics(0) }), Failed, "counts 0 remote clusters, not 1"},
		{"an istiod without the metric", "remote-cluster-metrics", west, istiodOf(func(i *evidence.Istiod) { i.Metrics = []evidence.Metric{} }), Inconclusive, "have no istiod_managed_clusters"},
		{"not taken", "remote-cluster-metrics", west, istiodOf(func(i *evidence.Istiod) { i.Metrics = nil }), Inconclusive, "does not hold the metrics"},

		{"may not read", "reader-access", west, objectsOf(func(k *evidence.Kubernetes) { k.ReaderMay["list services"] = false }), Failed, "may not list services"},
		{"may write", "reader-access", west, objectsOf(func(k *evidence.Kubernetes) { k.ReaderMay["create services"] = true }), Failed, "may create services"},
		{"not asked", "reader-access", west, objectsOf(func(k *evidence.Kubernetes) { delete(k.ReaderMay, "create services") }), Inconclusive, "not asked"},
		{"not taken", "reader-access", west, objectsOf(func(k *evidence.Kubernetes) { k.ReaderMay = nil }), Inconclusive, "did not take it"},

		{"on", "locality-off", west, istiodOf(func(i *evidence.Istiod) {
			i.Pages[evidence.PageMesh] = json.RawMessage(`{"trustDomain":"cluster.local"}`)
		}), Failed, "weighs localities"},
		{"no page", "locality-off", west, withoutPage(evidence.PageMesh), Inconclusive, "mesh"},
	})
}

func syncz(sleep evidence.ResourceSync) func(evidence.Run) {
	return func(run evidence.Run) {
		example.Cluster(run, west).Istiods[0].Pages[evidence.PageSyncz] = example.Syncz(run.Intent.Clusters[1], sleep)
	}
}
