package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// Claims about the guide itself: that what it prints works as it is printed. Only a run in literal mode makes them, and what
// fails there is a finding about the guide (framework/guide/data/oddities.yaml has the log of them).

// gatewayStep is the number of the step that installs the gateway.
const gatewayStep = 6

// Findings about the guide that a literal run can find.
const (
	oneNetwork = "F1"
	setPath    = "F2"
)

func printedRules() []rule {
	printed := func(id, finding, sentence string, judge func(view) result, reads ...part) rule {
		return rule{
			Claim: Claim{ID: id, Finding: finding, Level: Core, Kind: Converges, Area: Printed, Epoch: evidence.Joined, Guide: installGateway, Sentence: sentence},
			about: wholeMesh, reads: reads, judge: judge,
			asked: func(in intent.Intent) string {
				if in.Mode != intent.Literal {
					return "the run follows the corrected text of the guide"
				}
				return ""
			},
		}
	}
	return []rule{
		printed("printed-networks", oneNetwork, "With the network names that the guide prints, sleep is given the peer's gateway, not the addresses of its pods.",
			judgePrintedNetworks, objects(ofAll), proxies(evidence.RoleSleep, ofAll)),
		printed("printed-flag", setPath, "The release's istioctl takes the flag --set as the guide prints it.", judgePrintedFlag, steps()),
	}
}

// Findings gives the ids of the findings about the guide that a run can find.
func Findings() []string {
	var all []string
	for _, r := range printedRules() {
		all = append(all, r.Finding)
	}
	return all
}

// judgePrintedNetworks looks for the fingerprint of one network name for all: a client holds addresses of the peer's pods, and
// none of its gateway.
func judgePrintedNetworks(v view) result {
	var n notes
	for _, c := range v.run.Intent.Clusters {
		for _, p := range v.cluster(c.Name).Proxy(evidence.RoleSleep) {
			held, err := p.Endpoints(evidence.OutboundCluster(v.sample()))
			if err != nil {
				n.puzzles("%v", err)
				continue
			}
			pods, gateways := remote(v, c, held)
			switch {
			case len(pods) > 0:
				n.breaks("sleep on %s is given %s, where pods of the other side are, and %d addresses of its gateway", c.Name, strings.Join(pods, ", "), gateways)
			case gateways == 0:
				n.puzzles("sleep on %s is given nothing of the other side", c.Name)
			}
		}
	}
	return n.result("sleep is given the peer's gateway on every cluster")
}

// remote gives the endpoints that are pods of other clusters, and counts those that are gateways. Where the pod networks
// overlap, a pod of the own cluster may have the same address, and both are one endpoint then.
func remote(v view, self intent.Cluster, held []evidence.Endpoint) (pods []string, gateways int) {
	theirs := map[string]bool{}
	for _, peer := range v.run.Intent.Peers(self.Name) {
		for _, p := range seen.AppPods(v.objects(peer.Name), v.sample(), evidence.RoleHelloworld) {
			theirs[p.IP] = true
		}
	}
	for _, e := range held {
		if e.Port == evidence.GatewayPort {
			gateways++
		}
	}
	for _, e := range held {
		if e.Port != evidence.GatewayPort && (e.ClusterID != self.ID || gateways == 0 && theirs[e.Address]) {
			pods = append(pods, fmt.Sprintf("%s:%d", e.Address, e.Port))
		}
	}
	return pods, gateways
}

// judgePrintedFlag reads the step that was done again without the printed flag, and what the release said to it.
func judgePrintedFlag(v view) result {
	at := slices.IndexFunc(v.run.Steps, func(s evidence.Step) bool { return s.Finding == setPath })
	if at >= 0 {
		s := v.run.Steps[at]
		return result{verdict: Failed, reason: fmt.Sprintf("step %s on cluster %s: istioctl of %s refuses the printed flag: %s", s.ID, s.Cluster,
			release(v), lastLine(s.Stderr))}
	}
	if !slices.ContainsFunc(v.run.Steps, func(s evidence.Step) bool {
		n, guided := seen.SetupStep(s)
		return guided && n == gatewayStep && s.Error == ""
	}) {
		return result{verdict: Inconclusive, reason: "no gateway was installed"}
	}
	return result{verdict: Passed, reason: "istioctl takes the printed flag"}
}

// release is the version of the control plane, with which the release's istioctl comes.
func release(v view) string {
	for _, c := range v.run.Intent.Clusters {
		if one := v.cluster(c.Name); one != nil {
			for _, i := range one.Istiods {
				return "version " + i.Version
			}
		}
	}
	return "a release whose version was not seen"
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
