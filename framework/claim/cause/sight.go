package cause

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// sample is the namespace of sleep and helloworld.
func (s sight) sample() string { return s.run.Intent.Namespace() }

func (s sight) cluster(name string) *evidence.Cluster { return s.run.Cluster(s.epoch, name) }

func (s sight) objects(name string) *evidence.Kubernetes {
	if c := s.cluster(name); c != nil {
		return c.Kubernetes
	}
	return nil
}

// How collection begins what it says of lists of objects that it could not read.
const readPods, readServices = "read pods in ", "read services in "

// unlisted tells whether collection could not read a list: what it lacks shows nothing then.
func (s sight) unlisted(name, problem string) bool {
	return slices.ContainsFunc(s.cluster(name).Problems, func(p evidence.Problem) bool { return strings.HasPrefix(p.Error, problem) })
}

// istiods are the replicas that were read on a cluster.
func (s sight) istiods(name string) []evidence.Istiod {
	if c := s.cluster(name); c != nil {
		return c.Istiods
	}
	return nil
}

// callers are the clusters whose own view of the others the claim is about: the one that calls, or, for what a cluster was
// asked for, the ones that asked.
func (s sight) callers() []intent.Cluster {
	switch {
	case s.self.Name == "":
		return nil
	case s.claim == "served-by-peer":
		return s.peers
	}
	return []intent.Cluster{s.self}
}

// way leads from one cluster to another.
type way struct{ from, to intent.Cluster }

// leads tells whether an endpoint in the first cluster stands for the second.
func (w way) leads(e evidence.Endpoint) bool {
	return e.ClusterID == w.to.RemoteName || e.ClusterID == w.to.ID
}

// ways are those that the claim is about.
func (s sight) ways() []way {
	var all []way
	for _, c := range s.callers() {
		for _, p := range s.run.Intent.Peers(c.Name) {
			all = append(all, way{from: c, to: p})
		}
	}
	return all
}

// holding is what one Envoy of sleep has for helloworld.
type holding struct {
	proxy     evidence.Proxy
	endpoints []evidence.Endpoint
}

func (s sight) held(c intent.Cluster) []holding {
	var all []holding
	for _, p := range s.cluster(c.Name).Proxy(evidence.RoleSleep) {
		if endpoints, err := p.Endpoints(evidence.OutboundCluster(s.sample())); err == nil { // else the claim itself says so
			all = append(all, holding{proxy: p, endpoints: endpoints})
		}
	}
	return all
}

// dial gives the first connection on a way that failed, and whether there is one. Where another connection with the same
// address got through in the same look, it is not the way that is closed.
func (s sight) dial(w way) (evidence.Dial, bool) {
	c := s.cluster(w.from.Name)
	if c == nil {
		return evidence.Dial{}, false
	}
	at := slices.IndexFunc(c.Dials, func(d evidence.Dial) bool {
		through := func(h evidence.Handshake) bool { return h.Address == d.Address && h.Connected }
		return d.To == w.to.Name && !d.Connected && !slices.ContainsFunc(c.Handshakes, through)
	})
	if at < 0 {
		return evidence.Dial{}, false
	}
	return c.Dials[at], true
}

// failing gives the measured calls from a way's beginning, and to which host of another cluster how many connections
// failed meanwhile. A connection that fails is tried again elsewhere without a word: only counters show it.
func (s sight) failing(w way) (t evidence.Traffic, host string, count int64) {
	t, _ = s.cluster(w.from.Name).TrafficFor(evidence.Split)
	remote := map[string]bool{}
	for _, h := range s.held(w.from) {
		for _, e := range h.endpoints {
			remote[hostPort(e)] = remote[hostPort(e)] || w.leads(e)
		}
	}
	for _, after := range t.After {
		at := slices.IndexFunc(t.Before, func(b evidence.Counters) bool {
			return b.Pod == after.Pod && b.Cluster == after.Cluster && b.Address == after.Address
		})
		if after.Role != evidence.RoleSleep || at < 0 || !remote[after.Address] {
			continue
		}
		if grown := after.CxConnectFail - t.Before[at].CxConnectFail; grown > 0 {
			return t, after.Address, grown
		}
	}
	return t, "", 0
}
