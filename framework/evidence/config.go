package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"istio.io/istio/istioctl/pkg/util/configdump"
)

// ErrNoCluster says that the Envoy has no cluster of the name that was asked for.
var ErrNoCluster = errors.New("the proxy has no such cluster")

// Endpoint is one endpoint that istiod gave to an Envoy (EDS).
type Endpoint struct {
	// Address is an IP address, or a name for endpoints that are none.
	Address string
	Port    uint32
	// Health is Envoy's word: HEALTHY, UNHEALTHY, DRAINING, ...
	Health string
	// Weight is the endpoint's load-balancing weight; Envoy takes 1 where none is given.
	Weight uint32
	// Priority is that of the endpoint's locality: 0 is used first.
	Priority uint32
	// ClusterID is the cluster that istiod knows the endpoint from: the last field of the metadata istio.workload.
	ClusterID string
}

// Policy is how an Envoy cluster chooses among its endpoints and what it asks of them (CDS).
type Policy struct {
	// LB is Envoy's name of the policy: LEAST_REQUEST, ROUND_ROBIN, ...; or the name of a policy extension.
	LB string
	// Outlier tells that outlier detection is on, LocalityWeighted that localities are weighed.
	Outlier, LocalityWeighted bool
	// SNI, ALPN and SANs are those of connections to endpoints with a sidecar (transport socket match tlsMode-istio).
	SNI        string
	ALPN, SANs []string
}

// section decodes one section of the config dump, by the name of its type: "EndpointsConfigDump". The others are not
// decoded: a dump of a large mesh is megabytes.
func (p Proxy) section(kind string) (*configdump.Wrapper, error) {
	w, err := once(p.decoded, kind, p.ConfigDump, decodeSection)
	if err != nil {
		return nil, fmt.Errorf("read %s of proxy %s/%s: %w", kind, p.Namespace, p.Pod, err)
	}
	return w, nil
}

func decodeSection(kind string, dump json.RawMessage) (*configdump.Wrapper, error) {
	if absent(dump) {
		return nil, ErrNotCollected
	}
	sections, err := Sections(dump)
	if err != nil {
		return nil, err
	}
	raw, ok := sections[kind]
	if !ok {
		return nil, errors.New("the config dump has no such section")
	}
	w := new(configdump.Wrapper)
	return w, w.UnmarshalJSON(slices.Concat([]byte(`{"configs":[`), raw, []byte(`]}`)))
}

// Sections splits a config dump by the names of its sections' types, without decoding them.
func Sections(dump json.RawMessage) (map[string]json.RawMessage, error) {
	var page struct {
		Configs []json.RawMessage `json:"configs"`
	}
	if err := json.Unmarshal(dump, &page); err != nil {
		return nil, err
	}
	sections := map[string]json.RawMessage{}
	for _, raw := range page.Configs {
		var kind struct {
			Type string `json:"@type"`
		}
		if err := json.Unmarshal(raw, &kind); err != nil {
			return nil, err
		}
		sections[kind.Type[strings.LastIndex(kind.Type, ".")+1:]] = raw
	}
	return sections, nil
}

// Endpoints gives the endpoints of one Envoy cluster, in the order of their addresses. A cluster without endpoints, or
// that the Envoy does not have, gives none.
func (p Proxy) Endpoints(envoyCluster string) ([]Endpoint, error) {
	w, err := p.section("EndpointsConfigDump")
	if err != nil {
		return nil, err
	}
	dump, err := w.GetEndpointsConfigDump()
	if err != nil {
		return nil, fmt.Errorf("read endpoints of proxy %s/%s: %w", p.Namespace, p.Pod, err)
	}
	var found []Endpoint
	for _, d := range dump.GetDynamicEndpointConfigs() {
		var load endpoint.ClusterLoadAssignment
		if err := d.GetEndpointConfig().UnmarshalTo(&load); err != nil {
			return nil, fmt.Errorf("read endpoints of proxy %s/%s: %w", p.Namespace, p.Pod, err)
		}
		if load.GetClusterName() != envoyCluster {
			continue
		}
		for _, locality := range load.GetEndpoints() {
			for _, e := range locality.GetLbEndpoints() {
				found = append(found, endpointOf(e, locality.GetPriority()))
			}
		}
	}
	slices.SortFunc(found, func(a, b Endpoint) int {
		return strings.Compare(fmt.Sprintf("%s %05d", a.Address, a.Port), fmt.Sprintf("%s %05d", b.Address, b.Port))
	})
	return found, nil
}

func endpointOf(e *endpoint.LbEndpoint, priority uint32) Endpoint {
	address := e.GetEndpoint().GetAddress()
	found := Endpoint{Address: addressOf(address), Health: e.GetHealthStatus().String(), Weight: 1, Priority: priority}
	if s := address.GetSocketAddress(); s != nil {
		found.Address, found.Port = s.GetAddress(), s.GetPortValue()
	}
	if w := e.GetLoadBalancingWeight(); w != nil {
		found.Weight = w.GetValue()
	}
	workload := e.GetMetadata().GetFilterMetadata()["istio"].GetFields()["workload"].GetStringValue()
	found.ClusterID = workload[strings.LastIndex(workload, ";")+1:]
	return found
}

// Policy gives the policy of one Envoy cluster; the error wraps ErrNoCluster when the Envoy does not have it.
func (p Proxy) Policy(envoyCluster string) (Policy, error) {
	w, err := p.section("ClustersConfigDump")
	if err != nil {
		return Policy{}, err
	}
	fail := func(err error) (Policy, error) {
		return Policy{}, fmt.Errorf("read policy of %s in proxy %s/%s: %w", envoyCluster, p.Namespace, p.Pod, err)
	}
	dump, err := w.GetClusterConfigDump()
	if err != nil {
		return fail(err)
	}
	for _, d := range dump.GetDynamicActiveClusters() {
		var c cluster.Cluster
		if err := d.GetCluster().UnmarshalTo(&c); err != nil {
			return fail(err)
		}
		if c.GetName() != envoyCluster {
			continue
		}
		policy := Policy{
			LB: c.GetLbPolicy().String(), Outlier: c.GetOutlierDetection() != nil,
			LocalityWeighted: c.GetCommonLbConfig().GetLocalityWeightedLbConfig() != nil,
		}
		if extensions := c.GetLoadBalancingPolicy().GetPolicies(); len(extensions) > 0 {
			policy.LB = extensions[0].GetTypedExtensionConfig().GetName()
		}
		if err := policy.fillTLS(&c); err != nil {
			return fail(err)
		}
		return policy, nil
	}
	return fail(ErrNoCluster)
}

func (p *Policy) fillTLS(c *cluster.Cluster) error {
	for _, match := range c.GetTransportSocketMatches() {
		if match.GetName() != "tlsMode-istio" {
			continue
		}
		var upstream tls.UpstreamTlsContext
		if err := match.GetTransportSocket().GetTypedConfig().UnmarshalTo(&upstream); err != nil {
			return err
		}
		common := upstream.GetCommonTlsContext()
		p.SNI, p.ALPN = upstream.GetSni(), common.GetAlpnProtocols()
		validation := common.GetCombinedValidationContext().GetDefaultValidationContext()
		//nolint:staticcheck // Istio still fills the older field.
		for _, san := range validation.GetMatchSubjectAltNames() {
			p.SANs = append(p.SANs, san.GetExact())
		}
		for _, san := range validation.GetMatchTypedSubjectAltNames() {
			p.SANs = append(p.SANs, san.GetMatcher().GetExact())
		}
	}
	return nil
}
