package manifest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/poll"
)

// Ref names one object of a cluster, in whichever version the API server prefers.
type Ref struct {
	Kind      schema.GroupKind
	Namespace string // "" for a kind that is not namespaced
	Name      string
	// UID, when it is given, is that of the one object that is meant: Delete leaves another of the same name alone.
	UID types.UID
}

// String gives "Deployment istio-system/istiod".
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind.Kind + " " + r.Name
	}
	return r.Kind.Kind + " " + r.Namespace + "/" + r.Name
}

// Listed names objects for a message, not all where they are many.
func Listed(all []Ref) string {
	const shown = 5
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.String()
	}
	if n := len(names) - shown; n > 0 {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(", and %d more", n)
	}
	return strings.Join(names, ", ")
}

// Exists tells whether the object is there. Without its kind it is not.
func Exists(ctx context.Context, c *cluster.Cluster, r Ref) (bool, error) {
	o, err := Find(ctx, c, r)
	return o != nil, err
}

// Find gives the object, or nil when it is not there.
func Find(ctx context.Context, c *cluster.Cluster, r Ref) (*unstructured.Unstructured, error) {
	api, err := resource(ctx, c, r.Kind, "", r.Namespace)
	var o *unstructured.Unstructured
	if err == nil {
		o, err = api.Get(ctx, r.Name, metav1.GetOptions{})
	}
	switch {
	case err == nil:
		return o, nil
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, nil
	}
	return nil, fmt.Errorf("look for %s on cluster %s: %w", r, c.Name, err)
}

// Label puts labels on an object that is there, and gives its UID; "" when it is not there.
func Label(ctx context.Context, c *cluster.Cluster, r Ref, labels map[string]string) (string, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		return "", fmt.Errorf("label %s on cluster %s: %w", r, c.Name, err)
	}
	api, err := resource(ctx, c, r.Kind, "", r.Namespace)
	var o *unstructured.Unstructured
	if err == nil {
		o, err = api.Patch(ctx, r.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	}
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("label %s on cluster %s: %w", r, c.Name, err)
	}
	return string(o.GetUID()), nil
}

// Labelled gives the objects of these kinds in a namespace that a label selector matches. Kinds that the API server does
// not have are passed over.
func Labelled(ctx context.Context, c *cluster.Cluster, namespace, selector string, kinds ...schema.GroupKind) ([]Ref, error) {
	var all []Ref
	for _, kind := range kinds {
		list, err := List(ctx, c, kind, namespace, selector)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			all = append(all, Ref{Kind: kind, Namespace: namespace, Name: o.GetName()})
		}
	}
	return all, nil
}

// List gives the objects of a kind that a label selector matches, in a namespace or, with "", everywhere. Of a kind that the API
// server does not have there are none.
func List(ctx context.Context, c *cluster.Cluster, kind schema.GroupKind, namespace, selector string) ([]unstructured.Unstructured, error) {
	mapping, err := c.Mapping(ctx, kind)
	var list *unstructured.UnstructuredList
	if err == nil {
		var api dynamic.ResourceInterface = c.Dynamic().Resource(mapping.Resource)
		if namespace != "" {
			api = c.Dynamic().Resource(mapping.Resource).Namespace(namespace)
		}
		list, err = api.List(ctx, metav1.ListOptions{LabelSelector: selector})
	}
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("list %s %q in %s on cluster %s: %w", kind.Kind, selector, where(namespace), c.Name, err)
	}
	return list.Items, nil
}

func where(namespace string) string {
	if namespace == "" {
		return "the whole cluster"
	}
	return "namespace " + namespace
}

// Delete deletes the objects, all at once, and waits (at most limit) until the API server no longer has them. What is not
// there is passed over.
func Delete(ctx context.Context, c *cluster.Cluster, limit time.Duration, refs ...Ref) error {
	errs := make([]error, len(refs))
	var all sync.WaitGroup
	for i, r := range refs {
		all.Go(func() { errs[i] = remove(ctx, c, limit, r) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func remove(ctx context.Context, c *cluster.Cluster, limit time.Duration, r Ref) error {
	api, err := resource(ctx, c, r.Kind, "", r.Namespace)
	if err == nil {
		// In the foreground, a Deployment is gone only when its pods are.
		foreground := metav1.DeletePropagationForeground
		options := metav1.DeleteOptions{PropagationPolicy: &foreground}
		if r.UID != "" {
			options.Preconditions = &metav1.Preconditions{UID: &r.UID}
		}
		err = api.Delete(ctx, r.Name, options)
	}
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err), r.UID != "" && apierrors.IsConflict(err): // the last: another is there now
		return nil
	case err != nil:
		return fmt.Errorf("delete %s on cluster %s: %w", r, c.Name, err)
	}
	return poll.Until(ctx, poll.Wait{What: r.String() + " is gone", Where: "cluster " + c.Name, Limit: limit},
		func(ctx context.Context) (string, error) {
			o, err := api.Get(ctx, r.Name, metav1.GetOptions{})
			switch {
			case apierrors.IsNotFound(err), err == nil && r.UID != "" && o.GetUID() != r.UID:
				return "", nil
			case err != nil:
				return "", err
			}
			return "still there", errors.New("it is being deleted")
		})
}
