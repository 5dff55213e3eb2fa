package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// disruption is something that is done to a joined mesh on purpose, and undone. Its claim is that the mesh denies what it
// must deny then, that what has nothing to do with it goes on, and that every claim about the joined mesh holds again
// afterwards.
type disruption struct {
	// id is the name in Intent.Disruptions and of its epochs; claim is the claim's.
	id, claim, guide, sentence string
	// breaks are the claims that must fail while it is in force, keeps those that must hold.
	breaks, keeps []about
	// also judges what else must be seen while it is in force; nil for nothing.
	also func(view, *notes)
	// afterwards judges what must be seen once it was undone, besides the claims about the joined mesh; nil for nothing.
	afterwards func(view, *notes)
}

// about names a claim about a subject of the mesh by the places of its clusters: "2" is CLUSTER_2, "1>2" the way from
// CLUSTER_1 to CLUSTER_2, "mesh" the whole.
type about struct{ claim, subject string }

// NotDone begins the reason for which a claim is skipped that is about something that the run did not do to the mesh.
const NotDone = "this run did not do "

func disruptionRules() []rule {
	var all []rule
	for _, d := range disruptions() {
		all = append(all, rule{
			Claim: Claim{ID: d.claim, Level: Core, Kind: Once, Area: Denial, Epoch: evidence.Broken(d.id), Guide: d.guide, Sentence: d.sentence, Disruptive: true},
			about: wholeMesh, reads: []part{objects(ofAll)}, judge: d.judge,
			asked: func(in intent.Intent) string {
				if !slices.Contains(in.Disruptions, d.id) {
					return NotDone + d.id + " to the mesh"
				}
				return ""
			},
		})
	}
	return all
}

// Disruptions names those that there are claims for, in their order.
func Disruptions() []string {
	var all []string
	for _, d := range disruptions() {
		all = append(all, d.id)
	}
	return all
}

func (d disruption) judge(v view) result {
	var n notes
	v.run.Intent.Samples = v.run.Intent.DisruptionSamples
	for _, expected := range []struct {
		all      []about
		want     Verdict
		contrary string
	}{{d.breaks, Failed, "held all the same"}, {d.keeps, Passed, "failed with it"}} {
		for _, a := range expected.all {
			switch subject, got := a.judged(v); got.verdict {
			case expected.want:
			case Passed, Failed:
				n.breaks("%s (%s) %s: %s", a.claim, subject, expected.contrary, got.reason)
			default:
				n.puzzles("while it was in force, %s (%s) could not be told: %s", a.claim, subject, got.reason)
			}
		}
	}
	if d.also != nil {
		d.also(v, &n)
	}
	d.judgeRepaired(v, &n)
	return n.result("%s, and every claim about the joined mesh held again afterwards", d.symptoms())
}

func (d disruption) symptoms() string {
	var failed []string
	for _, a := range d.breaks {
		failed = append(failed, a.claim)
	}
	if len(failed) == 0 {
		return "it was refused as it must be"
	}
	return "it showed as it must (" + strings.Join(failed, ", ") + ")"
}

// judgeRepaired judges the mesh in the epoch after the repair.
func (d disruption) judgeRepaired(v view, n *notes) {
	v.epoch = evidence.Repaired(d.id)
	if d.afterwards != nil {
		for _, c := range v.everyone() {
			if gap := objectsGap(v, c); gap != "" {
				n.puzzles("%s", gap)
				return
			}
		}
		d.afterwards(v, n)
	}
	noteWhole(v, n)
}

// noteWhole judges every core claim about the joined mesh in the view's epoch.
func noteWhole(v view, n *notes) {
	for _, r := range joinedRules() {
		if r.Level != Core || r.notAsked(v.run.Intent) != "" {
			continue
		}
		for _, s := range r.about(v.run.Intent) {
			at := v
			at.subject = s
			switch got := r.look(at); got.verdict {
			case Passed:
			case Failed:
				n.breaks("after the repair, %s (%s) failed: %s", r.ID, s.name, got.reason)
			default:
				n.puzzles("after the repair, %s (%s) could not be told: %s", r.ID, s.name, got.reason)
			}
		}
	}
}

// joinedRules are those that can be judged again in any epoch of a mesh that is joined.
func joinedRules() []rule {
	return slices.Concat(setupRules(), gatewayRules(), discoveryRules(), identityRules(), denialRules(), secondRules(), splitRules())
}

// judged gives the subject by its name, and what the claim says of it in the view's epoch.
func (a about) judged(v view) (string, result) {
	all := joinedRules()
	at := slices.IndexFunc(all, func(r rule) bool { return r.ID == a.claim })
	if at < 0 {
		return a.subject, result{verdict: Inconclusive, reason: "there is no such claim"}
	}
	from, _, _ := strings.Cut(a.subject, ">")
	for i, s := range all[at].about(v.run.Intent) {
		if a.subject == "mesh" || from == fmt.Sprint(i+1) {
			v.subject = s
			return s.name, all[at].look(v)
		}
	}
	return a.subject, result{verdict: Inconclusive, reason: "there is no such subject"}
}

// first is the mesh as its first cluster sees it.
func first(v view) view {
	v.subject = eachDirection(v.run.Intent)[0]
	return v
}

// answeredByItself judges that the first cluster's calls were all answered, and by its own helloworld alone.
func answeredByItself(v view, n *notes) {
	v = first(v)
	t := v.calls(v.self.Name, evidence.Split)
	for _, r := range t.Replies {
		if !good(v, r) || r.Version != v.self.Version {
			n.breaks("call %d from %s was answered by %q with %d, not by its own helloworld", r.Number, v.self.Name, r.Version, r.Code)
		}
	}
	if len(t.Replies) == 0 {
		n.puzzles("no call was made from %s", v.self.Name)
	}
}

// unresolved judges that the first cluster's calls failed for want of the name.
func unresolved(v view, n *notes) {
	v = first(v)
	t, made := v.cluster(v.self.Name).TrafficFor(evidence.GuideCalls)
	switch {
	case !made:
		n.puzzles("no call was made from %s", v.self.Name)
	case !strings.Contains(t.Stderr, "curl: (6)"):
		n.breaks("the calls from %s did not fail for want of the name (curl's exit code 6): %.200q", v.self.Name, t.Stderr)
	}
}

// rawAddresses judges that the first cluster's sleep was sent a pod's address of the other cluster.
func rawAddresses(v view, n *notes) {
	v = first(v)
	for _, envoy := range v.cluster(v.self.Name).Proxy(evidence.RoleSleep) {
		endpoints, err := envoy.Endpoints(evidence.OutboundCluster(v.sample()))
		if err != nil {
			n.puzzles("%v", err)
			continue
		}
		raw := func(e evidence.Endpoint) bool { return e.ClusterID != v.self.ID && e.Port == seen.AppPort }
		if !slices.ContainsFunc(endpoints, raw) {
			n.breaks("sleep on %s holds no pod's address of another cluster", v.self.Name)
		}
	}
}

// told judges what those who asked the peer's gateway with a certificate of the mesh were told, by HTTP code.
func told(v view, n *notes, as string, code int) {
	v = first(v)
	for _, peer := range v.peers {
		all, gap := attempts(v, peer, as)
		if gap != "" {
			n.puzzles("%s", gap)
		}
		for _, h := range all {
			if h.Code != code {
				n.breaks("asked with %q, %s of %s gave %s, not %d", as, h.Address, peer.Name, came(h), code)
			}
		}
	}
}

// deniedByPeer judges that the other cluster refuses sleep, and nobody else does, and that it lets another account in.
func deniedByPeer(v view, n *notes) {
	told(v, n, evidence.AsMember, forbidden)
	told(v, n, evidence.AsStranger, ok)
	v = first(v)
	replies, refused := v.calls(v.self.Name, evidence.Split).Replies, 0
	for _, r := range replies {
		switch {
		case r.Code == forbidden:
			refused++
		case !good(v, r) || r.Version != v.self.Version:
			n.breaks("call %d from %s was answered by %q with %d: only the other cluster is to refuse it, and only with %d",
				r.Number, v.self.Name, r.Version, r.Code, forbidden)
		}
	}
	switch {
	case len(replies) == 0:
		n.puzzles("no call was made from %s", v.self.Name)
	case refused == 0:
		n.breaks("no call from %s was refused", v.self.Name)
	}
}

// strangerWelcome judges that the other cluster lets another account in.
func strangerWelcome(v view, n *notes) { told(v, n, evidence.AsStranger, ok) }

// allowedByPeer judges that the other cluster lets sleep in, and no other account.
func allowedByPeer(v view, n *notes) {
	told(v, n, evidence.AsMember, ok)
	told(v, n, evidence.AsStranger, forbidden)
}

const forbidden = 403
