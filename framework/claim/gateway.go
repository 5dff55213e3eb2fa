package claim

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	installGateway = "S6 Install the east-west gateway"
	exposeServices = "S7 Expose the services"
)

func gatewayRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "gateway-available", Level: Core, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: installGateway,
				Sentence: "The east-west gateway's deployment is available, and its pods are of the revision with a real proxy image."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeAvailable,
		},
		{
			Claim: Claim{ID: "gateway-address", Level: Core, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: installGateway,
				Sentence: "The east-west gateway's service has an address from the load balancer."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeAddress,
		},
		{
			Claim: Claim{ID: "gateway-listener", Level: Core, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: exposeServices,
				Sentence: "Every Envoy of the east-west gateway listens on port 15443."},
			about: eachCluster, reads: []part{objects(ofSelf), proxies(evidence.RoleGateway, ofSelf)}, judge: judgeListener,
		},
		{
			Claim: Claim{ID: "gateway-exposes", Level: Core, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: exposeServices,
				Sentence: "The gateway passes TLS for every *.local service on by its server name, helloworld among them."},
			sample: true, about: eachCluster, reads: []part{objects(ofSelf), proxies(evidence.RoleGateway, ofSelf)}, judge: judgeExposes,
		},
		{
			Claim: Claim{ID: "gateway-reached", Level: Core, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: installGateway,
				Sentence: "Every address of the gateway takes connections on port 15443 from a pod outside the mesh in the other cluster."},
			about: eachDirection, reads: []part{objects(ofPeers), dials(ofSelf)}, judge: judgeReached,
		},
		{
			// Extended: the guide's flag is inert (finding F2), and nothing of the mesh depends on it.
			Claim: Claim{ID: "cert-provider", Level: Extended, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: installGateway,
				Sentence: "The gateway has the certificate provider of its control plane, whatever the guide's flag says."},
			about: eachCluster, reads: []part{objects(ofSelf), steps()}, judge: judgeProvider,
		},
		{
			// Extended: the guide leaves it open whether the gateway is to be restricted.
			Claim: Claim{ID: "gateway-exposure", Level: Extended, Kind: Converges, Area: Gateway, Epoch: evidence.Joined, Guide: installGateway,
				Sentence: "The gateway opens no more to the outside than mesh traffic and its own readiness: not the control plane (15012, 15017)."},
			about: eachCluster, reads: []part{objects(ofSelf), proxies(evidence.RoleGateway, ofSelf)}, judge: judgeExposure,
		},
	}
}

func judgeAvailable(v view) result {
	var n notes
	k := v.objects(v.self.Name)
	deployments := seen.GatewayDeployments(k)
	if len(deployments) == 0 {
		n.breaks("cluster %s has no deployment of an east-west gateway in %s", v.self.Name, seen.Istio)
	}
	for _, d := range deployments {
		if d.Replicas < 1 || d.Available < d.Replicas {
			n.breaks("deployment %s has %d of %d replicas available", d.Name, d.Available, d.Replicas)
		}
	}
	for _, p := range seen.GatewayPods(k) {
		if got := p.Labels[seen.RevisionKey]; got != v.run.Intent.Revision {
			n.breaks("gateway pod %s has revision %q, not %q", p.Name, got, v.run.Intent.Revision)
		}
		c, there := seen.Sidecar(p)
		switch {
		case !there:
			n.breaks("gateway pod %s has no container %s", p.Name, seen.SidecarName)
		case c.Image == seen.AutoImage || strings.HasSuffix(c.Image, "/"+seen.AutoImage):
			n.breaks("gateway pod %s has the image %q: no injector of revision %s replaced it", p.Name, c.Image, v.run.Intent.Revision)
		case !c.Ready:
			n.breaks("gateway pod %s is not ready%s", p.Name, waiting(p))
		}
	}
	return n.result("the gateway of %s is available with revision %s", v.self.Name, v.run.Intent.Revision)
}

func judgeAddress(v view) result {
	var n notes
	services := v.objects(v.self.Name).GatewayServices()
	if len(services) == 0 {
		n.breaks("cluster %s has no service of the east-west gateway with port %d in %s", v.self.Name, evidence.GatewayPort, seen.Istio)
	}
	for _, s := range services {
		switch {
		case s.Type != "LoadBalancer":
			n.breaks("service %s is of type %s, not LoadBalancer", s.Name, s.Type)
		case len(s.Addresses) == 0:
			n.breaks("service %s has no address from the load balancer", s.Name)
		}
	}
	return n.result("the gateway of %s has the address %s", v.self.Name, strings.Join(v.objects(v.self.Name).GatewayAddresses(), ", "))
}

// gatewayProxies calls look for each Envoy of the gateway of self, and says how many there are.
func gatewayProxies(v view, look func(evidence.Proxy)) (envoys int) {
	for _, p := range seen.GatewayPods(v.objects(v.self.Name)) {
		if envoy, there := seen.ProxyOf(v.cluster(v.self.Name), p); there {
			envoys++
			look(envoy)
		}
	}
	return envoys
}

const noGateway = "cluster %s has no running Envoy of the east-west gateway"

func judgeListener(v view) result {
	var n notes
	envoys := gatewayProxies(v, func(p evidence.Proxy) {
		switch listens, err := p.Listens(evidence.GatewayPort); {
		case err != nil:
			n.puzzles("%v", err)
		case !listens:
			n.breaks("gateway pod %s has no listener on port %d", p.Pod, evidence.GatewayPort)
		}
	})
	if envoys == 0 {
		n.breaks(noGateway, v.self.Name)
	}
	return n.result("the gateway of %s listens on port %d", v.self.Name, evidence.GatewayPort)
}

const (
	passthrough = "AUTO_PASSTHROUGH"
	everyLocal  = "*.local"
)

func judgeExposes(v view) result {
	var n notes
	if !slices.ContainsFunc(v.objects(v.self.Name).Gateways, exposes) {
		n.breaks("cluster %s has no Gateway in %s that opens port %d with %s for %s on the east-west gateway",
			v.self.Name, seen.Istio, evidence.GatewayPort, passthrough, everyLocal)
	}
	name := evidence.SNICluster(v.sample())
	envoys := gatewayProxies(v, func(p evidence.Proxy) {
		switch names, err := p.SNIs(evidence.GatewayPort); {
		case err != nil:
			n.puzzles("%v", err)
		case !slices.Contains(names, name):
			n.breaks("gateway pod %s has no filter chain for the server name %s", p.Pod, name)
		}
	})
	if envoys == 0 {
		n.breaks(noGateway, v.self.Name)
	}
	return n.result("the gateway of %s passes %s on", v.self.Name, name)
}

// exposes tells whether a Gateway is the one of the guide's S7, whatever its name is.
func exposes(g evidence.Gateway) bool {
	return g.Namespace == seen.Istio && g.Selector[seen.GatewayLabel] == seen.GatewayValue &&
		slices.ContainsFunc(g.Servers, func(s evidence.GatewayServer) bool {
			return s.Port == evidence.GatewayPort && s.TLSMode == passthrough && slices.Contains(s.Hosts, everyLocal)
		})
}

func judgeReached(v view) result {
	var n notes
	var reached []string
	for _, peer := range v.peers {
		addresses := v.objects(peer.Name).GatewayAddresses()
		if len(addresses) == 0 {
			n.breaks("the gateway of %s has no address that could be reached", peer.Name)
		}
		for _, address := range addresses {
			d, _ := dialTo(v, v.self.Name, peer.Name, address)
			if !d.Connected {
				n.breaks("pod %s on %s could not connect to %s of %s: %s", d.Pod, v.self.Name, d.Address, peer.Name, d.Error)
			}
			reached = append(reached, d.Address)
		}
	}
	return n.result("a pod outside the mesh on %s connects to %s", v.self.Name, strings.Join(reached, ", "))
}
