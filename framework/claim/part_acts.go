package claim

import (
	"cmp"
	"fmt"
	"net"
	"strconv"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// The parts here come of what the run does in the mesh: a run that only reads has none of them.

// file is what came of calls of the run's, of which one file of each cluster holds all: kind is how collection names it among
// its problems.
func file(of func(view) []intent.Cluster, kind string, name func(epoch, cluster string) string, there func(*evidence.Cluster) bool) part {
	return part{of: of, acts: true,
		gap: func(v view, c intent.Cluster) string {
			switch one := v.cluster(c.Name); {
			case one == nil:
				return objectsGap(v, c)
			case !there(one):
				return missing(v, c, name(v.epoch, c.Name), kind, "")
			}
			return ""
		},
		files: func(v view, c intent.Cluster) []string { return []string{name(v.epoch, c.Name)} },
	}
}

// dials are the connections from a cluster's probe pod to every address of its peers' gateways.
func dials(of func(view) []intent.Cluster) part {
	return part{of: of, acts: true,
		gap: func(v view, c intent.Cluster) string {
			file := evidence.FileOfDials(v.epoch, c.Name)
			if v.cluster(c.Name) == nil {
				return objectsGap(v, c)
			}
			for _, peer := range v.run.Intent.Peers(c.Name) {
				if gap := objectsGap(v, peer); gap != "" {
					return gap
				}
				for _, address := range v.objects(peer.Name).GatewayAddresses() {
					if _, dialled := dialTo(v, c.Name, peer.Name, address); !dialled {
						return fmt.Sprintf("%s holds no connection to %s of cluster %s%s", file, address, peer.Name, cmp.Or(because(v.run, file), said(v, c, "dials", address)))
					}
				}
			}
			return ""
		},
		files: func(v view, c intent.Cluster) []string { return []string{evidence.FileOfDials(v.epoch, c.Name)} },
	}
}

func dialTo(v view, from, to, host string) (evidence.Dial, bool) {
	for _, d := range v.cluster(from).Dials {
		if d.To == to && d.Address == net.JoinHostPort(host, strconv.Itoa(evidence.GatewayPort)) {
			return d, true
		}
	}
	return evidence.Dial{}, false
}

// calls are those that a cluster made for one purpose.
func calls(purpose string, of func(view) []intent.Cluster) part {
	return part{of: of, acts: true, calls: purpose,
		gap: func(v view, c intent.Cluster) string {
			file := evidence.FileOfTraffic(v.epoch, c.Name, purpose)
			if v.cluster(c.Name) == nil {
				return fmt.Sprintf("nothing was seen of cluster %s in epoch %s%s", c.Name, v.epoch, stopped(v.run))
			}
			if _, there := v.cluster(c.Name).TrafficFor(purpose); !there {
				if b := because(v.run, file); b != "" {
					return lacks(file, b)
				}
				return file + " is not there: no calls were made, or they were not kept" + stopped(v.run)
			}
			return ""
		},
		files: func(v view, c intent.Cluster) []string {
			return []string{evidence.FileOfTraffic(v.epoch, c.Name, purpose)}
		},
	}
}
