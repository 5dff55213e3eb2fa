package manifest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/poll"
)

// Ref names one object of a cluster, in whichever version the API server prefers.
type Ref struct {
	Kind      schema.GroupKind
	Namespace string // "" for a kind that is not namespaced
	Name      string
}

// String gives "Deployment istio-system/istiod".
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind.Kind + " " + r.Name
	}
	return r.Kind.Kind + " " + r.Namespace + "/" + r.Name
}

// Exists tells whether the object is there. Without its kind it is not.
func Exists(ctx context.Context, c *cluster.Cluster, r Ref) (bool, error) {
	api, err := resource(mapper(c), c.Dynamic(), r.Kind, "", r.Namespace)
	if err == nil {
		_, err = api.Get(ctx, r.Name, metav1.GetOptions{})
	}
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return false, nil
	}
	return false, fmt.Errorf("look for %s on cluster %s: %w", r, c.Name, err)
}

// Labelled gives the objects of these kinds in a namespace that a label selector matches. Kinds that the API server does
// not have are passed over.
func Labelled(ctx context.Context, c *cluster.Cluster, namespace, selector string, kinds ...schema.GroupKind) ([]Ref, error) {
	m := mapper(c)
	var all []Ref
	for _, kind := range kinds {
		api, err := resource(m, c.Dynamic(), kind, "", namespace)
		if meta.IsNoMatchError(err) {
			continue
		}
		var list *unstructured.UnstructuredList
		if err == nil {
			list, err = api.List(ctx, metav1.ListOptions{LabelSelector: selector})
		}
		if err != nil {
			return nil, fmt.Errorf("list %s %q in namespace %s on cluster %s: %w", kind.Kind, selector, namespace, c.Name, err)
		}
		for _, o := range list.Items {
			all = append(all, Ref{Kind: kind, Namespace: namespace, Name: o.GetName()})
		}
	}
	return all, nil
}

// Delete deletes the objects, all at once, and waits (at most limit) until the API server no longer has them. What is not
// there is passed over.
func Delete(ctx context.Context, c *cluster.Cluster, limit time.Duration, refs ...Ref) error {
	m := mapper(c)
	errs := make([]error, len(refs))
	var all sync.WaitGroup
	for i, r := range refs {
		all.Go(func() { errs[i] = remove(ctx, c, m, limit, r) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func remove(ctx context.Context, c *cluster.Cluster, m meta.RESTMapper, limit time.Duration, r Ref) error {
	api, err := resource(m, c.Dynamic(), r.Kind, "", r.Namespace)
	if err == nil {
		// In the foreground, a Deployment is gone only when its pods are.
		foreground := metav1.DeletePropagationForeground
		err = api.Delete(ctx, r.Name, metav1.DeleteOptions{PropagationPolicy: &foreground})
	}
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil
	case err != nil:
		return fmt.Errorf("delete %s on cluster %s: %w", r, c.Name, err)
	}
	return poll.Until(ctx, poll.Wait{What: r.String() + " is gone", Where: "cluster " + c.Name, Limit: limit},
		func(ctx context.Context) (string, error) {
			_, err := api.Get(ctx, r.Name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			return "still there", errors.New("it is being deleted")
		})
}
