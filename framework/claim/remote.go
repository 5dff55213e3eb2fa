package claim

import (
	"net"
	"slices"
	"strconv"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// replicas calls look for each live replica of istiod on self that was read, and notes when there is none.
func replicas(v view, n *notes, look func(evidence.Istiod)) (count int) {
	for _, p := range seen.IstiodPods(v.objects(v.self.Name)) {
		if i, there := seen.IstiodOf(v.cluster(v.self.Name), p); there {
			count++
			look(i)
		}
	}
	if count == 0 {
		n.breaks("cluster %s has no running istiod", v.self.Name)
	}
	return count
}

// judgeSecrets does not compare a secret's server with the peer's: one API server may have several addresses. Only what
// can be reached from no other cluster is wrong by itself; the others show in remote-clusters-synced.
func judgeSecrets(v view) result {
	var n notes
	k := v.objects(v.self.Name)
	var strangers []string
	for _, s := range k.RemoteSecrets {
		if !slices.ContainsFunc(v.peers, func(p intent.Cluster) bool { return seen.SecretOf(s, p.RemoteName) }) {
			strangers = append(strangers, s.Name)
		}
	}
	if len(strangers) > 0 {
		n.breaks("cluster %s also holds %s, for no cluster of this mesh", v.self.Name, list(sorted(strangers)))
	}
	for _, p := range v.peers {
		count := 0
		for _, s := range k.RemoteSecrets {
			if seen.SecretOf(s, p.RemoteName) {
				count++
			}
		}
		if count != 1 {
			n.breaks("cluster %s holds %d remote secrets for %s (%s), not 1", v.self.Name, count, p.Name, p.RemoteName)
		}
	}
	if gap := untaken(v, v.self, theServers, readServers); gap != "" { // older runs did not ask for them
		n.puzzles("%s", gap)
	}
	for _, r := range k.RemoteServers {
		switch {
		case r.Problem != "":
			n.breaks("secret %s is of no use: %s", r.Secret, r.Problem)
		case seen.Loopback(r.Server):
			n.breaks("secret %s points at %s, which is another place in every pod", r.Secret, r.Server)
		}
	}
	return n.result("cluster %s holds one remote secret for each of %d other clusters", v.self.Name, len(v.peers))
}

func judgeKnown(v view) result {
	var n notes
	count := replicas(v, &n, func(i evidence.Istiod) {
		networks, err := i.Networks()
		if err != nil {
			n.puzzles("%v", err)
			return
		}
		for _, c := range v.everyone() {
			addresses := v.objects(c.Name).GatewayAddresses()
			if len(addresses) == 0 {
				n.breaks("the gateway of %s has no address that istiod could know", c.Name)
			}
			for _, address := range addresses {
				known := slices.ContainsFunc(networks, func(w evidence.Network) bool {
					// A load balancer's host name is known by what it resolves to.
					named := w.Addr == address || net.ParseIP(address) == nil
					return named && w.Network == c.Network && (w.Cluster == c.ID || w.Cluster == c.RemoteName) && w.Port == evidence.GatewayPort
				})
				if !known {
					n.breaks("istiod %s does not know %s as a way into network %s of cluster %s", i.Pod, net.JoinHostPort(address, strconv.Itoa(evidence.GatewayPort)), c.Network, c.Name)
				}
			}
		}
	})
	return n.result("all %d replicas of istiod on %s know the gateways of %d networks", count, v.self.Name, len(v.everyone()))
}

func judgeShared(v view) result {
	var n notes
	count := replicas(v, &n, func(i evidence.Istiod) {
		shards, err := i.Shards(evidence.HelloworldHost(v.sample()))
		if err != nil {
			n.puzzles("%v", err)
			return
		}
		for _, c := range v.everyone() {
			noteShards(&n, v, i.Pod, c, seen.ShardsOf(c, c.Name == v.self.Name, shards))
		}
	})
	return n.result("all %d replicas of istiod on %s hold helloworld's pods of all %d clusters", count, v.self.Name, len(v.everyone()))
}

// noteShards compares what a replica holds of one cluster with the cluster's pods.
func noteShards(n *notes, v view, replica string, c intent.Cluster, shards []evidence.Shard) {
	pods := sorted(seen.IPs(seen.AppPods(v.objects(c.Name), v.sample(), evidence.RoleHelloworld)))
	for _, s := range shards {
		if s.Network != c.Network {
			n.breaks("istiod %s has helloworld's pod %s of %s on network %q, not %q", replica, s.Address, c.Name, s.Network, c.Network)
		}
		if s.TLSMode != "istio" {
			n.breaks("istiod %s has helloworld's pod %s of %s without mutual TLS (mode %q)", replica, s.Address, c.Name, s.TLSMode)
		}
	}
	if have := seen.Held(shards, pods); !slices.Equal(have, pods) || len(pods) == 0 {
		n.breaks("the pods of helloworld on %s are %s, but istiod %s holds %s", c.Name, list(pods), replica, list(have))
	}
}

func judgeMetrics(v view) result {
	var n notes
	managed, timeouts := 0.0, 0.0
	count := replicas(v, &n, func(i evidence.Istiod) {
		if i.Metrics == nil {
			n.puzzles("%s does not hold the metrics of istiod", i.File(v.epoch, v.self.Name))
			return
		}
		got, there := i.Sum(evidence.MetricManaged, "cluster_type", "remote")
		missed, _ := i.Sum(evidence.MetricTimeouts, "", "") // it appears with the first time-out
		managed, timeouts = got, timeouts+missed
		switch {
		case !there:
			n.puzzles("the metrics of istiod %s have no %s", i.Pod, evidence.MetricManaged)
		case got != float64(len(v.peers)):
			n.breaks("istiod %s counts %g remote clusters, not %d", i.Pod, got, len(v.peers))
		}
		if missed > 0 {
			n.breaks("istiod %s counts %g time-outs in reading a remote cluster", i.Pod, missed)
		}
	})
	res := n.result("all %d replicas of istiod on %s count %d remote clusters and no time-out", count, v.self.Name, len(v.peers))
	res.measured = map[string]any{"remoteClusters": managed, "timeouts": timeouts}
	return res
}

func judgeReader(v view) result {
	var n notes
	may := v.objects(v.self.Name).ReaderMay
	for _, ask := range []struct {
		what string
		want bool
	}{{"list services", true}, {"list endpointslices", true}, {"create services", false}} {
		switch got, asked := may[ask.what]; {
		case !asked:
			n.puzzles("it was not asked whether the reader on %s may %s", v.self.Name, ask.what)
		case got && !ask.want:
			n.breaks("the reader's account on %s may %s", v.self.Name, ask.what)
		case !got && ask.want:
			n.breaks("the reader's account on %s may not %s", v.self.Name, ask.what)
		}
	}
	return n.result("the reader's account on %s may list services and endpoints, and create no service", v.self.Name)
}
