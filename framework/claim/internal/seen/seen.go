// Package seen finds the parts of an evidence snapshot that claims and causes are about: the gateway's pods, the sample's
// pods, the load balancer's addresses. It names things and judges nothing.
package seen

import (
	"slices"

	"github.com/meshproof/meshproof/framework/evidence"
)

// Names that the guide gives.
const (
	// Istio is the namespace of istiod and of the east-west gateway.
	Istio = evidence.IstioNamespace
	// SidecarName is the proxy's container, in workloads and gateways alike.
	SidecarName = "istio-proxy"
	// RevisionKey is the label, and the annotation, that holds a revision.
	RevisionKey = "istio.io/rev"
	// InjectionKey is the older label that asks for sidecars of the default revision.
	InjectionKey = "istio-injection"
	// NetworkKey is the label that holds the name of a network.
	NetworkKey = "topology.istio.io/network"
	// GatewayLabel is the label that selects the east-west gateway.
	GatewayLabel = evidence.GatewayLabel
	// GatewayValue is that label's value.
	GatewayValue = evidence.GatewayValue
	// AutoImage stands in a gateway's template until an injector replaces it.
	AutoImage = "auto"
	// AppPort is the port of helloworld.
	AppPort = 5000
)

// Live tells whether a pod is there to stay: not being deleted, and not one that has ended.
func Live(p evidence.Pod) bool {
	return !p.Terminating && !ended(p)
}

func ended(p evidence.Pod) bool { return p.Phase == "Succeeded" || p.Phase == "Failed" }

func pods(k *evidence.Kubernetes, namespace, label, value string, is func(evidence.Pod) bool) []evidence.Pod {
	var found []evidence.Pod
	if k == nil {
		return nil
	}
	for _, p := range k.Pods {
		if p.Namespace == namespace && p.Labels[label] == value && is(p) {
			found = append(found, p)
		}
	}
	return found
}

// GatewayPods are the live pods of the east-west gateway.
func GatewayPods(k *evidence.Kubernetes) []evidence.Pod {
	return pods(k, Istio, GatewayLabel, GatewayValue, Live)
}

// PassingPods are the pods of the east-west gateway that may pass calls on: connections that are open go on through one that is
// being deleted.
func PassingPods(k *evidence.Kubernetes) []evidence.Pod {
	return pods(k, Istio, GatewayLabel, GatewayValue, func(p evidence.Pod) bool { return !ended(p) })
}

// IstiodPods are the live replicas of the control plane, of every revision.
func IstiodPods(k *evidence.Kubernetes) []evidence.Pod { return pods(k, Istio, "app", "istiod", Live) }

// CNIPods are the live pods of Istio's CNI plugin, of any namespace: some platforms want it in kube-system.
func CNIPods(k *evidence.Kubernetes) []evidence.Pod {
	var found []evidence.Pod
	if k == nil {
		return nil
	}
	for _, p := range k.Pods {
		if p.Labels["k8s-app"] == "istio-cni-node" && Live(p) {
			found = append(found, p)
		}
	}
	return found
}

// AppPods are the live pods of one workload of the sample, which is in that namespace: "sleep" or "helloworld".
func AppPods(k *evidence.Kubernetes, sample, app string) []evidence.Pod {
	return pods(k, sample, "app", app, Live)
}

// PodsOf are the live pods whose proxies have that role.
func PodsOf(k *evidence.Kubernetes, sample, role string) []evidence.Pod {
	if role == evidence.RoleGateway {
		return GatewayPods(k)
	}
	return AppPods(k, sample, role)
}

// IPs are the addresses of pods, without those that have none yet.
func IPs(all []evidence.Pod) []string {
	var found []string
	for _, p := range all {
		if p.IP != "" {
			found = append(found, p.IP)
		}
	}
	return found
}

// Sidecar gives the proxy's container of a pod, and whether it has one.
func Sidecar(p evidence.Pod) (evidence.Container, bool) {
	at := slices.IndexFunc(p.Containers, func(c evidence.Container) bool { return c.Name == SidecarName })
	if at < 0 {
		return evidence.Container{}, false
	}
	return p.Containers[at], true
}

// Ready counts a pod's containers, native sidecars among them: 2 of 2 in the guide's words.
func Ready(p evidence.Pod) (ready, of int) {
	for _, c := range p.Containers {
		if c.Ready {
			ready++
		}
	}
	return ready, len(p.Containers)
}

// Revision of a pod: what its injector wrote on it, else what it asks for.
func Revision(p evidence.Pod) string {
	if r := p.Annotations[RevisionKey]; r != "" {
		return r
	}
	return p.Labels[RevisionKey]
}

// GatewayDeployments are the deployments of the east-west gateway.
func GatewayDeployments(k *evidence.Kubernetes) []evidence.Deployment {
	var found []evidence.Deployment
	if k == nil {
		return nil
	}
	for _, d := range k.Deployments {
		if d.Namespace == Istio && (d.Labels[GatewayLabel] == GatewayValue || d.Name == "istio-"+GatewayValue) {
			found = append(found, d)
		}
	}
	return found
}

// IstiodDeployments are the deployments of the control plane, of every revision.
func IstiodDeployments(k *evidence.Kubernetes) []evidence.Deployment {
	var found []evidence.Deployment
	if k == nil {
		return nil
	}
	for _, d := range k.Deployments {
		if d.Namespace == Istio && d.Labels["app"] == "istiod" {
			found = append(found, d)
		}
	}
	return found
}

// Network is the name that the control plane's namespace gives to the cluster's network, and whether the namespace is there.
func Network(k *evidence.Kubernetes) (string, bool) {
	if k == nil {
		return "", false
	}
	at := slices.IndexFunc(k.Namespaces, func(o evidence.Object) bool { return o.Name == Istio })
	if at < 0 {
		return "", false
	}
	return k.Namespaces[at].Labels[NetworkKey], true
}

// HasService tells whether the sample's service of that name is in the cluster.
func HasService(k *evidence.Kubernetes, sample, name string) bool {
	return k != nil && slices.ContainsFunc(k.Services, func(s evidence.Service) bool { return s.Namespace == sample && s.Name == name })
}

// ProxyOf gives the proxy of a pod, and whether it is in the evidence.
func ProxyOf(c *evidence.Cluster, p evidence.Pod) (evidence.Proxy, bool) {
	if c == nil {
		return evidence.Proxy{}, false
	}
	at := slices.IndexFunc(c.Proxies, func(x evidence.Proxy) bool { return x.Namespace == p.Namespace && x.Pod == p.Name })
	if at < 0 {
		return evidence.Proxy{}, false
	}
	return c.Proxies[at], true
}

// IstiodOf gives the control-plane replica of a pod, and whether it is in the evidence.
func IstiodOf(c *evidence.Cluster, p evidence.Pod) (evidence.Istiod, bool) {
	if c == nil {
		return evidence.Istiod{}, false
	}
	at := slices.IndexFunc(c.Istiods, func(x evidence.Istiod) bool { return x.Pod == p.Name })
	if at < 0 {
		return evidence.Istiod{}, false
	}
	return c.Istiods[at], true
}
