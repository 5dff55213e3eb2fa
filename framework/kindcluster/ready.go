package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/poll"
)

// waitReady waits until a cluster can be worked with: its API server is ready, its node is Ready, and kube-proxy runs,
// without which a pod that speaks to the API server's service ends, and is started again only 10 s later. CoreDNS is
// not waited for: it comes up while the mesh is installed.
func waitReady(ctx context.Context, made Made, limit time.Duration) error {
	c, err := cluster.Open(made.Name, "", made.Kubeconfig, made.Context)
	if err != nil {
		return err
	}
	wait := poll.Wait{What: "API server, node and kube-proxy ready", Where: "cluster " + made.Name, Limit: limit, Every: 100 * time.Millisecond}
	return poll.Until(ctx, wait, func(ctx context.Context) (string, error) {
		if err := c.Ready(ctx, 10*time.Second); err != nil {
			return "API server not ready", err
		}
		return lookReady(ctx, c.Kube(), made.NodeName)
	})
}

func lookReady(ctx context.Context, client kubernetes.Interface, node string) (string, error) {
	n, err := client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return "no node", fmt.Errorf("read node %s: %w", node, err)
	}
	if state, ready := nodeReady(n); !ready {
		return state, errors.New("the node is not Ready")
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: "k8s-app=kube-proxy"})
	if err != nil {
		return "node Ready", fmt.Errorf("list kube-proxy's pods: %w", err)
	}
	for _, p := range pods.Items {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return "ready", nil
			}
		}
	}
	return fmt.Sprintf("node Ready, none of %d kube-proxy pods ready", len(pods.Items)), errors.New("kube-proxy does not run")
}

func nodeReady(node *corev1.Node) (state string, ready bool) {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return fmt.Sprintf("node Ready is %s: %s: %s", c.Status, c.Reason, c.Message), c.Status == corev1.ConditionTrue
		}
	}
	return "node has no Ready condition yet", false
}
