// Package manifest applies YAML to one named cluster by server-side apply, marks everything with the run that owns it,
// and finds and deletes objects by kind and name.
package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"

	"github.com/meshproof/meshproof/framework/cluster"
)

// FieldManager is the name under which the API server notes who set a field.
const FieldManager = "meshproof"

// RunLabel is on everything that a run applies; its value is the run's id.
const RunLabel = "meshproof.dev/run"

// Owner gives the labels that mark a run's objects.
func Owner(runID string) map[string]string { return map[string]string{RunLabel: runID} }

// Decode reads YAML (or JSON) documents in order, leaving out empty ones, and adds the labels to each.
func Decode(text []byte, labels map[string]string) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	var all []*unstructured.Unstructured
	for n := 1; ; n++ {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decode document %d of the manifest: %w", n, err)
		}
		if len(o.Object) == 0 {
			continue
		}
		if o.GetKind() == "" || o.GetAPIVersion() == "" || o.GetName() == "" {
			return nil, fmt.Errorf("decode document %d of the manifest: it needs apiVersion, kind and metadata.name", n)
		}
		merged := o.GetLabels()
		if merged == nil {
			merged = map[string]string{}
		}
		for k, v := range labels {
			merged[k] = v
		}
		if len(merged) > 0 {
			o.SetLabels(merged)
		}
		all = append(all, o)
	}
}

// Apply applies every document of the manifest in order, with the labels added, and takes over fields that somebody else
// set. A kind that the API server does not know yet is looked up once more.
func Apply(ctx context.Context, c *cluster.Cluster, text []byte, labels map[string]string) error {
	objects, err := Decode(text, labels)
	if err != nil {
		return err
	}
	for _, o := range objects {
		kind := o.GroupVersionKind()
		r, err := resource(ctx, c, kind.GroupKind(), kind.Version, o.GetNamespace())
		if err != nil {
			return fmt.Errorf("apply %s on cluster %s: %w", name(o), c.Name, err)
		}
		if _, err := r.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: FieldManager, Force: true}); err != nil {
			return fmt.Errorf("apply %s on cluster %s: %w", name(o), c.Name, err)
		}
	}
	return nil
}

// resource gives the way to the objects of a kind; version "" means the one that the API server prefers.
func resource(ctx context.Context, c *cluster.Cluster, kind schema.GroupKind, version, namespace string) (dynamic.ResourceInterface, error) {
	var versions []string
	if version != "" {
		versions = []string{version}
	}
	mapping, err := c.Mapping(ctx, kind, versions...)
	if err != nil {
		return nil, fmt.Errorf("find the resource of kind %s: %w", kind, err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return c.Dynamic().Resource(mapping.Resource), nil
	}
	if namespace == "" {
		return nil, errors.New("it is namespaced and names no namespace: set metadata.namespace")
	}
	return c.Dynamic().Resource(mapping.Resource).Namespace(namespace), nil
}

func name(o *unstructured.Unstructured) string {
	return Ref{Kind: o.GroupVersionKind().GroupKind(), Namespace: o.GetNamespace(), Name: o.GetName()}.String()
}
