package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/intent"
)

// probes is the namespace of the suite's pods outside the mesh, which meet every Pod Security level.
const probes = fixtures.ProbeNamespace

// different judges whether the kubeconfigs lead to several clusters.
func different(all []Cluster) Row {
	const name = "different clusters"
	by := map[string]string{}
	for _, c := range all {
		if c.UID.Err != nil || c.UID.Value == "" {
			return unknown(name, "it is not known which cluster "+c.Name+" is", "see the row API server, and that the user may get namespace kube-system")
		}
		if other, same := by[c.UID.Value]; same {
			return failed(name, fmt.Sprintf("%s and %s are one and the same: kube-system has UID %s in both", other, c.Name, c.UID.Value),
				"give kubeconfigs of different clusters")
		}
		by[c.UID.Value] = c.Name
	}
	return ok(name, fmt.Sprintf("they are %d", len(all)))
}

func networks(all []Cluster) Row {
	const name = "networks"
	by := map[string]string{}
	var seen []string
	for _, c := range all {
		network := c.Mesh.Value.Network
		if network == "" {
			return unknown(name, "that of "+c.Name+" is not known", "see the row control plane")
		}
		if other, same := by[network]; same {
			return failed(name, fmt.Sprintf("%s and %s are both on %q: the gateways would be by-passed (finding F1)", other, c.Name, network),
				"give each cluster a network of its own (asmcli: --network_id), or label istio-system again and restart istiod")
		}
		by[network] = c.Name
		seen = append(seen, c.Name+" on "+network)
	}
	return ok(name, strings.Join(seen, ", "))
}

// platforms judges whether the clusters are of one platform, as create-mesh wants them: by what their nodes say, else by what was said.
func platforms(said string, all []Cluster) Row {
	const name = "platform"
	var of, first []string
	for _, c := range all {
		if clouds := c.Balancer.Value.Clouds; len(clouds) > 0 {
			of = append(of, c.Name+" of "+strings.Join(clouds, " and "))
			if len(of) == 1 {
				first = clouds
			}
			if !slices.Equal(clouds, first) {
				return failed(name, "the nodes are of several providers: "+strings.Join(of, ", "), "give clusters of one platform: create-mesh wants the same everywhere, and the guide has no other")
			}
		}
	}
	switch {
	case len(of) == len(all):
		return ok(name, strings.Join(of, ", "))
	case said != "":
		return ok(name, "all are said to be "+said)
	}
	return unknown(name, "not all nodes name a provider", "say the platform with --platform or in the topology, if all clusters are of one")
}

// roots judges the precondition of Istio CA that the guide leaves out. The other CAs sign for the whole fleet, and the root that
// istiod hands out is then its own.
func roots(ca string, all []Cluster) Row {
	const name = "common root"
	if ca != intent.IstioCA {
		return ok(name, "the CA "+ca+" signs for the fleet, and the roots of the control planes need not be one")
	}
	for _, c := range all {
		if c.Root.Err != nil || c.Root.Value == "" {
			why := "cluster " + c.Name + " did not say its root"
			if c.Root.Err != nil {
				why += ": " + c.Root.Err.Error()
			}
			return unknown(name, why, "compare ConfigMap istio-system/istio-ca-root-cert of the clusters")
		}
		if c.Root.Value != all[0].Root.Value {
			return failed(name, fmt.Sprintf("%s has %s, %s has %s", all[0].Name, all[0].Root.Value, c.Name, c.Root.Value),
				"give all clusters intermediate CAs of one root in the secret cacerts, before the control planes are installed")
		}
	}
	return ok(name, "all have "+all[0].Root.Value)
}

func clocks(all []Cluster) Row {
	const name = "clocks"
	var low, high time.Duration
	for i, c := range all {
		if c.Answer.Err != nil {
			return unknown(name, "that of "+c.Name+" is not known", "see the row API server")
		}
		ahead := c.Answer.Value.Ahead
		if i == 0 {
			low, high = ahead, ahead
		}
		low, high = min(low, ahead), max(high, ahead)
	}
	seen := fmt.Sprintf("%.0f s apart", (high - low).Seconds())
	if high-low > grace {
		return failed(name, seen, "set the clocks of the clusters: one would refuse the other's new certificates")
	}
	return ok(name, seen)
}
