package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// judgeCrossed compares the calls that a peer's version answered with what the peer's sidecars logged of this cluster's
// calls, call by call, and asks who opened the connection: it must be the peer's gateway. The gateway's own counters prove
// nothing: its connections outlive calls, and grow also by attempts that fail.
func judgeCrossed(v view) result {
	var n notes
	t := v.calls(v.self.Name, evidence.Split)
	noteAsked(&n, v, t)
	crossed := 0
	for _, peer := range v.peers {
		crossed += noteCrossed(&n, v, t, peer)
	}
	res := n.result("all %d calls from %s that the other cluster answered came to it from its gateway's pods", crossed, v.self.Name)
	res.measured = map[string]any{"crossed": crossed}
	return res
}

func noteCrossed(n *notes, v view, t evidence.Traffic, peer intent.Cluster) (crossed int) {
	var replied, logged []int
	for _, r := range t.Replies {
		if r.Version == peer.Version && good(v, r) {
			replied = append(replied, r.Number)
		}
	}
	peerCalls := v.calls(peer.Name, evidence.Split)
	pods := seen.PassingPods(v.objects(peer.Name))
	gateways := seen.IPs(pods)
	var strangers []string
	for _, line := range peerCalls.AccessLog {
		if line.From != v.self.Name {
			continue
		}
		logged = append(logged, line.Number)
		if slices.Contains(gateways, line.Downstream) {
			crossed++
		} else {
			strangers = append(strangers, line.Downstream)
		}
	}
	unread := peerCalls.AccessLogError != "" && len(logged) < len(replied)
	if unread {
		n.puzzles("of the %d calls that helloworld on %s answered, %d could be read in the log of its sidecar: %s", len(replied), peer.Name, len(logged), peerCalls.AccessLogError)
	}
	switch {
	case len(replied) == 0 && len(logged) == 0:
		if len(n.unclear) == 0 {
			n.breaks("none of %d calls from %s was answered by %s, so none crossed", t.Asked, v.self.Name, peer.Name)
		}
		return crossed
	case unread && len(logged) == 0:
		return crossed
	case len(logged) == 0 && len(peerCalls.AccessLog) > 0:
		n.puzzles("helloworld's sidecar on %s logged none of the %d calls that it answered, and %d others: a part of its log is missing",
			peer.Name, len(replied), len(peerCalls.AccessLog))
		return crossed
	case len(logged) == 0:
		n.puzzles("helloworld's sidecar on %s logged none of the %d calls that it answered: access logging is off there, or its clock is minutes behind", peer.Name, len(replied))
		return crossed
	case len(strangers) > 0:
		came := fmt.Sprintf("%d calls from %s reached helloworld on %s from %s", len(strangers), v.self.Name, peer.Name, strings.Join(sorted(strangers), ", "))
		noteStrangers(n, came, peerCalls, pods)
	}
	noteNumbers(n, v, peer, replied, logged)
	return crossed
}

func noteStrangers(n *notes, came string, calls evidence.Traffic, gateways []evidence.Pod) {
	if why := unknownGateways(calls, gateways); why != "" {
		n.puzzles("%s, which may be a pod of the gateway: %s", came, why)
		return
	}
	n.breaks("%s, and not from a pod of the gateway (%s)", came, list(seen.IPs(gateways)))
}

// unknownGateways says which pods of a gateway may have passed calls on whose addresses were not seen, or "": its autoscaler or the drain of
// a node changes them without any harm, and they were looked at before the calls.
func unknownGateways(calls evidence.Traffic, seenBefore []evidence.Pod) string {
	names := func(all []evidence.Counters) []string {
		var found []string
		for _, c := range all {
			if c.Role == evidence.RoleGateway {
				found = append(found, c.Pod)
			}
		}
		return sorted(found)
	}
	before, after := names(calls.Before), names(calls.After)
	if !slices.Equal(before, after) {
		return fmt.Sprintf("the gateway's pods were %s before the calls and %s after them", list(before), list(after))
	}
	came := slices.DeleteFunc(after, func(name string) bool {
		return slices.ContainsFunc(seenBefore, func(p evidence.Pod) bool { return p.Name == name })
	})
	if len(came) == 0 {
		return ""
	}
	return strings.Join(came, ", ") + " came after the cluster was looked at"
}

// noteNumbers compares the numbers of calls. Lines that are missing are the log's fault when the sidecar has counted as many
// requests as its version replied, and the mesh's otherwise: then something else answered.
func noteNumbers(n *notes, v view, peer intent.Cluster, replied, logged []int) {
	slices.Sort(replied)
	slices.Sort(logged)
	if slices.Equal(replied, logged) || len(n.unclear) > 0 {
		return
	}
	missing, extra := without(replied, logged), without(logged, replied)
	total := 0
	for _, c := range v.everyone() {
		total += versions(v.calls(c.Name, evidence.Split).Replies)[peer.Version]
	}
	got, unclear := served(v.calls(peer.Name, evidence.Split))
	switch {
	case len(extra) == 0 && len(missing) > 0 && unclear == "" && got == int64(total):
		n.puzzles("the log of helloworld's sidecar on %s lacks %d of %d calls, though its counters hold them all: the log is not complete",
			peer.Name, len(missing), len(replied))
	case len(missing) > 0:
		n.breaks("%d of %d calls from %s that %s answered are not in the log of its sidecar (the first is number %d)",
			len(missing), len(replied), v.self.Name, peer.Version, missing[0])
	case len(extra) > 0:
		n.breaks("the log of helloworld's sidecar on %s holds %d calls from %s that it did not answer (the first is number %d)",
			peer.Name, len(extra), v.self.Name, extra[0])
	default:
		n.breaks("the log of helloworld's sidecar on %s holds calls from %s more than once: %d lines for %d calls", peer.Name, v.self.Name, len(logged), len(replied))
	}
}

func without(all, those []int) []int {
	var rest []int
	for _, n := range all {
		if _, found := slices.BinarySearch(those, n); !found {
			rest = append(rest, n)
		}
	}
	return rest
}
