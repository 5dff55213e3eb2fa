package claim

import (
	"slices"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

const cleanUp = "S15 Clean up"

func lifecycleRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "sample-removed", Level: Core, Kind: Converges, Area: Lifecycle, Epoch: evidence.Removed, Guide: cleanUp,
				Sentence: "The sample's namespace is gone from every cluster."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeRemoved,
		},
		{
			Claim: Claim{ID: "endpoints-withdrawn", Level: Core, Kind: Converges, Area: Lifecycle, Epoch: evidence.Removed, Guide: cleanUp,
				Sentence: "Neither istiod nor the gateway's Envoy holds an endpoint of the removed helloworld, of any cluster."},
			about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf), proxies(evidence.RoleGateway, ofSelf)}, judge: judgeWithdrawn,
		},
	}
}

func judgeRemoved(v view) result {
	var n notes
	namespaces := v.objects(v.self.Name).Namespaces
	if len(namespaces) == 0 {
		n.puzzles("%s shows no namespace at all", evidence.FileOfKubernetes(v.epoch, v.self.Name))
	}
	if at := slices.IndexFunc(namespaces, func(o evidence.Object) bool { return o.Name == v.sample() }); at >= 0 {
		state := "is still there"
		if namespaces[at].Terminating {
			state = "is still being deleted"
		}
		n.breaks("namespace %s on %s %s", v.sample(), v.self.Name, state)
	}
	return n.result("namespace %s is gone from %s", v.sample(), v.self.Name)
}

// judgeWithdrawn looks at the gateways, because no other Envoy is left, and at istiod's own list. Networkz is not read: it
// keeps entries of what is gone.
func judgeWithdrawn(v view) result {
	var n notes
	sni := evidence.SNICluster(v.sample())
	envoys := gatewayProxies(v, func(p evidence.Proxy) {
		hosts, err := p.Hosts(sni)
		if err != nil {
			n.puzzles("%v", err)
		}
		for _, h := range hosts {
			n.breaks("gateway pod %s still passes traffic of helloworld on to %s", p.Pod, h.Address)
		}
		endpoints, err := p.Endpoints(sni)
		if err != nil {
			n.puzzles("%v", err)
		}
		for _, e := range endpoints {
			n.breaks("gateway pod %s still has the endpoint %s of helloworld", p.Pod, hostPort(e))
		}
	})
	if envoys == 0 {
		n.puzzles(noGateway, v.self.Name)
	}
	replicas := 0
	for _, p := range seen.IstiodPods(v.objects(v.self.Name)) {
		i, there := seen.IstiodOf(v.cluster(v.self.Name), p)
		if !there {
			continue
		}
		replicas++
		shards, err := i.Shards(evidence.HelloworldHost(v.sample()))
		if err != nil {
			n.puzzles("%v", err)
		}
		for _, s := range shards {
			n.breaks("istiod %s still has the endpoint %s of helloworld in cluster %s", i.Pod, s.Address, s.Cluster)
		}
	}
	if replicas == 0 {
		n.puzzles("no istiod of %s was read", v.self.Name)
	}
	return n.result("the gateway and %d replicas of istiod on %s hold no endpoint of helloworld", replicas, v.self.Name)
}
