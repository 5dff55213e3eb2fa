package claim

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// The suite's own second service stands in a second namespace on every cluster, and says whom its sidecar saw: the gateways
// are to pass on to every *.local service, and mutual TLS is to hold from end to end.

func secondRules() []rule {
	asked := func(in intent.Intent) string {
		if in.SecondCalls == 0 {
			return "this run had no second service"
		}
		return ""
	}
	replies := calls(evidence.Second, ofSelf)
	return []rule{
		{
			Claim: Claim{ID: "second-endpoints", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: exposeServices,
				Sentence: "A service of another namespace is found across the gateways too: sleep holds its local pod and the peer's gateway, which passes on to it."},
			about: eachDirection, asked: asked, judge: judgeSecondEndpoints,
			reads: []part{objects(ofAll), proxies(evidence.RoleSleep, ofSelf), proxies(evidence.RoleGateway, ofPeers)},
		},
		{
			Claim: Claim{ID: "second-service", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: exposeServices,
				Sentence: "Every call of the service in the second namespace is answered, and every cluster answers some."},
			about: eachDirection, asked: asked, reads: []part{replies}, judge: judgeSecondService,
		},
		{
			Claim: Claim{ID: "traffic-identity", Level: Core, Kind: Once, Area: Identity, Epoch: evidence.Joined, Guide: beforeYouBegin,
				Sentence: "The sidecar that was called has verified the caller's SPIFFE id, its own is in the same trust domain, and so it is on both ways."},
			about: eachDirection, asked: asked, reads: []part{replies}, judge: judgeTrafficIdentity,
		},
	}
}

func judgeSecondEndpoints(v view) result {
	var n notes
	clients := v.cluster(v.self.Name).Proxy(evidence.RoleSleep)
	if len(clients) == 0 {
		n.breaks("cluster %s has no running sleep with a sidecar", v.self.Name)
	}
	for _, p := range clients {
		all, err := p.Endpoints(evidence.SecondOutboundCluster)
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		if len(pick(all, v.self.ID)) == 0 {
			n.breaks("sleep pod %s holds no local pod of %s", p.Pod, evidence.SecondHost)
		}
		for _, peer := range v.peers {
			remote := pick(all, peer.RemoteName, peer.ID)
			addresses, err := gatewayIPs(v, peer)
			if err != nil {
				n.puzzles("%v", err)
				continue
			}
			through := func(e evidence.Endpoint) bool {
				return e.Port == evidence.GatewayPort && slices.Contains(addresses, e.Address)
			}
			if len(remote) == 0 || !slices.ContainsFunc(remote, through) {
				n.breaks("sleep pod %s does not hold the gateway of %s for %s", p.Pod, peer.Name, evidence.SecondHost)
			}
		}
	}
	for _, peer := range v.peers {
		gateways := v.cluster(peer.Name).Proxy(evidence.RoleGateway)
		if len(gateways) == 0 {
			n.breaks(noGateway, peer.Name)
		}
		for _, p := range gateways {
			hosts, err := p.Hosts(evidence.SecondSNICluster)
			if err != nil {
				n.puzzles("%v", err)
				continue
			}
			if !slices.ContainsFunc(hosts, func(h evidence.Counters) bool { return h.Healthy }) {
				n.breaks("gateway pod %s on %s has no healthy pod of %s to pass on to", p.Pod, peer.Name, evidence.SecondHost)
			}
		}
	}
	return n.result("sleep on %s holds %s of every cluster", v.self.Name, evidence.SecondHost)
}

// second is what the second service answers.
type second struct {
	Name   string `json:"name"`
	Client string `json:"client"`
}

// secondReplies gives the answers, with notes on those that are none.
func secondReplies(v view, n *notes) []second {
	t := v.calls(v.self.Name, evidence.Second)
	if why := incomplete(t); why != "" {
		n.puzzles("%s", why)
	}
	var all []second
	for _, r := range t.Replies {
		var s second
		if err := json.Unmarshal([]byte(r.Body), &s); r.Code != ok || err != nil {
			n.breaks("call %d from %s was answered with %d: %.80q", r.Number, v.self.Name, r.Code, r.Body)
			continue
		}
		all = append(all, s)
	}
	if len(t.Replies) < v.run.Intent.SecondCalls {
		n.puzzles("%d of %d calls are known", len(t.Replies), v.run.Intent.SecondCalls)
	}
	return all
}

func judgeSecondService(v view) result {
	var n notes
	count := map[string]int{}
	for _, s := range secondReplies(v, &n) {
		if _, there := v.run.Intent.Cluster(s.Name); !there {
			n.breaks("somebody answered as %q, which is no cluster of this mesh", s.Name)
		}
		count[s.Name]++
	}
	whole := len(v.calls(v.self.Name, evidence.Second).Replies) >= v.run.Intent.SecondCalls
	for _, c := range v.run.Intent.Clusters {
		if count[c.Name] == 0 && whole { // few calls may well have met one cluster alone
			n.breaks("cluster %s answered none of %d calls from %s", c.Name, v.run.Intent.SecondCalls, v.self.Name)
		}
	}
	res := n.result("all %d calls from %s were answered: %s", v.run.Intent.SecondCalls, v.self.Name, say(count))
	res.measured = map[string]any{"asked": v.run.Intent.SecondCalls, "replies": count}
	return res
}

func judgeTrafficIdentity(v view) result {
	var n notes
	trust := "spiffe://" + v.run.Intent.TrustDomain + "/ns/"
	caller, own := trust+v.sample()+"/sa/sleep", trust+evidence.SecondNamespace+"/sa/default"
	by := map[string]int{}
	for _, s := range secondReplies(v, &n) {
		got := verified(s.Client)
		switch {
		case s.Client == "":
			n.breaks("%s was called from %s without a certificate", s.Name, v.self.Name)
		case got["URI"] != caller:
			n.breaks("the sidecar on %s saw %q call, not %q", s.Name, got["URI"], caller)
		case got["By"] != own:
			n.breaks("the sidecar on %s is %q, not %q", s.Name, got["By"], own)
		}
		by[s.Name]++
	}
	for _, peer := range v.peers {
		if by[peer.Name] == 0 {
			n.puzzles("%s answered no call from %s, so nothing is known of how it was called", peer.Name, v.self.Name)
		}
	}
	return n.result("the sidecars saw %s call, on %s", caller, say(by))
}

// verified reads the last element of the header x-forwarded-client-cert: what the called sidecar itself has added (Envoy: HTTP
// header manipulation).
func verified(header string) map[string]string {
	found := map[string]string{}
	last := header[strings.LastIndex(header, ",")+1:]
	for pair := range strings.SplitSeq(last, ";") {
		if key, value, there := strings.Cut(pair, "="); there {
			found[strings.TrimSpace(key)] = strings.Trim(value, `"`)
		}
	}
	return found
}

// secondChance is the probability with which some cluster of equal ones answers none of the second service's calls.
func secondChance(in intent.Intent) float64 {
	if in.SecondCalls == 0 || len(in.Clusters) == 0 {
		return 0
	}
	clusters := float64(len(in.Clusters))
	chance := clusters
	for range in.SecondCalls {
		chance *= 1 - 1/clusters
	}
	return chance * clusters // from each of them
}
