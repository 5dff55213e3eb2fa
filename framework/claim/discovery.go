package claim

import (
	"slices"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

const enableDiscovery = "S8 Enable endpoint discovery"

func discoveryRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "remote-clusters-synced", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Every replica of istiod watches its own cluster and exactly the others, and has synced them all."},
			about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf)}, judge: judgeSynced,
		},
		{
			Claim: Claim{ID: "endpoints-across-gateway", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Sleep's Envoy holds for helloworld exactly the local pods and the peer gateway's addresses on port 15443, healthy and with the weights that follow."},
			sample: true, about: eachDirection, reads: []part{objects(ofAll), proxies(evidence.RoleSleep, ofSelf)}, judge: judgeEndpoints,
		},
		{
			Claim: Claim{ID: "gateway-backend-healthy", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: exposeServices,
				Sentence: "The gateway passes helloworld's traffic on to exactly the healthy pods of its own cluster."},
			sample: true, about: eachCluster, reads: []part{objects(ofSelf), proxies(evidence.RoleGateway, ofSelf)}, judge: judgeBackends,
		},
		{
			Claim: Claim{ID: "lb-policy", Level: Extended, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Sleep's Envoy chooses among helloworld's endpoints by least request, without outlier detection and without weighing localities."},
			sample: true, about: eachDirection, reads: []part{objects(ofSelf), proxies(evidence.RoleSleep, ofSelf)}, judge: judgePolicy,
		},
		{
			Claim: Claim{ID: "remote-secrets", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "The cluster holds one remote secret for each other cluster and no more, each with an address that another cluster could reach."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeSecrets,
		},
		{
			Claim: Claim{ID: "gateways-known", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Every replica of istiod knows each gateway's addresses with port 15443 as the way into its network."},
			about: eachCluster, reads: []part{objects(ofAll), istiods(ofSelf)}, judge: judgeKnown,
		},
		{
			Claim: Claim{ID: "endpoints-shared", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Every replica of istiod holds helloworld's pods of every cluster, on their network and for mutual TLS."},
			sample: true, about: eachCluster, reads: []part{objects(ofAll), istiods(ofSelf)}, judge: judgeShared,
		},
		{
			Claim: Claim{ID: "proxies-synced", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: "S12 and S13 Deploy HelloWorld and Sleep",
				Sentence: "Every proxy is connected to a replica of istiod and has taken all clusters, listeners, routes and endpoints that it was sent."},
			about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf)}, judge: judgeProxiesSynced,
		},
		{
			// Extended: the counters remember what was refused long before the run, and what is in force now others claim.
			Claim: Claim{ID: "configuration-accepted", Level: Extended, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: "S12 and S13 Deploy HelloWorld and Sleep",
				Sentence: "No Envoy has ever refused clusters or listeners that istiod sent it."},
			about: eachCluster, reads: []part{objects(ofSelf), proxies(evidence.RoleSleep, ofSelf), proxies(evidence.RoleHelloworld, ofSelf), proxies(evidence.RoleGateway, ofSelf)},
			judge: judgeAccepted,
		},
		{
			// Extended: a counter of time-outs remembers what was mended long before the run.
			Claim: Claim{ID: "remote-cluster-metrics", Level: Extended, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "Istiod's metrics count each other cluster, and no time-out in reading one."},
			about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf)}, judge: judgeMetrics,
		},
		{
			// Extended: remote secrets may be made for another account.
			Claim: Claim{ID: "reader-access", Level: Extended, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "The account of the remote secrets may list services and endpoints, and may create nothing."},
			about: eachCluster, judge: judgeReader,
			reads: []part{taken("what the reader's account may do", readReader, func(k *evidence.Kubernetes) bool { return k.ReaderMay != nil })},
		},
		{
			// Extended: Istio's default is on, and it has no effect without outlier detection.
			Claim: Claim{ID: "locality-off", Level: Extended, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: beforeYouBegin,
				Sentence: "The mesh does not weigh localities, so that clusters in several regions share the calls."},
			about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf)}, judge: judgeLocality,
		},
	}
}

func judgeSynced(v view) result {
	var n notes
	pods := seen.IstiodPods(v.objects(v.self.Name))
	for _, p := range pods {
		i, there := seen.IstiodOf(v.cluster(v.self.Name), p)
		if !there {
			n.breaks("istiod %s does not run (%s)", p.Name, p.Phase)
			continue
		}
		watched, err := i.RemoteClusters()
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		noteWatched(&n, v, i.Pod, watched)
	}
	if len(pods) == 0 {
		n.breaks("cluster %s has no pod of istiod", v.self.Name)
	}
	return n.result("%d of %d replicas of istiod on %s have synced all %d clusters", len(pods), len(pods), v.self.Name, 1+len(v.peers))
}

// noteWatched compares what a replica watches with what it should: its own cluster, known by no secret, and each peer.
func noteWatched(n *notes, v view, replica string, watched []evidence.RemoteCluster) {
	wanted := []string{v.self.ID}
	for _, p := range v.peers {
		wanted = append(wanted, p.RemoteName)
	}
	for _, id := range wanted {
		if !slices.ContainsFunc(watched, func(c evidence.RemoteCluster) bool { return c.ID == id }) {
			n.breaks("istiod %s does not know cluster %s", replica, id)
		}
	}
	for _, c := range watched {
		switch {
		case !slices.Contains(wanted, c.ID):
			n.breaks("istiod %s also watches a cluster %s (secret %q), which is not of this mesh", replica, c.ID, c.SecretName)
		case (c.ID == v.self.ID) != (c.SecretName == ""):
			n.breaks("istiod %s knows cluster %s by the secret %q", replica, c.ID, c.SecretName)
		case c.SyncStatus != "synced":
			n.breaks("istiod %s has not synced cluster %s: its status is %q", replica, c.ID, c.SyncStatus)
		}
	}
}

func judgeBackends(v view) result {
	var n notes
	pods := withPort(seen.IPs(seen.AppPods(v.objects(v.self.Name), v.sample(), evidence.RoleHelloworld)), seen.AppPort)
	envoys := gatewayProxies(v, func(p evidence.Proxy) {
		hosts, err := p.Hosts(evidence.SNICluster(v.sample()))
		if err != nil {
			n.puzzles("%v", err)
			return
		}
		var have []string
		for _, h := range hosts {
			have = append(have, h.Address)
			if !h.Healthy {
				n.breaks("gateway pod %s takes %s for unhealthy", p.Pod, h.Address)
			}
		}
		noteSame(&n, "pods of helloworld on "+v.self.Name, have, pods)
	})
	if envoys == 0 {
		n.breaks(noGateway, v.self.Name)
	}
	if len(pods) == 0 {
		n.breaks("cluster %s has no pod of helloworld", v.self.Name)
	}
	return n.result("the gateway of %s passes helloworld's traffic on to %s", v.self.Name, list(pods))
}

func judgePolicy(v view) result {
	var n notes
	envoys := 0
	for _, p := range v.cluster(v.self.Name).Proxy(evidence.RoleSleep) {
		envoys++
		policy, err := p.Policy(evidence.OutboundCluster(v.sample()))
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		if policy.LB != "LEAST_REQUEST" {
			n.breaks("sleep pod %s chooses by %s", p.Pod, policy.LB)
		}
		if policy.Outlier {
			n.breaks("sleep pod %s has outlier detection on for helloworld", p.Pod)
		}
		if policy.LocalityWeighted {
			n.breaks("sleep pod %s weighs localities for helloworld", p.Pod)
		}
	}
	if envoys == 0 {
		n.puzzles("cluster %s has no sleep with a sidecar", v.self.Name)
	}
	return n.result("sleep on %s chooses by least request", v.self.Name)
}

func judgeAccepted(v view) result {
	var n notes
	all := v.cluster(v.self.Name).Proxies
	for _, p := range all {
		for _, counter := range []string{evidence.StatClustersRejected, evidence.StatListenersRejected} {
			switch refused, err := p.Stat(counter); {
			case err != nil:
				n.puzzles("%v", err)
			case refused > 0:
				n.breaks("proxy %s/%s refused %d updates (%s): see its log for what istiod sent and why", p.Namespace, p.Pod, refused, counter)
			}
		}
	}
	if len(all) == 0 {
		n.puzzles("no proxy of %s was looked at", v.self.Name)
	}
	return n.result("the %d proxies on %s refused nothing", len(all), v.self.Name)
}
