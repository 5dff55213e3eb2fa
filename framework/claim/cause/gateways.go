package cause

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

func noAddress(s sight) (string, []string) {
	clusters := s.far()
	if s.claim == "gateways-known" {
		clusters = s.all()
	}
	for _, c := range clusters {
		k := s.objects(c.Name)
		if k != nil && len(k.Services) > 0 && !s.unlisted(c.Name, readServices) && len(k.GatewayAddresses()) == 0 {
			return fmt.Sprintf("the gateway of cluster %s has no address", c.Name), []string{evidence.FileOfKubernetes(s.epoch, c.Name)}
		}
	}
	return "", nil
}

func noListener(s sight) (string, []string) {
	for _, c := range s.far() {
		for _, p := range s.cluster(c.Name).Proxy(evidence.RoleGateway) {
			if listens, err := p.Listens(evidence.GatewayPort); err == nil && !listens {
				return fmt.Sprintf("the gateway of cluster %s has no listener on port %d", c.Name, evidence.GatewayPort), []string{p.File(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

// notRunning is shown by the pods. A service's address stays when no pod is behind it, and so do the endpoints.
func notRunning(s sight) (string, []string) {
	for _, c := range s.far() {
		k := s.objects(c.Name)
		if k == nil || len(k.Pods) == 0 || s.unlisted(c.Name, readPods) {
			continue
		}
		ready := func(p evidence.Pod) bool { own, there := seen.Sidecar(p); return there && own.Ready }
		if slices.ContainsFunc(seen.GatewayPods(k), ready) {
			continue
		}
		asked := "it has no deployment"
		for _, d := range seen.GatewayDeployments(k) {
			asked = fmt.Sprintf("its deployment has %d of %d replicas available", d.Available, d.Replicas)
		}
		return fmt.Sprintf("no pod of the gateway of cluster %s is ready: %s", c.Name, asked), []string{evidence.FileOfKubernetes(s.epoch, c.Name)}
	}
	return "", nil
}

// onGateway gives the servers on a port of the Gateway objects that select the east-west gateway.
func onGateway(k *evidence.Kubernetes, port uint32) []evidence.GatewayServer {
	var found []evidence.GatewayServer
	if k == nil {
		return nil
	}
	for _, g := range k.Gateways {
		for _, server := range g.Servers {
			if g.Selector[seen.GatewayLabel] == seen.GatewayValue && server.Port == port {
				found = append(found, server)
			}
		}
	}
	return found
}

func wrongMode(s sight) (string, []string) {
	const passthrough = "AUTO_PASSTHROUGH"
	for _, c := range s.far() {
		servers := onGateway(s.objects(c.Name), evidence.GatewayPort)
		passes := func(g evidence.GatewayServer) bool { return g.TLSMode == passthrough }
		if len(servers) > 0 && !slices.ContainsFunc(servers, passes) {
			return fmt.Sprintf("the gateway of cluster %s serves port %d with the TLS mode %q, not %s", c.Name, evidence.GatewayPort, servers[0].TLSMode, passthrough),
				[]string{evidence.FileOfKubernetes(s.epoch, c.Name)}
		}
	}
	return "", nil
}

// controlPlaneOpen is shown by the Gateway objects: without one for these ports the gateway does not listen on them.
func controlPlaneOpen(s sight) (string, []string) {
	for _, c := range s.near() {
		for _, port := range []uint32{15012, 15017} {
			if len(onGateway(s.objects(c.Name), port)) > 0 {
				return fmt.Sprintf("a Gateway object opens the control plane's port %d on the gateway of cluster %s", port, c.Name),
					[]string{evidence.FileOfKubernetes(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

// wrongAddress compares what sleep's Envoy holds for a peer with the addresses of the peer's gateway. Host names are not
// compared: istiod resolves them.
func wrongAddress(s sight) (string, []string) {
	for _, way := range s.ways() {
		addresses := s.objects(way.to.Name).GatewayAddresses()
		if len(addresses) == 0 || slices.ContainsFunc(addresses, func(a string) bool { return net.ParseIP(a) == nil }) {
			continue
		}
		for _, h := range s.held(way.from) {
			for _, e := range h.endpoints {
				files := []string{h.proxy.File(s.epoch, way.from.Name), evidence.FileOfKubernetes(s.epoch, way.to.Name)}
				switch {
				case !way.leads(e) || slices.Contains(addresses, e.Address) && e.Port == evidence.GatewayPort:
				case e.Port == evidence.GatewayPort:
					return fmt.Sprintf("sleep on cluster %s sends what is for cluster %s to %s, but the gateway there has %s",
						way.from.Name, way.to.Name, e.Address, strings.Join(addresses, ", ")), files
				default:
					return fmt.Sprintf("sleep on cluster %s holds the raw address %s of a pod on cluster %s: istiod knows no gateway there, though it has %s",
						way.from.Name, e.Address, way.to.Name, strings.Join(addresses, ", ")), files
				}
			}
		}
	}
	return "", nil
}

// dropped is shown by connections that get no answer of any kind: one that is refused, or for which there is no route,
// was answered.
func dropped(s sight) (string, []string) {
	for _, way := range s.ways() {
		if d, failed := s.dial(way); failed && seen.TimedOut(d.Error) {
			return fmt.Sprintf("packets from cluster %s to the gateway of cluster %s at %s are dropped: %s", way.from.Name, way.to.Name, d.Address, d.Error),
				[]string{evidence.FileOfDials(s.epoch, way.from.Name)}
		}
		t, host, failed := s.failing(way)
		slow := 0
		for _, r := range t.Replies {
			if r.Seconds >= connectTimeout {
				slow++
			}
		}
		if failed > 0 && slow > 0 {
			return fmt.Sprintf("packets from cluster %s to %s are dropped: %d connections failed, and %d calls waited %d s or more for one",
					way.from.Name, host, failed, slow, connectTimeout),
				[]string{evidence.FileOfTraffic(s.epoch, way.from.Name, evidence.Split)}
		}
	}
	return "", nil
}

// connectTimeout is how long a sidecar waits for a connection, in seconds (Istio's default).
const connectTimeout = 10

func gatewayUnreachable(s sight) (string, []string) {
	for _, way := range s.ways() {
		if d, failed := s.dial(way); failed {
			return fmt.Sprintf("the gateway of cluster %s cannot be reached at %s from cluster %s: %s", d.To, d.Address, way.from.Name, d.Error),
				[]string{evidence.FileOfDials(s.epoch, way.from.Name)}
		}
	}
	return "", nil
}
