package seen

import (
	"net"
	"slices"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// ShardsOf gives what a replica of istiod holds of a cluster: under the cluster's id or, of another than its own, under the name that
// the remote secret gives it.
func ShardsOf(c intent.Cluster, own bool, shards []evidence.Shard) []evidence.Shard {
	return slices.DeleteFunc(slices.Clone(shards), func(s evidence.Shard) bool {
		return s.Cluster != c.ID && (own || s.Cluster != c.RemoteName)
	})
}

// Held gives, in their order and each once, the addresses that can be compared with those of the pods.
func Held(shards []evidence.Shard, pods []string) []string {
	var all []string
	for _, s := range shards {
		if OfOneFamily(s.Address, pods) {
			all = append(all, s.Address)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// OfOneFamily tells whether an address that istiod knows can be compared with those of the pods. A pod of two address families has two
// addresses there and one in the evidence, so that only those of a family that the pods show can be.
func OfOneFamily(address string, pods []string) bool {
	return len(pods) == 0 || slices.ContainsFunc(pods, func(ip string) bool { return family(ip) == family(address) })
}

func family(ip string) int {
	parsed := net.ParseIP(ip)
	switch {
	case parsed == nil:
		return 0
	case parsed.To4() != nil:
		return 4
	}
	return 6
}
