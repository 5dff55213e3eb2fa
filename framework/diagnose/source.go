package diagnose

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/packed"
	"github.com/meshproof/meshproof/framework/shell"
)

// Cluster is a Source that reads a real cluster.
type Cluster struct {
	*cluster.Cluster
	// IstioctlPath is the release's program; "" = there is none.
	IstioctlPath string
	// Look takes the API objects and pages, as for evidence (collect.Cluster).
	Look func(ctx context.Context) *evidence.Cluster
	// SaveNode saves what a kind cluster's node says; nil on given clusters.
	SaveNode func(ctx context.Context, folder string) error
}

// Events lists the events of a namespace.
func (c Cluster) Events(ctx context.Context, namespace string) ([]corev1.Event, error) {
	list, err := c.Kube().CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list events in namespace %s on cluster %s: %w", namespace, c.Name, err)
	}
	return list.Items, nil
}

// Log gives the end of a container's log.
func (c Cluster) Log(ctx context.Context, pod corev1.Pod, container string, previous bool) ([]byte, error) {
	lines := int64(2000)
	o := &corev1.PodLogOptions{Container: container, Previous: previous, TailLines: &lines}
	text, err := c.LogEnd(ctx, pod.Namespace, pod.Name, o, packed.Most)
	if err != nil {
		return nil, fmt.Errorf("read the log of %s/%s container %s on cluster %s: %w", pod.Namespace, pod.Name, container, c.Name, err)
	}
	return text, nil
}

// Istioctl runs the release's program. What it prints is given also when it ends with an error: analyze does so when it finds any.
func (c Cluster) Istioctl(ctx context.Context, args ...string) ([]byte, error) {
	if c.IstioctlPath == "" {
		return nil, fmt.Errorf("there is no istioctl: no release directory was opened yet")
	}
	env := shell.Bare(os.TempDir())
	if c.SaveNode == nil { // somebody's cluster
		env = append(env, shell.Callers("PATH", "KUBECONFIG")...)
	}
	r, err := shell.Run(ctx, shell.Command{
		Args: append([]string{c.IstioctlPath, "--kubeconfig", c.Kubeconfig, "--context", c.Context}, args...),
		Env:  env, Keep: packed.Most,
	})
	return []byte(r.Stdout + r.Stderr), err
}

// Snapshot takes the API objects and pages.
func (c Cluster) Snapshot(ctx context.Context) *evidence.Cluster { return c.Look(ctx) }

// Node saves what the node says.
func (c Cluster) Node(ctx context.Context, folder string) error {
	if c.SaveNode == nil {
		return nil
	}
	return c.SaveNode(ctx, folder)
}
