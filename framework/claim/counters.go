package claim

import (
	"fmt"
	"slices"

	"github.com/meshproof/meshproof/framework/evidence"
)

// growth is what the counters of one host in one Envoy grew by around the measured calls.
type growth struct {
	pod, host               string
	requests, errors, fails int64
}

// grown gives the growth of every host of one Envoy cluster, or says why there is none to speak of: counters are only
// comparable while an Envoy has the same hosts, and a counter that fell was rebuilt. Hosts of an original-destination
// cluster (inbound) come with their first connection, with counters that start at zero: newHosts allows that.
func grown(before, after []evidence.Counters, newHosts bool) ([]growth, string) {
	var all []growth
	before, after = byAddress(before), byAddress(after)
	for _, a := range after {
		at := slices.IndexFunc(before, func(b evidence.Counters) bool { return b.Pod == a.Pod && b.Address == a.Address })
		b := evidence.Counters{}
		switch {
		case at >= 0:
			b = before[at]
		case !newHosts:
			return nil, fmt.Sprintf("host %s appeared in pod %s during the calls", a.Address, a.Pod)
		}
		g := growth{pod: a.Pod, host: a.Address, requests: a.RqTotal - b.RqTotal, errors: a.RqError - b.RqError, fails: a.CxConnectFail - b.CxConnectFail}
		if g.requests < 0 || g.errors < 0 || g.fails < 0 {
			return nil, fmt.Sprintf("the counters of host %s in pod %s fell during the calls: they were rebuilt", a.Address, a.Pod)
		}
		all = append(all, g)
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a evidence.Counters) bool { return b.Pod == a.Pod && b.Address == a.Address }) {
			return nil, fmt.Sprintf("host %s left pod %s during the calls", b.Address, b.Pod)
		}
	}
	return all, ""
}

// byAddress adds up the hosts that one Envoy lists for one address. An original-destination cluster can have several:
// each worker thread makes the host that its first connection needs, and two that do so at the same moment make two
// (envoy source/extensions/clusters/original_dst/original_dst_cluster.cc; seen on a real mesh: 13 and 1 requests).
func byAddress(all []evidence.Counters) []evidence.Counters {
	var sums []evidence.Counters
	for _, c := range all {
		at := slices.IndexFunc(sums, func(s evidence.Counters) bool { return s.Pod == c.Pod && s.Address == c.Address })
		if at < 0 {
			sums = append(sums, c)
			continue
		}
		sums[at].RqTotal += c.RqTotal
		sums[at].RqError += c.RqError
		sums[at].CxConnectFail += c.CxConnectFail
	}
	return sums
}

// countersOf picks the counters of one Envoy cluster; pod "" means every pod.
func countersOf(all []evidence.Counters, role, envoyCluster, pod string) []evidence.Counters {
	var found []evidence.Counters
	for _, c := range all {
		if c.Role == role && c.Cluster == envoyCluster && (pod == "" || c.Pod == pod) {
			found = append(found, c)
		}
	}
	return found
}

// owners tells for each endpoint (host:port) of the Envoy that called which cluster's version answers there, by the
// cluster that istiod knows it from.
func owners(v view, pod string) (map[string]string, error) {
	at := slices.IndexFunc(v.cluster(v.self.Name).Proxies, func(p evidence.Proxy) bool { return p.Pod == pod && p.Role == evidence.RoleSleep })
	if at < 0 {
		return nil, fmt.Errorf("the Envoy of pod %q, which called, is not in the evidence", pod)
	}
	endpoints, err := v.cluster(v.self.Name).Proxies[at].Endpoints(evidence.OutboundCluster(v.sample()))
	if err != nil {
		return nil, err
	}
	version := map[string]string{v.self.ID: v.self.Version}
	for _, p := range v.peers {
		version[p.RemoteName], version[p.ID] = p.Version, p.Version
	}
	owner := map[string]string{}
	for _, e := range endpoints {
		of := version[e.ClusterID]
		if taken, twice := owner[hostPort(e)]; twice && taken != of {
			return nil, fmt.Errorf("endpoint %s stands for pods of two clusters, which cannot be told apart", hostPort(e))
		}
		owner[hostPort(e)] = of
	}
	return owner, nil
}

func judgeAccounted(v view) result {
	var n notes
	t := v.calls(v.self.Name, evidence.Split)
	noteAsked(&n, v, t)
	owner, err := owners(v, t.Pod)
	if err != nil {
		n.puzzles("%v", err)
		return n.result("")
	}
	name := evidence.OutboundCluster(v.sample())
	before := countersOf(t.Before, evidence.RoleSleep, name, t.Pod)
	after := countersOf(t.After, evidence.RoleSleep, name, t.Pod)
	hosts, changed := grown(before, after, false)
	switch {
	case len(before) == 0 || len(after) == 0:
		return result{verdict: Inconclusive, reason: fmt.Sprintf("the counters of %s in pod %s were not read before and after the calls", name, t.Pod)}
	case changed != "":
		return result{verdict: Inconclusive, reason: changed}
	}
	total := noteHosts(&n, hosts, owner, versions(t.Replies))
	if total != int64(t.Asked) && len(n.unclear) == 0 {
		n.breaks("sleep's Envoy counted %d requests to helloworld's endpoints for %d calls", total, t.Asked)
	}
	res := n.result("sleep's Envoy counted %d requests for %d calls, each endpoint as many as its version replied, and no failed attempt", total, t.Asked)
	res.measured = map[string]any{"requests": total, "asked": t.Asked}
	return res
}

// noteHosts compares each version's growth with its replies, and gives the sum of requests. When the calls ended early,
// the last ones may have been counted and not replied to; noteAsked has said so by then.
func noteHosts(n *notes, hosts []growth, owner map[string]string, replies map[string]int) (total int64) {
	byVersion := map[string]int64{}
	var known []string
	for _, g := range hosts {
		total += g.requests
		if g.errors > 0 || g.fails > 0 {
			n.breaks("%d connections to %s failed and %d requests ended in an error", g.fails, g.host, g.errors)
		}
		version, there := owner[g.host]
		if !there {
			n.puzzles("host %s is no endpoint of the Envoy's configuration", g.host)
			continue
		}
		if _, again := byVersion[version]; !again {
			known = append(known, version)
		}
		byVersion[version] += g.requests
	}
	for version := range replies {
		if _, there := byVersion[version]; !there {
			known = append(known, version)
		}
	}
	for _, version := range sorted(known) {
		if got, want := byVersion[version], int64(replies[version]); got != want && len(n.unclear) == 0 {
			n.breaks("the endpoints of %s were sent %d requests, but %s replied %d times", version, got, version, want)
		}
	}
	return total
}

// served gives how many requests helloworld's sidecars of a cluster handed to their application during the measured calls.
func served(t evidence.Traffic) (int64, string) {
	after := countersOf(t.After, evidence.RoleHelloworld, evidence.InboundCluster, "")
	if len(after) == 0 {
		return 0, fmt.Sprintf("the counters of %s in helloworld's sidecar on %s were not read after the calls", evidence.InboundCluster, t.From)
	}
	hosts, changed := grown(countersOf(t.Before, evidence.RoleHelloworld, evidence.InboundCluster, ""), after, true)
	var total int64
	for _, g := range hosts {
		total += g.requests
	}
	return total, changed
}

func judgeServed(v view) result {
	var n notes
	replied, asked := 0, 0
	for _, c := range v.everyone() {
		t := v.calls(c.Name, evidence.Split)
		noteAsked(&n, v, t)
		replied += versions(t.Replies)[v.self.Version]
		asked += t.Asked
	}
	got, unclear := served(v.calls(v.self.Name, evidence.Split))
	switch {
	case unclear != "":
		n.puzzles("%s", unclear)
	case len(n.unclear) == 0 && got != int64(replied):
		n.breaks("the sidecar of helloworld on %s served %d requests, but %s replied %d times", v.self.Name, got, v.self.Version, replied)
	case len(n.unclear) == 0 && replied == 0:
		n.breaks("helloworld on %s answered none of %d calls", v.self.Name, asked)
	}
	res := n.result("the sidecar of helloworld on %s served %d requests, as many as %s replied", v.self.Name, got, v.self.Version)
	res.measured = map[string]any{"served": got, "replies": replied}
	return res
}
