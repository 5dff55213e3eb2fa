package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// objectsOf gives what a spoiler changes of west.
func objectsOf(spoil func(*evidence.Kubernetes)) func(evidence.Run) {
	return func(run evidence.Run) { spoil(example.Cluster(run, west).Kubernetes) }
}

func istiodOf(spoil func(*evidence.Istiod)) func(evidence.Run) {
	return func(run evidence.Run) { spoil(&example.Cluster(run, west).Istiods[0]) }
}

func podOf(name string, spoil func(*evidence.Pod)) func(evidence.Run) {
	return func(run evidence.Run) { spoil(example.Pod(run, west, name)) }
}

func noIstiod(run evidence.Run) { example.Pod(run, west, example.IstiodPod).Terminating = true }
func noGatewayPod(run evidence.Run) {
	example.Pod(run, west, example.GatewayPod).Terminating = true
}

func withoutPage(name string) func(evidence.Run) {
	return istiodOf(func(i *evidence.Istiod) { delete(i.Pages, name) })
}

func TestInstallation(t *testing.T) {
	judgeAll(t, []spoiled{
		{"one of two replicas", "control-plane-available", west, objectsOf(func(k *evidence.Kubernetes) { k.Deployments[1].Replicas = 2 }), Failed, "1 of 2 replicas"},
		{"of another revision", "control-plane-available", west, objectsOf(func(k *evidence.Kubernetes) { k.Deployments[1].Labels["istio.io/rev"] = "default" }), Failed, "no deployment of istiod with revision"},

		{"namespace without a label", "network-names", west, objectsOf(func(k *evidence.Kubernetes) { k.Namespaces[0].Labels = nil }), Failed, "has no label topology.istio.io/network"},
		{"no namespace was read", "network-names", west, objectsOf(func(k *evidence.Kubernetes) { k.Namespaces = nil }), Inconclusive, "no namespace at all"},
		{"sidecar on another", "network-names", west, podOf(example.SleepPod, func(p *evidence.Pod) { p.Env["ISTIO_META_NETWORK"] = "default" }), Failed, `ISTIO_META_NETWORK of pod sleep-1 has "default"`},
		{"gateway labelled with another", "network-names", west, podOf(example.GatewayPod, func(p *evidence.Pod) { p.Labels["topology.istio.io/network"] = "default" }), Failed, `of gateway pod istio-eastwestgateway-1 has "default"`},
		{"gateway with another view", "network-names", west, podOf(example.GatewayPod, func(p *evidence.Pod) { delete(p.Env, "ISTIO_META_REQUESTED_NETWORK_VIEW") }), Failed, "REQUESTED_NETWORK_VIEW"},
		{"service labelled with another", "network-names", west, func(run evidence.Run) {
			gatewayService(run).Labels["topology.istio.io/network"] = ""
		}, Failed, "service istio-eastwestgateway"},
		{"two clusters on one", "network-names", west, func(run evidence.Run) {
			example.Cluster(run, east).Kubernetes.Namespaces[0].Labels["topology.istio.io/network"] = "network2"
		}, Failed, `clusters west and east are both on network "network2"`},
		{"no gateway", "network-names", west, noGatewayPod, Inconclusive, "no gateway pod"},

		{"no label", "namespace-labelled", west, objectsOf(func(k *evidence.Kubernetes) { k.Namespaces[1].Labels = nil }), Failed, `istio.io/rev="", not`},
		{"the older label too", "namespace-labelled", west, objectsOf(func(k *evidence.Kubernetes) { k.Namespaces[1].Labels["istio-injection"] = "enabled" }), Failed, "comes before"},
		{"no namespace", "namespace-labelled", west, objectsOf(func(k *evidence.Kubernetes) { k.Namespaces = k.Namespaces[:1] }), Failed, "no namespace sample"},

		{"no webhook", "injector-webhook", west, objectsOf(func(k *evidence.Kubernetes) { k.Webhooks = []evidence.Object{} }), Failed, "none of 0"},
		{"webhook of another", "injector-webhook", west, objectsOf(func(k *evidence.Kubernetes) { k.Webhooks[0].Labels["istio.io/rev"] = "default" }), Failed, "none of 1"},
		{"not taken", "injector-webhook", west, objectsOf(func(k *evidence.Kubernetes) { k.Webhooks = nil }), Inconclusive, "the run did not take it"},
		{"refused", "injector-webhook", west, func(run evidence.Run) {
			c := example.Cluster(run, west)
			c.Kubernetes.Webhooks = nil
			c.Problems = []evidence.Problem{{What: "API objects", Error: "read webhooks on cluster west: it is forbidden"}}
		}, Inconclusive, "it is forbidden"},
		{"webhooks that were refused hide nothing else", "gateway-address", west, func(run evidence.Run) {
			example.Cluster(run, west).Problems = []evidence.Problem{{What: "API objects", Error: "read webhooks on cluster west: it is forbidden"}}
		}, Passed, "172.18.252.1"},
	})
}

func TestGatewayReports(t *testing.T) {
	envoy := func(run evidence.Run) *evidence.Proxy { return example.Proxy(run, west, evidence.RoleGateway) }
	flag := func(run evidence.Run) {
		run.Steps[5].Cluster, run.Steps[5].Command = west, "istioctl install -y --set values.global.pilotCertProvider=kubernetes -f -"
	}
	judgeAll(t, []spoiled{
		{"an inert flag", "cert-provider", west, flag, Passed, "the guide's flag said kubernetes and changed nothing"},
		{"the flag took effect", "cert-provider", west, func(run evidence.Run) {
			flag(run)
			example.Pod(run, west, example.GatewayPod).Env["PILOT_CERT_PROVIDER"] = "kubernetes"
		}, Failed, `PILOT_CERT_PROVIDER="kubernetes", but pod istiod-asm-1232-2-1 has "istiod"`},
		{"istiod's own was not taken", "cert-provider", west, podOf(example.IstiodPod, func(p *evidence.Pod) { p.Env = nil }), Passed, "as its control plane has"},
		{"nothing shows the control plane's", "cert-provider", west, func(run evidence.Run) {
			for i := range example.Cluster(run, west).Kubernetes.Pods {
				example.Cluster(run, west).Kubernetes.Pods[i].Env = nil
			}
		}, Inconclusive, "no pod on west shows"},
		{"no gateway", "cert-provider", west, noGatewayPod, Inconclusive, "no gateway pod"},

		{"a container was restarted", "nothing-restarted", west, func(run evidence.Run) {
			example.Pod(run, west, example.GatewayPod).Containers[0].Restarts = 2
		}, Failed, "was restarted 2 times"},
		{"no pod", "nothing-restarted", west, func(run evidence.Run) { example.Cluster(run, west).Kubernetes.Pods = nil }, Inconclusive, "no pod of west"},
		{"the control plane is open", "gateway-exposure", west, func(run evidence.Run) {
			envoy(run).ConfigDump = example.Dump(example.Listener(15012))
		}, Failed, "listens on port 15012, which is the control plane's, and its service offers it to every source"},
		{"open to one network", "gateway-exposure", west, func(run evidence.Run) { gatewayService(run).Ranges = []string{"10.0.0.0/8"} }, Passed, "open to 10.0.0.0/8"},
		{"open to everyone by a range", "gateway-exposure", west, func(run evidence.Run) { gatewayService(run).Ranges = []string{"0.0.0.0/0"} }, Passed, "open to every source"},
		{"no service", "gateway-exposure", west, func(run evidence.Run) { gatewayService(run).Ports = nil }, Inconclusive, "no service"},
		{"no gateway", "gateway-exposure", west, noGatewayPod, Inconclusive, "no running Envoy"},
	})
}
