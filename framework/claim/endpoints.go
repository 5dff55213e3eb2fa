package claim

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// judgeEndpoints tells remote endpoints from local ones by the cluster that istiod knows them from: pods of two clusters may
// well have the same address.
func judgeEndpoints(v view) result {
	var n notes
	envoys := 0
	for _, pod := range seen.AppPods(v.objects(v.self.Name), v.sample(), evidence.RoleSleep) {
		envoy, there := seen.ProxyOf(v.cluster(v.self.Name), pod)
		if !there {
			continue
		}
		envoys++
		all, err := envoy.Endpoints(evidence.OutboundCluster(v.sample()))
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		noteEndpoints(&n, v, pod, all)
	}
	if envoys == 0 {
		n.breaks("cluster %s has no running sleep with a sidecar", v.self.Name)
	}
	return n.result("sleep on %s holds helloworld's local pods and %s", v.self.Name, strings.Join(gatewaysOf(v), ", "))
}

func gatewaysOf(v view) []string {
	var all []string
	callers := seen.IPs(seen.AppPods(v.objects(v.self.Name), v.sample(), evidence.RoleSleep))
	for _, p := range v.peers {
		for _, a := range v.objects(p.Name).GatewayAddresses() {
			if net.ParseIP(a) == nil || seen.OfOneFamily(a, callers) {
				all = append(all, net.JoinHostPort(a, strconv.Itoa(evidence.GatewayPort)))
			}
		}
	}
	return all
}

func noteEndpoints(n *notes, v view, pod evidence.Pod, all []evidence.Endpoint) {
	local := pick(all, v.self.ID)
	noteSet(n, "local pods of helloworld on "+v.self.Name, local, withPort(seen.IPs(seen.AppPods(v.objects(v.self.Name), v.sample(), evidence.RoleHelloworld)), seen.AppPort))
	known := len(local)
	for _, peer := range v.peers {
		remote := pick(all, peer.RemoteName, peer.ID)
		known += len(remote)
		addresses, err := gatewayIPs(v, peer)
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		noteSet(n, "addresses of the gateway of "+peer.Name, remote, withPort(inFamilyOf(pod, addresses, remote), evidence.GatewayPort))
		noteWeights(n, v, local, remote, peer.Name)
	}
	if known < len(all) {
		n.breaks("%d of %d endpoints are of no cluster of this mesh: %s", len(all)-known, len(all), strangers(all, v))
	}
	for _, e := range all {
		if e.Health != "HEALTHY" {
			n.breaks("endpoint %s is %s", hostPort(e), e.Health)
		}
		if e.Priority != 0 {
			n.breaks("endpoint %s has priority %d, not 0", hostPort(e), e.Priority)
		}
	}
}

func strangers(all []evidence.Endpoint, v view) string {
	var found []string
	for _, e := range all {
		ours := e.ClusterID == v.self.ID
		for _, p := range v.peers {
			ours = ours || e.ClusterID == p.RemoteName || e.ClusterID == p.ID
		}
		if !ours {
			found = append(found, hostPort(e)+" of cluster "+strconv.Quote(e.ClusterID))
		}
	}
	return strings.Join(found, ", ")
}

func pick(all []evidence.Endpoint, ids ...string) []evidence.Endpoint {
	var found []evidence.Endpoint
	for _, e := range all {
		if slices.Contains(ids, e.ClusterID) {
			found = append(found, e)
		}
	}
	return found
}

func hostPort(e evidence.Endpoint) string {
	return net.JoinHostPort(e.Address, strconv.FormatUint(uint64(e.Port), 10))
}

func withPort(hosts []string, port int) []string {
	var all []string
	for _, h := range hosts {
		all = append(all, net.JoinHostPort(h, strconv.Itoa(port)))
	}
	return sorted(all)
}

// noteSet notes what is wanted and not held, and what is held and not wanted.
func noteSet(n *notes, what string, held []evidence.Endpoint, wanted []string) {
	var have []string
	for _, e := range held {
		have = append(have, hostPort(e))
	}
	noteSame(n, what, have, wanted)
}

func noteSame(n *notes, what string, have, wanted []string) {
	if have = sorted(have); !slices.Equal(have, wanted) {
		n.breaks("the %s are %s, but the Envoy holds %s", what, list(wanted), list(have))
	}
}

func list(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// gatewayIPs gives the IP addresses that this cluster's proxies hold of a peer's gateway.
func gatewayIPs(v view, peer intent.Cluster) ([]string, error) {
	return v.cluster(v.self.Name).GatewayIPs(peer, v.objects(peer.Name).GatewayAddresses())
}

// inFamilyOf gives the addresses of a gateway that a pod's Envoy must hold: those of the pod's own address families, which istiod tells it
// alone (filterGatewaysByIPFamily in istio's pilot/pkg/xds/endpoints/ep_filters.go; releases before it tell all). Of a pod of two families the
// evidence has one address, so that one of the other family may be held. Where no address is of its family, it holds no way at all.
func inFamilyOf(pod evidence.Pod, addresses []string, held []evidence.Endpoint) []string {
	own := slices.DeleteFunc(slices.Clone(addresses), func(a string) bool {
		told := slices.ContainsFunc(held, func(e evidence.Endpoint) bool { return e.Address == a })
		return !told && !seen.OfOneFamily(a, seen.IPs([]evidence.Pod{pod}))
	})
	if len(own) == 0 {
		return addresses
	}
	return own
}

// noteWeights compares the weights with those that istiod computes (EndpointsByNetworkFilter and
// splitWeightAmongGateways in istio's pilot/pkg/xds/endpoints/ep_filters.go): a local pod weighs s, and each of the
// peer's g gateway addresses s times the peer's pods over g, with a common s.
func noteWeights(n *notes, v view, local, remote []evidence.Endpoint, peer string) {
	if len(local) == 0 || len(remote) == 0 {
		return
	}
	pods := uint64(len(seen.AppPods(v.objects(peer), v.sample(), evidence.RoleHelloworld)))
	pod, gateway := uint64(local[0].Weight), uint64(remote[0].Weight)
	noteEqual(n, local)
	noteEqual(n, remote)
	if pod*pods != gateway*uint64(len(remote)) {
		n.breaks("a local pod weighs %d and a gateway address %d, but %s has %d pods behind %d addresses", pod, gateway, peer, pods, len(remote))
	}
}

func noteEqual(n *notes, all []evidence.Endpoint) {
	for _, e := range all[1:] {
		if e.Weight != all[0].Weight {
			n.breaks("endpoint %s weighs %d, but %s of the same cluster weighs %d", hostPort(e), e.Weight, hostPort(all[0]), all[0].Weight)
		}
	}
}
