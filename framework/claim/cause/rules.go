package cause

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// matches tells whether a host in one of Istio's objects, in its namespace, means helloworld.
func (s sight) matches(host, namespace string) bool {
	full := evidence.HelloworldHost(s.sample())
	switch {
	case host == full, host == "*":
		return true
	case strings.HasPrefix(host, "*."):
		return strings.HasSuffix(full, host[1:])
	case !strings.Contains(host, "."):
		return host == evidence.RoleHelloworld && namespace == s.sample()
	}
	return strings.HasPrefix(full, host+".")
}

// routed gives the targets to which an Envoy of sleep sends helloworld's requests, when they are others than the whole
// service. A virtual service that names no port is written into the routes of every other HTTP port too, with targets on a
// port that helloworld does not have; no request comes there.
func (s sight) routed(p evidence.Proxy) []evidence.Target {
	whole := evidence.OutboundCluster(s.sample())
	targets, err := p.Targets(evidence.HelloworldHost(s.sample()))
	targets = slices.DeleteFunc(targets, func(t evidence.Target) bool {
		return strings.HasSuffix(t.Cluster, "|"+evidence.HelloworldHost(s.sample())) && portOf(t.Cluster) != portOf(whole)
	})
	if err != nil || !slices.ContainsFunc(targets, func(t evidence.Target) bool { return t.Cluster != whole }) {
		return nil
	}
	return targets
}

// portOf gives the port in the name of an Envoy cluster of the form outbound|PORT|SUBSET|HOST; "" for other forms.
func portOf(envoyCluster string) string {
	parts := strings.Split(envoyCluster, "|")
	if len(parts) != 4 {
		return ""
	}
	return parts[1]
}

// virtualService is shown by sleep's own routes, which are what is in force; the objects only give a name to it. A fault
// that it injects is shown by the body that Envoy gives then.
func virtualService(s sight) (string, []string) {
	for _, c := range s.callers() {
		for _, p := range s.cluster(c.Name).Proxy(evidence.RoleSleep) {
			targets := s.routed(p)
			if len(targets) == 0 {
				continue
			}
			var all []string
			for _, t := range targets {
				one := t.Cluster
				if t.Weight > 0 {
					one = fmt.Sprintf("%d to %s", t.Weight, t.Cluster)
				}
				all = append(all, one)
			}
			names, files := s.virtualServices(c)
			return fmt.Sprintf("sleep on cluster %s sends helloworld's requests by a rule of their own: %s (virtual services: %s)", c.Name, strings.Join(all, ", "), names),
				with(files, p.File(s.epoch, c.Name))
		}
	}
	return s.aborted()
}

// abortBody is what Envoy's fault filter answers with (envoy, source/extensions/filters/http/fault/fault_filter.cc).
const abortBody = "fault filter abort"

func (s sight) aborted() (string, []string) {
	for _, c := range s.callers() {
		for _, purpose := range []string{evidence.Split, evidence.GuideCalls} {
			t, _ := s.cluster(c.Name).TrafficFor(purpose)
			count := 0
			for _, r := range t.Replies {
				if strings.HasPrefix(r.Body, abortBody) {
					count++
				}
			}
			if count > 0 {
				names, files := s.virtualServices(c)
				return fmt.Sprintf("%d of %d calls from cluster %s were ended by an injected fault, with the body %q (virtual services: %s)", count, t.Asked, c.Name, abortBody, names),
					with(files, evidence.FileOfTraffic(s.epoch, c.Name, purpose))
			}
		}
	}
	return "", nil
}

func (s sight) virtualServices(c intent.Cluster) (names string, files []string) {
	var all []string
	if k := s.objects(c.Name); k != nil {
		for _, v := range k.VirtualServices {
			if slices.ContainsFunc(v.Hosts, func(h string) bool { return s.matches(h, v.Namespace) }) {
				all = append(all, v.Namespace+"/"+v.Name)
			}
		}
	}
	if len(all) == 0 {
		return "none was seen", nil
	}
	return strings.Join(all, ", "), []string{evidence.FileOfKubernetes(s.epoch, c.Name)}
}

// subsetOnOneSide is shown by a subset to which sleep sends, and for which the other gateway has no filter chain: the
// other cluster lacks the DestinationRule that defines it.
func subsetOnOneSide(s sight) (string, []string) {
	for _, w := range s.ways() {
		for _, p := range s.cluster(w.from.Name).Proxy(evidence.RoleSleep) {
			for _, t := range s.routed(p) {
				subset := evidence.SubsetOf(t.Cluster)
				if subset == "" {
					continue
				}
				chain := strings.ReplaceAll(strings.Replace(t.Cluster, "outbound|", "outbound_.", 1), "|", "_.")
				for _, gateway := range s.cluster(w.to.Name).Proxy(evidence.RoleGateway) {
					if names, err := gateway.SNIs(evidence.GatewayPort); err == nil && len(names) > 0 && !slices.Contains(names, chain) {
						return fmt.Sprintf("sleep on cluster %s sends to the subset %q of helloworld, which cluster %s does not define: its gateway has no filter chain for %s",
							w.from.Name, subset, w.to.Name, chain), []string{p.File(s.epoch, w.from.Name), gateway.File(s.epoch, w.to.Name)}
					}
				}
			}
		}
	}
	return "", nil
}

// destinationRule is shown by a rule for helloworld together with what it makes of sleep's Envoy: a rule alone may have
// no effect, as one with outlier detection only.
func destinationRule(s sight) (string, []string) {
	for _, c := range s.callers() {
		k := s.objects(c.Name)
		if k == nil {
			continue
		}
		for _, d := range k.DestinationRules {
			if !s.matches(d.Host, d.Namespace) {
				continue
			}
			for _, p := range s.cluster(c.Name).Proxy(evidence.RoleSleep) {
				if effect := s.effect(d, p); effect != "" {
					return fmt.Sprintf("the destination rule %s/%s on cluster %s %s", d.Namespace, d.Name, c.Name, effect),
						[]string{evidence.FileOfKubernetes(s.epoch, c.Name), p.File(s.epoch, c.Name)}
				}
			}
		}
	}
	return "", nil
}

// effect says what a rule changes in an Envoy that can have broken the claim, or "". How an endpoint is chosen matters to
// calls only where the choice is not one among equals.
func (s sight) effect(d evidence.DestinationRule, p evidence.Proxy) string {
	policy, err := p.Policy(evidence.OutboundCluster(s.sample()))
	if err != nil && !errors.Is(err, evidence.ErrNoCluster) {
		return ""
	}
	hashes := slices.Contains([]string{"RING_HASH", "MAGLEV"}, policy.LB) || strings.Contains(policy.LB, "hash") || strings.Contains(policy.LB, "maglev")
	switch {
	case d.TLSMode != "" && d.TLSMode != "ISTIO_MUTUAL":
		return "sets the TLS mode " + d.TLSMode + ", with which no gateway passes a connection on"
	case policy.LocalityWeighted && (d.Locality || d.Outlier):
		return "makes sleep weigh localities"
	case hashes:
		return "makes sleep choose endpoints by " + policy.LB
	case s.claim == "lb-policy" && d.LB != "" && policy.LB != "LEAST_REQUEST":
		return "makes sleep choose endpoints by " + policy.LB
	case s.claim == "lb-policy" && d.Outlier && policy.Outlier:
		return "turns outlier detection on"
	}
	return ""
}
