package preflight

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// reachedByPeers judges whether pods of the other clusters connect to the API server, as their istiods are to. A connection says
// nothing of certificates and accounts: those are made by S8, and looked at by a run.
func reachedByPeers(f Facts, c Cluster) Row {
	const name = "API server from the peers' pods"
	var in, out, open []string
	do := "give a kubeconfig whose address the other clusters' pods reach, for S8 hands on what it says (by hand: istioctl create-remote-secret --server), or let them through (routes, firewall, authorized networks)"
	for _, peer := range f.Clusters {
		if peer.Name == c.Name {
			continue
		}
		seen := f.Dialled[peer.Name]
		at := slices.IndexFunc(seen.Value, func(d evidence.Dial) bool { return d.To == c.Name })
		switch {
		case at < 0 && seen.Err != nil:
			open = append(open, "from "+peer.Name+" it cannot be told: "+seen.Err.Error())
		case at < 0:
			open = append(open, "from "+peer.Name+" it was not dialled")
		case seen.Value[at].Connected:
			in = append(in, "a pod of "+peer.Name+" connects to "+seen.Value[at].Address)
		default:
			d := seen.Value[at]
			out = append(out, "a pod of "+peer.Name+" does not connect to "+d.Address+": "+d.Error)
			if strings.Contains(d.Error, "no such host") {
				do = "have the DNS of the other clusters know the name, or " + do
			}
		}
	}
	all := strings.Join(slices.Concat(out, open, in), "; ")
	switch {
	case len(out) > 0:
		return failed(name, all, do)
	case len(open) > 0 || len(in) == 0:
		return unknown(name, all, "mend what the message says, and look again; where the pod does not come up, --probe-image, --image-pull-secret, --toleration and --node-selector are for it")
	}
	return ok(name, all)
}
