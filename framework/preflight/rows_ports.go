package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/intent"
)

// hostPorts is the provider of k3s nodes, whose service load balancer takes each service's ports on the nodes themselves
// (docs.k3s.io/networking/networking-services: a service waits as long as another one has its port).
const hostPorts = "k3s"

// warning is that of the guide's S6: the gateway is open to the internet, and needs firewall rules.
const warning = "S6's service opens 15012, 15017 and 15021 at its address besides 15443, and the guide warns to restrict who reaches it"

// portsFree judges whether the gateway's ports are free for a run that opens 15443 itself; b hints at who serves services.
func portsFree(from intent.Begin, p Seen[Ports], b Balancer) Row {
	const name = "ports"
	if p.Err != nil {
		return unknown(name, p.Err.Error(), "allow the user to list gateways and services in all namespaces for this look, or see yourself that nothing else has 15443")
	}
	for _, g := range p.Value.Gateways {
		switch seen := fmt.Sprintf("Gateway %s opens %s on the east-west gateway's pods", g.Name, list(g.Ports)); {
		case slices.Contains(g.Ports, meshPort):
			return failed(name, seen+", as S7's cross-network-gateway will", "remove it or give it another selector; if it is the guide's own, begin after it with --from join")
		case slices.Contains(g.Ports, istiodPort) || slices.Contains(g.Ports, webhookPort):
			return failed(name, seen+", and would offer the control plane to everyone who reaches the gateway (claim gateway-exposure)", "remove it, or give it another selector")
		default:
			return failed(name, seen+", which is where the load balancer asks whether they are ready", "remove it, or give it another selector")
		}
	}
	if from.Skips(intent.StepGateway) {
		return nothingThere(name, p.Value, "no other Gateway opens a port of the gateway's")
	}
	var others []string
	for _, s := range p.Value.Services {
		if s.Name == gatewayService {
			return failed(name, "Service "+s.Name+" is there already", "begin after it with --from expose, or remove it")
		}
		others = append(others, s.Name+" with "+list(s.Ports))
	}
	if len(others) > 0 && slices.Contains(b.Clouds, hostPorts) && !b.Pools {
		return unknown(name, "k3s's own load balancer gives a node's port to one service, and there are "+strings.Join(others, ", "), "take these ports from them, or use another load balancer, such as MetalLB")
	}
	return nothingThere(name, p.Value, warning)
}

const gatewayService = "istio-system/istio-eastwestgateway"

// nothingThere says that nothing is in the way, as far as the user may see.
func nothingThere(name string, p Ports, seen string) Row {
	if p.Elsewhere != nil {
		return unknown(name, "only the gateways of istio-system could be looked at: "+p.Elsewhere.Error(), "allow the user to list gateways.networking.istio.io in all namespaces for this look, or see yourself that none opens 15443 for istio=eastwestgateway")
	}
	return ok(name, "nothing has 15443 yet; "+seen)
}

func list(ports []int32) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ports)), ", "), "[]")
}
