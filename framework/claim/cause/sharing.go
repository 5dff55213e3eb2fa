package cause

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func hostPort(e evidence.Endpoint) string {
	return net.JoinHostPort(e.Address, strconv.FormatUint(uint64(e.Port), 10))
}

// denied is shown by the body that Envoy's RBAC filter gives.
func denied(s sight) (string, []string) {
	for _, c := range s.callers() {
		for _, purpose := range []string{evidence.Split, evidence.GuideCalls} {
			t, _ := s.cluster(c.Name).TrafficFor(purpose)
			refused := 0
			for _, r := range t.Replies {
				if strings.HasPrefix(r.Body, "RBAC: access denied") {
					refused++
				}
			}
			if refused == 0 {
				continue
			}
			names, files := s.policies()
			return fmt.Sprintf("%d of %d calls from cluster %s were refused with \"RBAC: access denied\" (authorization policies: %s)", refused, t.Asked, c.Name, names),
				with(files, evidence.FileOfTraffic(s.epoch, c.Name, purpose))
		}
	}
	return "", nil
}

// policies names the authorization policies that can stand in the way, with the files that hold them.
func (s sight) policies() (names string, files []string) {
	var all []string
	for _, c := range s.all() {
		k := s.objects(c.Name)
		if k == nil || len(k.AuthorizationPolicies) == 0 {
			continue
		}
		for _, p := range k.AuthorizationPolicies {
			all = append(all, fmt.Sprintf("%s/%s on %s", p.Namespace, p.Name, c.Name))
		}
		files = append(files, evidence.FileOfKubernetes(s.epoch, c.Name))
	}
	if len(all) == 0 {
		return "none was seen", nil
	}
	return strings.Join(all, ", "), files
}

// ejected is shown by Envoy's own flag of a host, before or after the calls.
func ejected(s sight) (string, []string) {
	out := evidence.OutboundCluster(s.sample())
	say := func(c intent.Cluster, h evidence.Counters, file string) (string, []string) {
		return fmt.Sprintf("outlier detection in sleep on cluster %s has taken %s out", c.Name, h.Address), []string{file}
	}
	for _, c := range s.callers() {
		for _, p := range s.cluster(c.Name).Proxy(evidence.RoleSleep) {
			hosts, _ := p.Hosts(out) // what cannot be read shows nothing
			for _, h := range hosts {
				if h.Ejected {
					return say(c, h, p.File(s.epoch, c.Name))
				}
			}
		}
		t, _ := s.cluster(c.Name).TrafficFor(evidence.Split)
		for _, h := range slices.Concat(t.Before, t.After) {
			if h.Ejected && h.Cluster == out {
				return say(c, h, evidence.FileOfTraffic(s.epoch, c.Name, evidence.Split))
			}
		}
	}
	return "", nil
}

// unhealthy is shown by what istiod tells the callers, and by what the gateway knows of the pods behind it: the callers
// are told of a healthy gateway as soon as a pod is there, ready or not.
func unhealthy(s sight) (string, []string) {
	for _, c := range s.callers() {
		for _, h := range s.held(c) {
			for _, e := range h.endpoints {
				if e.Health != "HEALTHY" {
					return fmt.Sprintf("sleep on cluster %s is told that %s is %s", c.Name, hostPort(e), e.Health), []string{h.proxy.File(s.epoch, c.Name)}
				}
			}
		}
	}
	for _, c := range s.far() {
		for _, p := range s.cluster(c.Name).Proxy(evidence.RoleGateway) {
			hosts, _ := p.Hosts(evidence.SNICluster(s.sample()))
			for _, h := range hosts {
				if !h.Healthy {
					return fmt.Sprintf("the gateway of cluster %s takes helloworld's pod %s behind it for unhealthy", c.Name, h.Address), []string{p.File(s.epoch, c.Name)}
				}
			}
		}
	}
	return "", nil
}

// failover is shown by the priorities: Envoy uses a lower one only when those above it are not healthy enough.
func failover(s sight) (string, []string) {
	for _, c := range s.callers() {
		for _, h := range s.held(c) {
			for _, e := range h.endpoints {
				if e.Priority > 0 {
					return fmt.Sprintf("in sleep on cluster %s, %s has priority %d: it is kept for failover and takes no share", c.Name, hostPort(e), e.Priority),
						[]string{h.proxy.File(s.epoch, c.Name)}
				}
			}
		}
	}
	return "", nil
}

// stale is shown by an endpoint or a host whose address no pod has. Pods that could not be read show nothing.
func stale(s sight) (string, []string) {
	nobodys := func(c intent.Cluster, address string) bool {
		k := s.objects(c.Name)
		return k != nil && !s.unlisted(c.Name, readPods) && !slices.Contains(seen.IPs(seen.AppPods(k, s.sample(), evidence.RoleHelloworld)), address)
	}
	for _, c := range s.callers() {
		for _, h := range s.held(c) {
			for _, e := range h.endpoints {
				if e.ClusterID == c.ID && e.Port == seen.AppPort && nobodys(c, e.Address) {
					return fmt.Sprintf("sleep on cluster %s holds %s for helloworld, an address that no pod of it has", c.Name, hostPort(e)),
						[]string{h.proxy.File(s.epoch, c.Name), evidence.FileOfKubernetes(s.epoch, c.Name)}
				}
			}
		}
	}
	for _, c := range s.far() {
		for _, p := range s.cluster(c.Name).Proxy(evidence.RoleGateway) {
			hosts, _ := p.Hosts(evidence.SNICluster(s.sample()))
			for _, h := range hosts {
				if host, _, err := net.SplitHostPort(h.Address); err == nil && nobodys(c, host) {
					return fmt.Sprintf("the gateway of cluster %s passes helloworld's traffic on to %s, an address that no pod of it has", c.Name, h.Address),
						[]string{p.File(s.epoch, c.Name), evidence.FileOfKubernetes(s.epoch, c.Name)}
				}
			}
		}
	}
	return "", nil
}

// connectionsFailing is shown by the callers' counters.
func connectionsFailing(s sight) (string, []string) {
	for _, w := range s.ways() {
		if _, host, failed := s.failing(w); failed > 0 {
			return fmt.Sprintf("%d connections from sleep on cluster %s to %s failed during the calls", failed, w.from.Name, host),
				[]string{evidence.FileOfTraffic(s.epoch, w.from.Name, evidence.Split)}
		}
	}
	return "", nil
}
