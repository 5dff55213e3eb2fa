// Package cluster holds one cluster's name, network, kubeconfig and clients, and an ordered Set of clusters that fans
// work out and joins the errors. There is no ambient kubeconfig anywhere in the project: whoever wants to speak to a
// cluster is handed one.
package cluster

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/k8s/resources"
)

// Cluster is one member of the mesh and the way to it. Its methods are safe for concurrent use.
type Cluster struct {
	// Name is the short name used in reports and file names ("east").
	Name string
	// Network is the Istio network the cluster is expected on.
	Network string
	// Kubeconfig is the file, Context the context in it that lead here.
	Kubeconfig, Context string

	files   []string // those that Kubeconfig names: one, or several that are merged
	klient  klient.Client
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	rest    *rest.Config
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

// Requests per second to one API server: client-go's 5 would make collection wait on itself.
const (
	qps   = 100
	burst = 200
)

// Open reads the kubeconfig (context "" means its current one) and prepares clients. It sends nothing.
func Open(name, network, kubeconfig, contextName string) (*Cluster, error) {
	return OpenMerged(name, network, []string{kubeconfig}, contextName)
}

// OpenMerged is Open on several kubeconfigs, merged as kubectl merges those of KUBECONFIG.
func OpenMerged(name, network string, kubeconfigs []string, contextName string) (*Cluster, error) {
	shown := strings.Join(kubeconfigs, string(filepath.ListSeparator))
	raw, contextName, err := load(kubeconfigs, contextName)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s of cluster %s: %w", shown, name, err)
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*raw, contextName, &clientcmd.ConfigOverrides{}, rules(kubeconfigs)).ClientConfig()
	if err == nil {
		err = inTime(cfg, time.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s, context %s of cluster %s: %w", shown, contextName, name, err)
	}
	cfg.QPS, cfg.Burst = qps, burst
	c := &Cluster{Name: name, Network: network, Kubeconfig: shown, Context: contextName, files: kubeconfigs, rest: cfg}
	if c.kube, err = kubernetes.NewForConfig(cfg); err != nil {
		return nil, fmt.Errorf("make a client for cluster %s: %w", name, err)
	}
	if c.dynamic, err = dynamic.NewForConfig(cfg); err != nil {
		return nil, fmt.Errorf("make a dynamic client for cluster %s: %w", name, err)
	}
	if c.mapper, err = mapper(cfg); err != nil {
		return nil, fmt.Errorf("make a discovery client for cluster %s: %w", name, err)
	}
	if c.klient, err = klient.New(rest.CopyConfig(cfg)); err != nil {
		return nil, fmt.Errorf("make a client for cluster %s: %w", name, err)
	}
	return c, nil
}

// Server is the API server's address as the kubeconfig gives it, without a user that it may name.
func (c *Cluster) Server() string {
	u, err := url.Parse(c.rest.Host)
	if err != nil || u.User == nil {
		return c.rest.Host
	}
	u.User = nil
	return u.String()
}

// Kube is the typed client.
func (c *Cluster) Kube() kubernetes.Interface { return c.kube }

// Dynamic is the client for kinds that have no Go type here.
func (c *Cluster) Dynamic() dynamic.Interface { return c.dynamic }

// Resources is e2e-framework's client; at most one namespace may be given.
func (c *Cluster) Resources(namespace ...string) *resources.Resources {
	return c.klient.Resources(namespace...)
}

// UID is the UID of the namespace kube-system, which tells two names of one cluster from two clusters.
func (c *Cluster) UID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ns, err := c.kube.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{}) // klient asks for the API's kinds first, under no limit
	if err != nil {
		return "", fmt.Errorf("read namespace kube-system on cluster %s (%s): %w", c.Name, c.Server(), Access(err))
	}
	return string(ns.UID), nil
}

// Ready asks the API server whether it is ready; limit bounds the one request.
func (c *Cluster) Ready(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if _, err := c.kube.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
		return fmt.Errorf("ask the API server of cluster %s (%s) whether it is ready: %w", c.Name, c.Server(), Access(err))
	}
	return nil
}

// Pods lists the pods of a namespace that match a label selector.
func (c *Cluster) Pods(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := c.klient.Resources(namespace).List(ctx, &list, resources.WithLabelSelector(selector)); err != nil {
		return nil, fmt.Errorf("list pods %q in namespace %s on cluster %s: %w", selector, namespace, c.Name, err)
	}
	return list.Items, nil
}
