package collect

import (
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/evidence"
)

// sidecar is the name of the proxy's container, in workloads and gateways alike.
const sidecar = "istio-proxy"

func object(m metav1.Object) evidence.Object {
	return evidence.Object{
		Namespace: m.GetNamespace(), Name: m.GetName(), Labels: maps.Clone(m.GetLabels()), Annotations: plain(m.GetAnnotations()),
		Created: m.GetCreationTimestamp().UTC(), Terminating: m.GetDeletionTimestamp() != nil,
	}
}

// plain keeps the annotations of Kubernetes, Istio, GKE and MetalLB that are one value. Other tools put anything into theirs;
// and what is a document may repeat what must not be kept: kubectl's copy of what was applied the contents of a secret,
// proxy.istio.io/overrides and proxy.istio.io/config a container's environment.
func plain(annotations map[string]string) map[string]string {
	var kept map[string]string
	for key, value := range annotations {
		domain, _, _ := strings.Cut(key, "/")
		known := slices.ContainsFunc([]string{"kubernetes.io", "istio.io", "gke.io", "metallb.io", "metallb.universe.tf"}, func(d string) bool {
			return domain == d || strings.HasSuffix(domain, "."+d)
		})
		if !known || key == corev1.LastAppliedConfigAnnotation || strings.ContainsAny(value, "{[\n") {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[key] = value
	}
	return kept
}

// clusterAnnotation names the cluster in the remote secrets that istioctl makes.
const clusterAnnotation = "networking.istio.io/cluster"

func onlyClusterAnnotation(annotations map[string]string) map[string]string {
	if id, ok := annotations[clusterAnnotation]; ok {
		return map[string]string{clusterAnnotation: id}
	}
	return nil
}

func deployment(d *appsv1.Deployment) evidence.Deployment {
	found := evidence.Deployment{Object: object(d), Replicas: 1, Available: d.Status.AvailableReplicas}
	if d.Spec.Replicas != nil {
		found.Replicas = *d.Spec.Replicas
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		found.Images = append(found.Images, c.Image)
	}
	return found
}

func pod(p *corev1.Pod) evidence.Pod {
	found := evidence.Pod{
		Object: object(p), IP: p.Status.PodIP, Node: p.Spec.NodeName, Phase: string(p.Status.Phase), ServiceAccount: p.Spec.ServiceAccountName,
	}
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			found.Containers = append(found.Containers, container(c, p.Status.InitContainerStatuses, true))
			found.Env = proxyEnv(c, found.Env)
		}
	}
	for _, c := range p.Spec.Containers {
		found.Containers = append(found.Containers, container(c, p.Status.ContainerStatuses, false))
		found.Env = proxyEnv(c, found.Env)
	}
	return found
}

func container(c corev1.Container, statuses []corev1.ContainerStatus, isSidecar bool) evidence.Container {
	found := evidence.Container{Name: c.Name, Image: c.Image, Sidecar: isSidecar}
	for _, s := range statuses {
		if s.Name != c.Name {
			continue
		}
		found.Ready, found.Restarts = s.Ready, s.RestartCount
		if w := s.State.Waiting; w != nil {
			found.Waiting = w.Reason
			if w.Message != "" {
				found.Waiting += ": " + w.Message
			}
		}
	}
	return found
}

// proxyEnv adds those variables of the proxy, or of istiod itself, that say which mesh it belongs to. Only values that are
// written out count: one that is taken from a secret stays there.
func proxyEnv(c corev1.Container, env map[string]string) map[string]string {
	if c.Name != sidecar && c.Name != istiodEndpoint().container {
		return env
	}
	for _, e := range c.Env {
		named := strings.HasPrefix(e.Name, "ISTIO_META_") || slices.Contains([]string{"PILOT_CERT_PROVIDER", "TRUST_DOMAIN", "CA_ADDR"}, e.Name)
		if !named || e.ValueFrom != nil {
			continue
		}
		if env == nil {
			env = map[string]string{}
		}
		env[e.Name] = e.Value
	}
	return env
}

func service(s *corev1.Service) evidence.Service {
	found := evidence.Service{Object: object(s), Type: string(s.Spec.Type), ClusterIP: s.Spec.ClusterIP, Ranges: s.Spec.LoadBalancerSourceRanges}
	for _, p := range s.Spec.Ports {
		found.Ports = append(found.Ports, p.Port)
	}
	found.Addresses = addresses(s)
	return found
}

// addresses are the load balancer's: IP addresses or host names.
func addresses(s *corev1.Service) []string {
	var all []string
	for _, in := range s.Status.LoadBalancer.Ingress {
		if in.IP != "" {
			all = append(all, in.IP)
		} else if in.Hostname != "" {
			all = append(all, in.Hostname)
		}
	}
	return all
}

// endpoints counts an endpoint without the condition as ready, as the API says.
func endpoints(e *discoveryv1.EndpointSlice) evidence.Endpoints {
	found := evidence.Endpoints{Object: object(e)}
	for _, one := range e.Endpoints {
		if one.Conditions.Ready == nil || *one.Conditions.Ready {
			found.Ready = append(found.Ready, one.Addresses...)
		} else {
			found.NotReady = append(found.NotReady, one.Addresses...)
		}
	}
	slices.Sort(found.Ready)
	slices.Sort(found.NotReady)
	return found
}

func event(e *corev1.Event) evidence.Event {
	last := e.LastTimestamp.Time
	for _, other := range []time.Time{e.EventTime.Time, e.CreationTimestamp.Time} {
		if last.IsZero() {
			last = other
		}
	}
	return evidence.Event{
		Namespace: e.Namespace, Object: e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name, Type: e.Type, Reason: e.Reason,
		Message: e.Message, Count: e.Count, Last: last.UTC(),
	}
}
