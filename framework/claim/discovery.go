package claim

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

const enableDiscovery = "S8 Enable endpoint discovery"

func discoveryRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "remote-clusters-synced", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Every replica of istiod watches its own cluster and exactly the others, and has synced them all."},
			about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf)}, judge: judgeSynced,
		},
		{
			Claim: Claim{ID: "endpoints-across-gateway", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Sleep's Envoy holds for helloworld exactly the local pods and the peer gateway's addresses on port 15443, healthy and with the weights that follow."},
			about: eachDirection, reads: []part{objects(ofAll), proxies(evidence.RoleSleep, ofSelf)}, judge: judgeEndpoints,
		},
		{
			Claim: Claim{ID: "gateway-backend-healthy", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: exposeServices,
				Sentence: "The gateway passes helloworld's traffic on to exactly the healthy pods of its own cluster."},
			about: eachCluster, reads: []part{objects(ofSelf), proxies(evidence.RoleGateway, ofSelf)}, judge: judgeBackends,
		},
		{
			Claim: Claim{ID: "lb-policy", Level: Extended, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Sleep's Envoy chooses among helloworld's endpoints by least request, without outlier detection and without weighing localities."},
			about: eachDirection, reads: []part{objects(ofSelf), proxies(evidence.RoleSleep, ofSelf)}, judge: judgePolicy,
		},
	}
}

func judgeSynced(v view) result {
	var n notes
	pods := seen.IstiodPods(v.objects(v.self.Name))
	for _, p := range pods {
		i, there := seen.IstiodOf(v.cluster(v.self.Name), p)
		if !there {
			n.breaks("istiod %s does not run (%s)", p.Name, p.Phase)
			continue
		}
		watched, err := i.RemoteClusters()
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		noteWatched(&n, v, i.Pod, watched)
	}
	if len(pods) == 0 {
		n.breaks("cluster %s has no pod of istiod", v.self.Name)
	}
	return n.result("%d of %d replicas of istiod on %s have synced all %d clusters", len(pods), len(pods), v.self.Name, 1+len(v.peers))
}

// noteWatched compares what a replica watches with what it should: its own cluster, known by no secret, and each peer.
func noteWatched(n *notes, v view, replica string, watched []evidence.RemoteCluster) {
	wanted := []string{v.self.ID}
	for _, p := range v.peers {
		wanted = append(wanted, p.RemoteName)
	}
	for _, id := range wanted {
		if !slices.ContainsFunc(watched, func(c evidence.RemoteCluster) bool { return c.ID == id }) {
			n.breaks("istiod %s does not know cluster %s", replica, id)
		}
	}
	for _, c := range watched {
		switch {
		case !slices.Contains(wanted, c.ID):
			n.breaks("istiod %s also watches a cluster %s (secret %q), which is not of this mesh", replica, c.ID, c.SecretName)
		case (c.ID == v.self.ID) != (c.SecretName == ""):
			n.breaks("istiod %s knows cluster %s by the secret %q", replica, c.ID, c.SecretName)
		case c.SyncStatus != "synced":
			n.breaks("istiod %s has not synced cluster %s: its status is %q", replica, c.ID, c.SyncStatus)
		}
	}
}

// judgeEndpoints tells remote endpoints from local ones by the cluster that istiod knows them from: pods of two clusters may
// well have the same address.
func judgeEndpoints(v view) result {
	var n notes
	envoys := 0
	for _, pod := range seen.AppPods(v.objects(v.self.Name), evidence.RoleSleep) {
		envoy, there := seen.ProxyOf(v.cluster(v.self.Name), pod)
		if !there {
			continue
		}
		envoys++
		all, err := envoy.Endpoints(evidence.OutboundCluster(seen.Sample))
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		noteEndpoints(&n, v, all)
	}
	if envoys == 0 {
		n.breaks("cluster %s has no running sleep with a sidecar", v.self.Name)
	}
	return n.result("sleep on %s holds helloworld's local pods and %s", v.self.Name, strings.Join(gatewaysOf(v), ", "))
}

func gatewaysOf(v view) []string {
	var all []string
	for _, p := range v.peers {
		for _, a := range seen.GatewayAddresses(v.objects(p.Name)) {
			all = append(all, net.JoinHostPort(a, strconv.Itoa(evidence.GatewayPort)))
		}
	}
	return all
}

func noteEndpoints(n *notes, v view, all []evidence.Endpoint) {
	local := pick(all, v.self.ID)
	noteSet(n, "local pods of helloworld on "+v.self.Name, local, withPort(seen.IPs(seen.AppPods(v.objects(v.self.Name), evidence.RoleHelloworld)), seen.AppPort))
	known := len(local)
	for _, peer := range v.peers {
		remote := pick(all, peer.RemoteName, peer.ID)
		known += len(remote)
		addresses, err := gatewayAddresses(v, peer)
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		noteSet(n, "addresses of the gateway of "+peer.Name, remote, withPort(addresses, evidence.GatewayPort))
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

// gatewayAddresses gives the IP addresses of a peer's gateway. A load balancer's host name is resolved by istiod; what it
// came to is in networkz.
func gatewayAddresses(v view, peer intent.Cluster) ([]string, error) {
	addresses := seen.GatewayAddresses(v.objects(peer.Name))
	if !slices.ContainsFunc(addresses, func(a string) bool { return net.ParseIP(a) == nil }) {
		return addresses, nil
	}
	for _, i := range v.cluster(v.self.Name).Istiods {
		networks, err := i.Networks()
		if err != nil {
			return nil, err
		}
		var resolved []string
		for _, n := range networks {
			if n.Network == peer.Network && (n.Cluster == peer.RemoteName || n.Cluster == peer.ID) {
				resolved = append(resolved, n.Addr)
			}
		}
		return sorted(resolved), nil
	}
	return nil, errors.New("no istiod says to which addresses the gateway's host name resolves")
}

// noteWeights compares the weights with those that istiod computes (EndpointsByNetworkFilter and
// splitWeightAmongGateways in istio's pilot/pkg/xds/endpoints/ep_filters.go): a local pod weighs s, and each of the
// peer's g gateway addresses s times the peer's pods over g, with a common s.
func noteWeights(n *notes, v view, local, remote []evidence.Endpoint, peer string) {
	if len(local) == 0 || len(remote) == 0 {
		return
	}
	pods := uint64(len(seen.AppPods(v.objects(peer), evidence.RoleHelloworld)))
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

func judgeBackends(v view) result {
	var n notes
	pods := withPort(seen.IPs(seen.AppPods(v.objects(v.self.Name), evidence.RoleHelloworld)), seen.AppPort)
	envoys := gatewayProxies(v, func(p evidence.Proxy) {
		hosts, err := p.Hosts(evidence.SNICluster(seen.Sample))
		if err != nil {
			n.puzzles("%v", err)
			return
		}
		var have []string
		for _, h := range hosts {
			have = append(have, h.Address)
			if !h.Healthy {
				n.breaks("gateway pod %s takes %s for unhealthy", p.Pod, h.Address)
			}
		}
		noteSame(&n, "pods of helloworld on "+v.self.Name, have, pods)
	})
	if envoys == 0 {
		n.breaks(noGateway, v.self.Name)
	}
	if len(pods) == 0 {
		n.breaks("cluster %s has no pod of helloworld", v.self.Name)
	}
	return n.result("the gateway of %s passes helloworld's traffic on to %s", v.self.Name, list(pods))
}

func judgePolicy(v view) result {
	var n notes
	envoys := 0
	for _, p := range v.cluster(v.self.Name).Proxy(evidence.RoleSleep) {
		envoys++
		policy, err := p.Policy(evidence.OutboundCluster(seen.Sample))
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		if policy.LB != "LEAST_REQUEST" {
			n.breaks("sleep pod %s chooses by %s", p.Pod, policy.LB)
		}
		if policy.Outlier {
			n.breaks("sleep pod %s has outlier detection on for helloworld", p.Pod)
		}
		if policy.LocalityWeighted {
			n.breaks("sleep pod %s weighs localities for helloworld", p.Pod)
		}
	}
	if envoys == 0 {
		n.puzzles("cluster %s has no sleep with a sidecar", v.self.Name)
	}
	return n.result("sleep on %s chooses by least request", v.self.Name)
}
