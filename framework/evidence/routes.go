package evidence

import (
	"fmt"
	"slices"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// Target is one Envoy cluster that a route leads to.
type Target struct {
	// Cluster is Envoy's name of it.
	Cluster string
	// Weight among the targets of the same route; 0 for the only one.
	Weight uint32
}

// Targets gives where an Envoy's dynamic routes send requests for a host (RDS), in the order of the routes; host is one
// of the domains that the routes are for. None when it has no route for that host.
func (p Proxy) Targets(host string) ([]Target, error) {
	w, err := p.section("RoutesConfigDump")
	if err != nil {
		return nil, err
	}
	fail := func(err error) ([]Target, error) {
		return nil, fmt.Errorf("read routes for %s in proxy %s/%s: %w", host, p.Namespace, p.Pod, err)
	}
	dump, err := w.GetRouteConfigDump()
	if err != nil {
		return fail(err)
	}
	var found []Target
	for _, d := range dump.GetDynamicRouteConfigs() {
		var config route.RouteConfiguration
		if err := d.GetRouteConfig().UnmarshalTo(&config); err != nil {
			return fail(err)
		}
		for _, v := range config.GetVirtualHosts() {
			if slices.Contains(v.GetDomains(), host) {
				found = append(found, targets(v.GetRoutes())...)
			}
		}
	}
	return found, nil
}

func targets(routes []*route.Route) []Target {
	var found []Target
	for _, r := range routes {
		action := r.GetRoute()
		if c := action.GetCluster(); c != "" {
			found = append(found, Target{Cluster: c})
		}
		for _, c := range action.GetWeightedClusters().GetClusters() {
			found = append(found, Target{Cluster: c.GetName(), Weight: c.GetWeight().GetValue()})
		}
	}
	return found
}

// SubsetOf gives the subset in the name of an Envoy cluster of the form outbound|PORT|SUBSET|HOST; empty for the whole
// service, and for other forms.
func SubsetOf(envoyCluster string) string {
	parts := strings.Split(envoyCluster, "|")
	if len(parts) != 4 {
		return ""
	}
	return parts[2]
}
