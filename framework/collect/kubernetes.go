package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	// remoteSecrets selects the secrets that istiod takes for remote clusters.
	remoteSecrets = "istio/multiCluster=true"
	// injectors selects the webhook configurations of revisions and of tags.
	injectors = "app=sidecar-injector"
	// maxEvents of one namespace: the newest are what explains a failure, and the API server gives no order.
	maxEvents = 500
	// rootConfigMap holds the mesh's root certificate in every namespace.
	rootConfigMap, rootKey = "istio-ca-root-cert", "root-cert.pem"
)

// Kubernetes reads the API objects that claims are about, from the namespaces of the mesh, the sample and the probe. What
// could be read is returned beside the joined errors of what could not.
func Kubernetes(ctx context.Context, c *cluster.Cluster, o Options) (*evidence.Kubernetes, error) {
	s, err := from(c, o)
	if err != nil {
		return nil, err
	}
	return s.kubernetes(ctx, o.withDefaults())
}

// lists is one snapshot that several requests fill at once.
type lists struct {
	mu  sync.Mutex
	all evidence.Kubernetes
}

func (l *lists) add(f func(*evidence.Kubernetes)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.all)
}

func (s source) kubernetes(ctx context.Context, o Options) (*evidence.Kubernetes, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	l := &lists{all: evidence.Kubernetes{At: now(), Server: s.Server()}}
	var mu sync.Mutex
	var errs []error
	var wait sync.WaitGroup
	read := func(what string, look func() error) {
		wait.Go(func() {
			if err := look(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("read %s on cluster %s: %w", what, s.name, err))
			}
		})
	}
	read("the version", func() error { return s.version(ctx, l) })
	read("remote secrets in "+o.GatewayNamespace, func() error { return s.remoteSecrets(ctx, o.GatewayNamespace, l) })
	read("remote servers in "+o.GatewayNamespace, func() error { return s.remoteServers(ctx, o.GatewayNamespace, l) })
	read("what "+readerAccount+" may", func() error { return s.readerMay(ctx, o.GatewayNamespace, l) })
	read("the addresses of the API server", func() error { return s.apiServers(ctx, l) })
	read("webhooks", func() error { return s.webhooks(ctx, l) })
	read("config map "+rootConfigMap+" in "+o.GatewayNamespace, func() error { return s.meshRoot(ctx, o.GatewayNamespace, l) })
	for _, ns := range o.namespaces() {
		read("namespace "+ns, func() error { return s.namespace(ctx, ns, l) })
		read("deployments in "+ns, func() error { return s.deployments(ctx, ns, l) })
		read("pods in "+ns, func() error { return s.podList(ctx, ns, l) })
		read("services in "+ns, func() error { return s.services(ctx, ns, l) })
		read("endpoint slices in "+ns, func() error { return s.endpointSlices(ctx, ns, l) })
		read("gateways in "+ns, func() error { return s.gateways(ctx, ns, l) })
		read("events in "+ns, func() error { return s.events(ctx, ns, l) })
		read("destination rules in "+ns, func() error { return s.destinationRules(ctx, ns, l) })
		read("virtual services in "+ns, func() error { return s.virtualServices(ctx, ns, l) })
		read("authorization policies in "+ns, func() error { return s.authorizationPolicies(ctx, ns, l) })
	}
	wait.Wait()
	sortObjects(&l.all)
	return &l.all, errors.Join(errs...)
}

// version asks by path, because client-go's own function for it cannot be bounded in time.
func (s source) version(ctx context.Context, l *lists) error {
	body, err := s.Kube().Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return err
	}
	var v version.Info
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) { k.Version = v.GitVersion })
	return nil
}

func (s source) namespace(ctx context.Context, name string, l *lists) error {
	n, err := s.Kube().CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // its absence is what the snapshot shows
	}
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) { k.Namespaces = append(k.Namespaces, object(n)) })
	return nil
}

// remoteSecrets asks for the secrets' metadata only; remoteServers alone looks at what is in them.
func (s source) remoteSecrets(ctx context.Context, ns string, l *lists) error {
	list, err := s.metadata.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(ns).
		List(ctx, metav1.ListOptions{LabelSelector: remoteSecrets})
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) {
		for i := range list.Items {
			o := object(&list.Items[i])
			o.Annotations = onlyClusterAnnotation(o.Annotations)
			k.RemoteSecrets = append(k.RemoteSecrets, o)
		}
	})
	return nil
}

// webhooks keeps the names and labels of the configurations that inject sidecars.
func (s source) webhooks(ctx context.Context, l *lists) error {
	list, err := s.metadata.Resource(schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}).
		List(ctx, metav1.ListOptions{LabelSelector: injectors})
	if err != nil {
		return err
	}
	found := []evidence.Object{}
	for i := range list.Items {
		found = append(found, object(&list.Items[i]))
	}
	l.add(func(k *evidence.Kubernetes) { k.Webhooks = found })
	return nil
}

// meshRoot keeps the digests of the root; a config map that is not there, or holds no certificate, gives an empty one.
func (s source) meshRoot(ctx context.Context, ns string, l *lists) error {
	m, err := s.Kube().CoreV1().ConfigMaps(ns).Get(ctx, rootConfigMap, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	found := rootsIn([]byte(m.Data[rootKey]))
	l.add(func(k *evidence.Kubernetes) { k.MeshRoot, k.MeshRoots = found.set, found.each })
	return nil
}

func (s source) deployments(ctx context.Context, ns string, l *lists) error {
	list, err := s.Kube().AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) {
		for i := range list.Items {
			k.Deployments = append(k.Deployments, deployment(&list.Items[i]))
		}
	})
	return nil
}

func (s source) podList(ctx context.Context, ns string, l *lists) error {
	list, err := s.Kube().CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) {
		for i := range list.Items {
			k.Pods = append(k.Pods, pod(&list.Items[i]))
		}
	})
	return nil
}

func (s source) services(ctx context.Context, ns string, l *lists) error {
	list, err := s.Kube().CoreV1().Services(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) {
		for i := range list.Items {
			k.Services = append(k.Services, service(&list.Items[i]))
		}
	})
	return nil
}

func (s source) endpointSlices(ctx context.Context, ns string, l *lists) error {
	list, err := s.Kube().DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) {
		for i := range list.Items {
			k.EndpointSlices = append(k.EndpointSlices, endpoints(&list.Items[i]))
		}
	})
	return nil
}

func (s source) events(ctx context.Context, ns string, l *lists) error {
	list, err := s.Kube().CoreV1().Events(ns).List(ctx, metav1.ListOptions{Limit: maxEvents})
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) {
		for i := range list.Items {
			k.Events = append(k.Events, event(&list.Items[i]))
		}
	})
	return nil
}

// sortObjects puts every list in an order of its own, because the requests end in any order.
func sortObjects(k *evidence.Kubernetes) {
	byName := func(a, b evidence.Object) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) }
	slices.SortFunc(k.Namespaces, byName)
	slices.SortFunc(k.RemoteSecrets, byName)
	slices.SortFunc(k.Deployments, func(a, b evidence.Deployment) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.Pods, func(a, b evidence.Pod) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.Services, func(a, b evidence.Service) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.EndpointSlices, func(a, b evidence.Endpoints) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.Gateways, func(a, b evidence.Gateway) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.Webhooks, byName)
	slices.SortFunc(k.RemoteServers, func(a, b evidence.RemoteServer) int {
		return strings.Compare(a.Secret+" "+a.Cluster, b.Secret+" "+b.Cluster)
	})
	slices.SortFunc(k.DestinationRules, func(a, b evidence.DestinationRule) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.VirtualServices, func(a, b evidence.VirtualService) int { return byName(a.Object, b.Object) })
	slices.SortFunc(k.AuthorizationPolicies, func(a, b evidence.AuthorizationPolicy) int { return byName(a.Object, b.Object) })
	slices.SortStableFunc(k.Events, func(a, b evidence.Event) int {
		if order := a.Last.Compare(b.Last); order != 0 {
			return order
		}
		return strings.Compare(a.Object+a.Reason+a.Message, b.Object+b.Reason+b.Message)
	})
}
