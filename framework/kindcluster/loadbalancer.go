package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	meshcluster "github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/poll"
)

// InstallLoadBalancer installs MetalLB in L2 mode on a cluster, with m.AddressRange as its pool, and returns when a
// LoadBalancer service can get an address that is announced: the controller has taken the pool, and the speaker is
// ready. Nothing else on the cluster has to wait for it, so callers run it beside the mesh's installation. It may be
// repeated on the same cluster.
func InstallLoadBalancer(ctx context.Context, o Options, m Made) error {
	if err := installLoadBalancer(ctx, o, m); err != nil {
		return fmt.Errorf("install the load balancer on cluster %s: %w", m.Name, err)
	}
	return nil
}

func installLoadBalancer(ctx context.Context, o Options, m Made) error {
	manifest, err := os.ReadFile(o.MetalLBManifest)
	if err != nil {
		return fmt.Errorf("read MetalLB's manifest: %w", err)
	}
	objects, err := renderMetalLB(manifest, m.AddressRange, m.NodeIP)
	if err != nil {
		return err
	}
	c, err := meshcluster.Open(m.Name, "", m.Kubeconfig, m.Context)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.deadline(), fmt.Errorf("the load balancer was not ready within %s", o.deadline()))
	defer cancel()
	o.tell(m.Name, "installing the load balancer for %s", m.AddressRange)
	if err := createAll(ctx, c.Dynamic(), m.Name, objects); err != nil {
		return err
	}
	o.tell(m.Name, "waiting for the load balancer")
	wait := poll.Wait{What: "the load balancer has its pool and announces", Where: "cluster " + m.Name,
		Limit: o.deadline(), Every: 200 * time.Millisecond}
	return poll.Until(ctx, wait, func(ctx context.Context) (string, error) { return balancerReady(ctx, c.Dynamic()) })
}

// createAll creates objects that are in the order of their stages, all of one stage at once.
func createAll(ctx context.Context, client dynamic.Interface, where string, objects []*unstructured.Unstructured) error {
	for len(objects) > 0 {
		next := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return stage(o) != stage(objects[0]) })
		if next < 0 {
			next = len(objects)
		}
		var all sync.WaitGroup
		errs := make([]error, next)
		for i, o := range objects[:next] {
			all.Go(func() { errs[i] = createObject(ctx, client, where, o) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		objects = objects[next:]
	}
	return nil
}

// kindLimit is for the API server to serve a kind whose definition was created just before.
const kindLimit = 30 * time.Second

// createObject creates an object, or leaves the one that is there: all of them are of this package's making. A
// definition is there when its kind is served.
func createObject(ctx context.Context, client dynamic.Interface, where string, o *unstructured.Unstructured) error {
	what := o.GetKind() + " " + o.GetName()
	wait := poll.Wait{What: "the API server takes " + what, Where: "cluster " + where, Limit: kindLimit, Every: 50 * time.Millisecond}
	created := false
	return poll.Until(ctx, wait, func(ctx context.Context) (string, error) {
		if !created {
			_, err := resource(client, o).Create(ctx, o, metav1.CreateOptions{FieldManager: poolName})
			if apierrors.IsNotFound(err) { // its kind or its namespace is not served yet
				return "not served yet", err
			}
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return "", poll.Final(fmt.Errorf("create %s: %w", what, err))
			}
			created = true
		}
		if o.GetKind() != "CustomResourceDefinition" {
			return "", nil
		}
		there, err := resource(client, o).Get(ctx, o.GetName(), metav1.GetOptions{})
		if err != nil {
			return "created", fmt.Errorf("read %s: %w", what, err)
		}
		return "created", established(there)
	})
}

func established(crd *unstructured.Unstructured) error {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions") // none before the API server saw it
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
			return nil
		}
	}
	return errors.New("its kind is not served yet")
}

// resource finds the client for an object without asking the API server for its list of kinds: the rule by which
// plurals are guessed holds for every kind in MetalLB's manifest, and each of its namespaced objects names its namespace.
func resource(client dynamic.Interface, o *unstructured.Unstructured) dynamic.ResourceInterface {
	plural, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if o.GetNamespace() == "" {
		return client.Resource(plural)
	}
	return client.Resource(plural).Namespace(o.GetNamespace())
}

// balancerReady looks at the controller through its pool, whose status it writes once it has taken it, and at the
// speaker through its readiness.
func balancerReady(ctx context.Context, client dynamic.Interface) (string, error) {
	pools := client.Resource(schema.GroupVersionResource{Group: "metallb.io", Version: "v1beta1", Resource: "ipaddresspools"})
	pool, err := pools.Namespace(metallbNamespace).Get(ctx, poolName, metav1.GetOptions{})
	if err != nil {
		return "no pool", fmt.Errorf("read IPAddressPool %s: %w", poolName, err)
	}
	sets := client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"})
	speaker, err := sets.Namespace(metallbNamespace).Get(ctx, "speaker", metav1.GetOptions{})
	if err != nil {
		return "no speaker", fmt.Errorf("read DaemonSet speaker: %w", err)
	}
	addresses, _, _ := unstructured.NestedInt64(pool.Object, "status", "availableIPv4") // absent before the controller wrote it
	ready, _, _ := unstructured.NestedInt64(speaker.Object, "status", "numberReady")
	state := fmt.Sprintf("controller offers %d addresses, %d speakers are ready", addresses, ready)
	if addresses == 0 || ready == 0 {
		return state, errors.New("the load balancer is not ready")
	}
	return state, nil
}
