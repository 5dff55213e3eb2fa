package evidence

import (
	"slices"
	"strings"
)

// ProxySync is how far one Envoy has taken what a replica of istiod sent to it.
type ProxySync struct {
	// Proxy is POD.NAMESPACE.
	Proxy string
	// Cluster is the id of the cluster that the Envoy says it is in.
	Cluster string
	// Version is the Istio version that the proxy reports.
	Version string
	// Resources by their short type names: Cluster, Listener, RouteConfiguration, ClusterLoadAssignment, and others.
	Resources map[string]ResourceSync
}

// ResourceSync is the state of one type of resources.
type ResourceSync struct {
	// Sent and Acked are nonces; empty when nothing was sent, or taken.
	Sent, Acked string
	// Error is what the Envoy last refused, if it did.
	Error string
}

// Synced tells whether the Envoy has taken what was sent last.
func (r ResourceSync) Synced() bool { return r.Error == "" && r.Sent != "" && r.Sent == r.Acked }

// Short names of the resource types that a sidecar needs.
const (
	TypeClusters  = "Cluster"
	TypeListeners = "Listener"
	TypeRoutes    = "RouteConfiguration"
	TypeEndpoints = "ClusterLoadAssignment"
)

// Proxies gives what /debug/syncz shows, in the order of the proxies. Istiod lists the proxies that are connected to this
// replica. The form of older istiods, without "resources", is understood too.
func (i Istiod) Proxies() ([]ProxySync, error) {
	var page []struct {
		Cluster       string `json:"cluster_id"`
		Proxy         string `json:"proxy"`
		Version       string `json:"istio_version"`
		ClusterSent   string `json:"cluster_sent"`
		ClusterAcked  string `json:"cluster_acked"`
		ListenerSent  string `json:"listener_sent"`
		ListenerAcked string `json:"listener_acked"`
		RouteSent     string `json:"route_sent"`
		RouteAcked    string `json:"route_acked"`
		EndpointSent  string `json:"endpoint_sent"`
		EndpointAcked string `json:"endpoint_acked"`
		Resources     map[string]struct {
			Sent      string `json:"sent"`
			Acked     string `json:"acked"`
			LastError string `json:"lastError"`
		} `json:"resources"`
	}
	if err := i.page(PageSyncz, &page); err != nil {
		return nil, err
	}
	var all []ProxySync
	for _, p := range page {
		one := ProxySync{Proxy: p.Proxy, Cluster: p.Cluster, Version: p.Version, Resources: map[string]ResourceSync{}}
		for url, r := range p.Resources {
			one.Resources[url[strings.LastIndex(url, ".")+1:]] = ResourceSync{Sent: r.Sent, Acked: r.Acked, Error: r.LastError}
		}
		if len(p.Resources) == 0 {
			one.Resources = map[string]ResourceSync{
				TypeClusters: {Sent: p.ClusterSent, Acked: p.ClusterAcked}, TypeListeners: {Sent: p.ListenerSent, Acked: p.ListenerAcked},
				TypeRoutes: {Sent: p.RouteSent, Acked: p.RouteAcked}, TypeEndpoints: {Sent: p.EndpointSent, Acked: p.EndpointAcked},
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b ProxySync) int { return strings.Compare(a.Proxy, b.Proxy) })
	return all, nil
}
