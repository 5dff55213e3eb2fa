package collect

import (
	"context"
	"errors"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

// Counters reads the per-host counters that measured calls move: in sleep those of helloworld's endpoints, in helloworld
// those of its own application, in the gateway those of the pods that it passes helloworld's traffic to. Any Envoy of
// these that cannot be read is an error: a sum over a part would be wrong.
func Counters(ctx context.Context, c *cluster.Cluster, o Options) ([]evidence.Counters, error) {
	s, err := from(c, o)
	if err != nil {
		return nil, err
	}
	return s.counters(ctx, o.withDefaults())
}

func (s source) counters(ctx context.Context, o Options) ([]evidence.Counters, error) {
	proxies, err := s.proxies(ctx, o, onlyCounters, allRoles()...)
	if err != nil {
		return nil, err
	}
	clusterOf := map[string]string{
		evidence.RoleSleep:      evidence.OutboundCluster(o.Intent.Namespace()),
		evidence.RoleHelloworld: evidence.InboundCluster,
		evidence.RoleGateway:    evidence.SNICluster(o.Intent.Namespace()),
	}
	var all []evidence.Counters
	var errs []error
	for _, p := range proxies {
		hosts, err := p.Hosts(clusterOf[p.Role])
		all, errs = append(all, hosts...), append(errs, err)
	}
	return all, errors.Join(errs...)
}
