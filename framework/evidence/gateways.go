package evidence

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/intent"
)

// Names that the guide gives (S6).
const (
	// IstioNamespace is that of istiod and of the east-west gateway.
	IstioNamespace = "istio-system"
	// GatewayLabel and GatewayValue select the east-west gateway.
	GatewayLabel = "istio"
	GatewayValue = "eastwestgateway"
)

// GatewayServices are the east-west gateway's services that offer port 15443; none when k is nil.
func (k *Kubernetes) GatewayServices() []Service {
	var found []Service
	if k == nil {
		return nil
	}
	for _, s := range k.Services {
		if s.Namespace == IstioNamespace && s.Labels[GatewayLabel] == GatewayValue && slices.Contains(s.Ports, GatewayPort) {
			found = append(found, s)
		}
	}
	return found
}

// GatewayAddresses are the addresses that the load balancer gave the east-west gateway, sorted, each once: IP addresses or host names.
func (k *Kubernetes) GatewayAddresses() []string {
	var all []string
	for _, s := range k.GatewayServices() {
		all = append(all, s.Addresses...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// GatewayIPs gives the IP addresses, of all families, that proxies of cluster c may hold of a peer's gateway, whose addresses these are, sorted. A host name
// is resolved by c's istiod, and what it came to is on its page networkz (resolveHostname in istio's pilot/pkg/model/network.go). The
// error says that no istiod of c was asked, or that the page cannot be read.
func (c *Cluster) GatewayIPs(peer intent.Cluster, addresses []string) ([]string, error) {
	if !slices.ContainsFunc(addresses, func(a string) bool { return net.ParseIP(a) == nil }) {
		return addresses, nil
	}
	if c == nil || len(c.Istiods) == 0 {
		return nil, fmt.Errorf("no istiod says to which addresses %s resolves", strings.Join(addresses, ", "))
	}
	networks, err := c.Istiods[0].Networks()
	if err != nil {
		return nil, err
	}
	var resolved []string
	for _, n := range networks {
		if n.Network == peer.Network && (n.Cluster == peer.RemoteName || n.Cluster == peer.ID) {
			resolved = append(resolved, n.Addr)
		}
	}
	slices.Sort(resolved)
	return slices.Compact(resolved), nil
}
