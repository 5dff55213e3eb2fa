package manifest

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
)

// ErrForeign is wrapped when a namespace is there that is not the run's.
var ErrForeign = errors.New("somebody has made it since the run looked")

// makeLimit is for an API server to make one object, also a busy one.
const makeLimit = 30 * time.Second

// MakeNamespace makes a namespace that is the run's, with these annotations. Apply would take over one that somebody else has made in
// the meantime, which the run would then remove; that is ErrForeign here. Once it has begun, an interruption does not cut it short: a
// server may still do what nobody waits for, after a removal has looked and seen nothing.
func MakeNamespace(ctx context.Context, c *cluster.Cluster, name, run string, annotations map[string]string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("make namespace %s on cluster %s: %w", name, c.Name, context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeLimit)
	defer cancel()
	wanted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: Owner(run), Annotations: annotations}}
	_, err := c.Kube().CoreV1().Namespaces().Create(ctx, wanted, metav1.CreateOptions{FieldManager: FieldManager})
	if apierrors.IsAlreadyExists(err) {
		var found *corev1.Namespace
		if found, err = c.Kube().CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{}); err == nil && found.Labels[RunLabel] != run {
			err = fmt.Errorf("%w: remove or rename it", ErrForeign)
		}
	}
	if err != nil {
		return fmt.Errorf("make namespace %s on cluster %s: %w", name, c.Name, err)
	}
	return nil
}
