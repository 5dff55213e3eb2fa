package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	admin "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"istio.io/istio/istioctl/pkg/util/clusters"
)

// ErrNotCollected says that the page which holds the answer is not in the evidence.
var ErrNotCollected = errors.New("the page was not collected")

func absent(page json.RawMessage) bool { return len(page) == 0 || string(page) == "null" }

// Hosts gives the counters of every host in one Envoy cluster, from /clusters, in the order of their addresses. A cluster
// that the Envoy does not have gives none. Envoy leaves out counters whose value is zero; a host without the counter's name
// at all is an error, because nothing was counted then.
func (p Proxy) Hosts(envoyCluster string) ([]Counters, error) {
	fail := func(err error) ([]Counters, error) {
		return nil, fmt.Errorf("read hosts of %s in proxy %s/%s: %w", envoyCluster, p.Namespace, p.Pod, err)
	}
	page, err := once(p.decoded, "clusters", p.Clusters, decodeClusters)
	if err != nil {
		return fail(err)
	}
	var hosts []Counters
	for _, c := range page.GetClusterStatuses() {
		if c.GetName() != envoyCluster {
			continue
		}
		for _, h := range c.GetHostStatuses() {
			counters := Counters{
				Pod: p.Pod, Role: p.Role, Cluster: envoyCluster, Address: addressOf(h.GetAddress()),
				Healthy: healthy(h.GetHealthStatus()), Weight: h.GetWeight(), Priority: h.GetPriority(),
				FailedEDSHealth: failedEDS(h.GetHealthStatus()), Ejected: h.GetHealthStatus().GetFailedOutlierCheck(),
			}
			if err := counters.fill(h); err != nil {
				return fail(err)
			}
			hosts = append(hosts, counters)
		}
	}
	slices.SortFunc(hosts, func(a, b Counters) int { return strings.Compare(a.Address, b.Address) })
	return hosts, nil
}

func decodeClusters(_ string, body json.RawMessage) (*clusters.Wrapper, error) {
	if absent(body) {
		return nil, ErrNotCollected
	}
	page := new(clusters.Wrapper)
	if err := page.UnmarshalJSON(body); err != nil {
		return nil, err
	}
	if len(page.GetClusterStatuses()) == 0 {
		return nil, errors.New("the page lists no cluster, and every Envoy has some")
	}
	return page, nil
}

func (c *Counters) fill(h *admin.HostStatus) error {
	for name, field := range map[string]*int64{
		"rq_total": &c.RqTotal, "rq_success": &c.RqSuccess, "rq_error": &c.RqError,
		"cx_total": &c.CxTotal, "cx_connect_fail": &c.CxConnectFail, "cx_active": &c.CxActive,
	} {
		at := slices.IndexFunc(h.GetStats(), func(s *admin.SimpleMetric) bool { return s.GetName() == name })
		if at < 0 {
			return fmt.Errorf("host %s has no counter %s", c.Address, name)
		}
		*field = int64(h.GetStats()[at].GetValue())
	}
	return nil
}

// healthy is what the text form of the page calls health_flags::healthy: no flag of any kind.
func healthy(s *admin.HostHealthStatus) bool {
	flagged := s.GetFailedActiveHealthCheck() || s.GetFailedOutlierCheck() || s.GetFailedActiveDegradedCheck() ||
		s.GetPendingDynamicRemoval() || s.GetPendingActiveHc() || s.GetExcludedViaImmediateHcFail() || s.GetActiveHcTimeout()
	eds := s.GetEdsHealthStatus()
	return !flagged && (eds == core.HealthStatus_HEALTHY || eds == core.HealthStatus_UNKNOWN)
}

func failedEDS(s *admin.HostHealthStatus) bool {
	eds := s.GetEdsHealthStatus()
	return eds == core.HealthStatus_UNHEALTHY || eds == core.HealthStatus_TIMEOUT
}

// addressOf gives host:port, the path of a pipe, or the name of an internal listener.
func addressOf(a *core.Address) string {
	switch {
	case a.GetSocketAddress() != nil:
		s := a.GetSocketAddress()
		return net.JoinHostPort(s.GetAddress(), strconv.FormatUint(uint64(s.GetPortValue()), 10))
	case a.GetPipe() != nil:
		return a.GetPipe().GetPath()
	default:
		return a.GetEnvoyInternalAddress().GetServerListenerName()
	}
}
