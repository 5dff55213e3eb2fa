package procedure

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/poll"
)

// hasAddress looks for an IP address or a hostname of the east-west gateway's Service.
func hasAddress(c *cluster.Cluster) poll.Try {
	return func(ctx context.Context) (string, error) {
		service, err := c.Kube().CoreV1().Services(istioSystem).Get(ctx, gatewayName, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			if ingress.IP != "" || ingress.Hostname != "" {
				return ingress.IP + ingress.Hostname, nil
			}
		}
		return "EXTERNAL-IP <pending>", errors.New("no address yet: see that the cluster has a load balancer with addresses left")
	}
}

// podsInjected looks for at least one pod of the app in the sample's namespace, and for all of them to be 2/2 running: the
// app and its sidecar. A running pod with one container was not injected, and never will be.
func podsInjected(c *cluster.Cluster, namespace, app string) poll.Try {
	return func(ctx context.Context) (string, error) {
		pods, err := c.Pods(ctx, namespace, "app="+app)
		if err != nil {
			return "", err
		}
		var states []string
		open, alive := 0, 0
		for _, pod := range pods {
			if pod.DeletionTimestamp != nil {
				continue
			}
			alive++
			ready, total := containers(pod)
			states = append(states, fmt.Sprintf("%s %d/%d %s%s", pod.Name, ready, total, pod.Status.Phase, waitingFor(pod)))
			if total == 1 {
				return strings.Join(states, ", "), poll.Final(fmt.Errorf("pod %s has no sidecar: see that the namespace's label istio.io/rev names an installed revision", pod.Name))
			}
			if ready < total || pod.Status.Phase != corev1.PodRunning {
				open++
			}
		}
		switch state := strings.Join(states, ", "); {
		case alive == 0:
			return "no pod", fmt.Errorf("no pod of %s yet", app)
		case open > 0:
			return state, fmt.Errorf("%d of %d pods are not ready", open, alive)
		default:
			return state, nil
		}
	}
}

// containers counts as kubectl's column READY does: the containers, and the init containers that keep running, which is
// what a native sidecar is.
func containers(pod corev1.Pod) (ready, total int) {
	sidecars := map[string]bool{}
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			sidecars[c.Name] = true
		}
	}
	total = len(pod.Spec.Containers) + len(sidecars)
	for _, s := range pod.Status.ContainerStatuses {
		if s.Ready {
			ready++
		}
	}
	for _, s := range pod.Status.InitContainerStatuses {
		if sidecars[s.Name] && s.Ready {
			ready++
		}
	}
	return ready, total
}

// waitingFor is the reason why a container does not start, if one says so.
func waitingFor(pod corev1.Pod) string {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, s := range list {
			if w := s.State.Waiting; w != nil && w.Reason != "" && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
				return " (" + s.Name + ": " + w.Reason + ")"
			}
		}
	}
	return ""
}
