package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	istiodSelector = "app=istiod"
	revisionLabel  = "istio.io/rev"
)

// istiodPages are the debug pages that are taken from every replica.
func istiodPages() []string {
	return []string{evidence.PageClusterz, evidence.PageNetworkz, evidence.PageEndpointShardz, evidence.PageSyncz, evidence.PageMesh}
}

// Istiods reads the debug pages of every running replica of istiod, of all revisions. What could be read is returned
// beside the joined errors of what could not; no replica at all is such an error.
func Istiods(ctx context.Context, c *cluster.Cluster, o Options) ([]evidence.Istiod, error) {
	s, err := from(c, o)
	if err != nil {
		return nil, err
	}
	return s.istiods(ctx, o.withDefaults())
}

func (s source) istiods(ctx context.Context, o Options) ([]evidence.Istiod, error) {
	pods, err := s.running(ctx, o.GatewayNamespace, istiodSelector)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("read istiod on cluster %s: no pod %q runs in namespace %s", s.name, istiodSelector, o.GatewayNamespace)
	}
	found := make([]evidence.Istiod, len(pods))
	errs := make([]error, len(pods))
	var all sync.WaitGroup
	for i, p := range pods {
		all.Go(func() { found[i], errs[i] = s.istiod(ctx, p, o) })
	}
	all.Wait()
	return found, errors.Join(errs...)
}

func (s source) istiod(ctx context.Context, p corev1.Pod, o Options) (evidence.Istiod, error) {
	found := evidence.Istiod{At: now(), Pod: p.Name, Revision: p.Labels[revisionLabel], Pages: map[string]json.RawMessage{}}
	paths := []string{"version", metricsPage}
	for _, name := range istiodPages() {
		paths = append(paths, "debug/"+name)
	}
	e := istiodEndpoint()
	bodies, errs := s.get(ctx, p, e, paths...)
	for i, name := range istiodPages() {
		i += 2 // the first are the version and the metrics
		if errs[i] != nil {
			continue
		}
		page, err := s.asJSON(p, e, paths[i], bodies[i])
		if err == nil {
			if page, err = cutPage(name, page, o); err != nil {
				err = s.pageError(p, e, paths[i], err)
			}
		}
		if errs[i] = err; err == nil {
			found.Pages[name] = page
		}
	}
	if errs[0] == nil {
		found.Version = strings.TrimSpace(string(bodies[0]))
	}
	if errs[1] == nil {
		found.Metrics = parseMetrics(bodies[1])
	}
	var err error
	found.Complaints, err = s.complaints(ctx, p)
	return found, errors.Join(append(errs[1:], err)...) // a version that is not told is no problem: no claim reads it
}

// cutPage leaves out of a page what is not the run's, or may be secret.
func cutPage(name string, page json.RawMessage, o Options) (json.RawMessage, error) {
	switch name {
	case evidence.PageEndpointShardz:
		return onlyNamespaces(page, o.namespaces())
	case evidence.PageMesh:
		return onlyMeshSettings(page)
	case evidence.PageSyncz:
		return onlySync(page)
	}
	return page, nil
}

// onlySync cuts syncz to what claims read. Why an Envoy refused a resource is redacted: Envoy's message may repeat the resource.
func onlySync(page json.RawMessage) (json.RawMessage, error) {
	type state struct {
		Sent      string `json:"sent,omitempty"`
		Acked     string `json:"acked,omitempty"`
		SentTime  string `json:"sentTime,omitempty"`
		LastError string `json:"lastError,omitempty"`
	}
	var proxies []struct {
		Cluster       string           `json:"cluster_id,omitempty"`
		Proxy         string           `json:"proxy,omitempty"`
		Version       string           `json:"istio_version,omitempty"`
		ClusterSent   string           `json:"cluster_sent,omitempty"`
		ClusterAcked  string           `json:"cluster_acked,omitempty"`
		ListenerSent  string           `json:"listener_sent,omitempty"`
		ListenerAcked string           `json:"listener_acked,omitempty"`
		RouteSent     string           `json:"route_sent,omitempty"`
		RouteAcked    string           `json:"route_acked,omitempty"`
		EndpointSent  string           `json:"endpoint_sent,omitempty"`
		EndpointAcked string           `json:"endpoint_acked,omitempty"`
		Resources     map[string]state `json:"resources,omitempty"`
	}
	if err := json.Unmarshal(page, &proxies); err != nil {
		return nil, err
	}
	for _, p := range proxies {
		for kind, r := range p.Resources {
			r.LastError = redact(r.LastError)
			p.Resources[kind] = r
		}
	}
	return json.Marshal(proxies)
}

// onlyNamespaces cuts endpointShardz (host, then namespace) to the services of some namespaces.
func onlyNamespaces(page json.RawMessage, namespaces []string) (json.RawMessage, error) {
	var hosts map[string]map[string]json.RawMessage
	if err := json.Unmarshal(page, &hosts); err != nil {
		return nil, err
	}
	kept := map[string]map[string]json.RawMessage{}
	for host, byNamespace := range hosts {
		for namespace, shards := range byNamespace {
			if !slices.Contains(namespaces, namespace) {
				continue
			}
			if kept[host] == nil {
				kept[host] = map[string]json.RawMessage{}
			}
			kept[host][namespace] = shards
		}
	}
	return json.Marshal(kept)
}

// onlyMeshSettings cuts the mesh's configuration to what claims read: the rest may hold headers with tokens (extension
// providers).
func onlyMeshSettings(page json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(page, &all); err != nil {
		return nil, err
	}
	kept := map[string]any{}
	for _, key := range []string{"trustDomain", "trustDomainAliases", "localityLbSetting", "enableAutoMtls", "rootNamespace", "accessLogFile"} {
		if value, ok := all[key]; ok {
			kept[key] = value
		}
	}
	var defaults map[string]json.RawMessage
	if raw, ok := all["defaultConfig"]; ok {
		if err := json.Unmarshal(raw, &defaults); err != nil {
			return nil, err
		}
		if id, ok := defaults["meshId"]; ok {
			kept["defaultConfig"] = map[string]json.RawMessage{"meshId": id}
		}
	}
	return json.Marshal(kept)
}

// running lists the pods that run and are not being deleted, in the order of their names.
func (s source) running(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	list, err := s.Kube().CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list pods %q in namespace %s on cluster %s: %w", selector, namespace, s.name, err)
	}
	pods := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		return p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil
	})
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods, nil
}
