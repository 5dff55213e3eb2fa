package claim

import (
	"slices"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// injection is a failure from which the mesh must recover, with steady calls from every cluster throughout. What was lost
// and how long it took is told, not judged: the guide promises nothing of it. Judged is that the mesh comes back whole.
type injection struct{ id, claim, guide, sentence string }

func injections() []injection {
	return []injection{
		{"gateway-pod-deleted", "recovers-from-a-lost-gateway-pod", installGateway, "After the gateway's pod was lost, calls cross again and the mesh is whole."},
		{"istiod-restarted", "recovers-from-a-restarted-control-plane", beforeYouBegin, "After a restart of a control plane, the mesh is whole."},
		{"api-server-unreachable", "recovers-from-an-unreachable-api-server", enableDiscovery, "After the other cluster's API server was out of reach for a minute, the mesh is whole."},
		{"workload-scaled-to-zero", "recovers-from-a-missing-workload", verifyBalance, "After the other cluster's workload was gone for a while, it is called again."},
		{"node-cut-off", "recovers-from-a-cut-network", verifyBalance, "After the other cluster was cut off for a while, it is called again."},
	}
}

// Injections names those that there are claims for, in their order.
func Injections() []string {
	var all []string
	for _, i := range injections() {
		all = append(all, i.id)
	}
	return all
}

// OfDisruption gives the id of the claim for which a disruption or an injection is done; "" when there is none of that id.
func OfDisruption(id string) string {
	for _, d := range disruptions() {
		if d.id == id {
			return d.claim
		}
	}
	for _, i := range injections() {
		if i.id == id {
			return i.claim
		}
	}
	return ""
}

func injectionRules() []rule {
	var all []rule
	for _, i := range injections() {
		all = append(all, rule{
			Claim: Claim{ID: i.claim, Level: Core, Kind: Once, Area: Recovery, Epoch: evidence.Repaired(i.id), Guide: i.guide, Sentence: i.sentence, Disruptive: true},
			about: eachDirection, reads: []part{objects(ofAll), steadyCalls(ofSelf)}, judge: i.judge,
			asked: func(in intent.Intent) string {
				if !slices.Contains(in.Injections, i.id) {
					return NotDone + i.id + " to the mesh"
				}
				return ""
			},
		})
	}
	return all
}

func steadyCalls(of func(view) []intent.Cluster) part {
	return file(of, "steady calls", evidence.FileOfSteadyCalls, func(c *evidence.Cluster) bool { return c.Steady != nil })
}

const (
	// calm is how long before a failure, and at the end, every call must be answered.
	calm = 3 * time.Second
	// fewestOf is the part of the declared rate below which the calls were not steady.
	fewestOf = 0.7
)

func (i injection) judge(v view) result {
	var n notes
	s := v.cluster(v.self.Name).Steady
	noteSteady(&n, v, s)
	seen := outageOf(v, s)
	v.run.Intent.Samples = v.run.Intent.DisruptionSamples
	noteWhole(v, &n)
	res := n.result("%d of %d calls from %s were lost; the other cluster was away for %.1f s, and answered %.1f s after the end of it",
		seen.lost, seen.requests, v.self.Name, seen.away.Seconds(), seen.back.Seconds())
	res.measured = map[string]any{
		"requests": seen.requests, "lost": seen.lost, "slowestSeconds": digits(seen.slowest), "peerAwaySeconds": digits(seen.away.Seconds()),
		"peerBackSeconds": digits(seen.back.Seconds()), "heldSeconds": digits(s.Restored.Sub(s.Broken).Seconds()),
	}
	if seen.lost > 0 {
		res.measured["firstLossSeconds"], res.measured["lastLossSeconds"] = digits(seen.first.Seconds()), digits(seen.last.Seconds())
	}
	return res
}

// noteSteady notes when the calls do not show that all was well before, that they went on, and that all is well again.
func noteSteady(n *notes, v view, s *evidence.SteadyCalls) {
	before := window(s, s.Broken.Add(-calm), s.Broken)
	if lost, peers := lostAmong(before), byPeers(v, before); len(before) == 0 || lost > 0 || peers == 0 {
		n.puzzles("before it was done, %d of %d calls were lost and %d were answered by the other cluster: nothing can be told", lost, len(before), peers)
	}
	if want := int(fewestOf * s.Rate * s.Ended.Sub(s.Broken).Seconds()); len(window(s, s.Broken, s.Ended)) < want {
		n.puzzles("%d calls were made from %s while at least %d were to be: they were not steady", len(window(s, s.Broken, s.Ended)), v.self.Name, want)
	}
	end := window(s, s.Ended.Add(-calm), s.Ended)
	if lost := lostAmong(end); lost > 0 {
		n.breaks("%d of the last %d calls from %s were lost still", lost, len(end), v.self.Name)
	}
	switch {
	case len(end) == 0:
		n.puzzles("no call from %s is known of the last %s: did the pod stop, or is its clock another?", v.self.Name, calm)
	case byPeers(v, end) == 0:
		n.breaks("none of the last %d calls from %s was answered by the other cluster", len(end), v.self.Name)
	}
}

// outage is what the calls show of a failure. Times count from when it was done, back from when it was undone.
type outage struct {
	requests, lost    int
	first, last, away time.Duration
	back              time.Duration
	slowest           float64
}

func outageOf(v view, s *evidence.SteadyCalls) outage {
	var o outage
	last := s.Broken
	for _, q := range window(s, s.Broken, s.Ended) {
		o.requests++
		o.slowest = max(o.slowest, q.Seconds)
		at := q.At.Sub(s.Broken)
		if q.Version == "" || q.Code != ok {
			if o.lost++; o.lost == 1 {
				o.first = at
			}
			o.last = at
		} else if fromPeer(v, q) {
			o.away = max(o.away, q.At.Sub(last))
			last = q.At
			if o.back == 0 && q.At.After(s.Restored) {
				o.back = q.At.Sub(s.Restored)
			}
		}
	}
	return o
}

func fromPeer(v view, q evidence.Request) bool {
	return slices.ContainsFunc(v.peers, func(c intent.Cluster) bool { return c.Version == q.Version })
}

func window(s *evidence.SteadyCalls, from, to time.Time) []evidence.Request {
	var all []evidence.Request
	for _, q := range s.Requests {
		if !q.At.Before(from) && q.At.Before(to) {
			all = append(all, q)
		}
	}
	return all
}

func lostAmong(all []evidence.Request) int {
	lost := 0
	for _, q := range all {
		if q.Version == "" || q.Code != ok {
			lost++
		}
	}
	return lost
}

func byPeers(v view, all []evidence.Request) int {
	count := 0
	for _, q := range all {
		if fromPeer(v, q) {
			count++
		}
	}
	return count
}
