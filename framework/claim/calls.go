package claim

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

const verifyBalance = "S14 Verify cross-cluster load balancing"

func splitRules() []rule {
	self, all := calls(evidence.Split, ofSelf), calls(evidence.Split, ofAll)
	sleep := proxies(evidence.RoleSleep, ofSelf)
	return []rule{
		{
			Claim: Claim{ID: "guide-calls", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: verifyBalance,
				Sentence: "Each of the guide's own calls is answered by a helloworld."},
			about: eachDirection, reads: []part{calls(evidence.GuideCalls, ofSelf)}, judge: judgeGuideCalls,
		},
		{
			Claim: Claim{ID: "split-replies", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: verifyBalance,
				Sentence: "Every measured call is answered with 200 by a helloworld of a known version."},
			about: eachDirection, reads: []part{self}, judge: judgeReplies,
		},
		{
			Claim: Claim{ID: "split-accounted", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: verifyBalance,
				Sentence: "Sleep's Envoy accounts for every measured call: each endpoint's requests are the replies of its version, and no attempt failed and was retried in silence."},
			about: eachDirection, reads: []part{self, objects(ofSelf), sleep}, judge: judgeAccounted,
		},
		{
			Claim: Claim{ID: "split-balanced", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: verifyBalance,
				Sentence: "The measured calls are shared between the clusters as the weights of the endpoints say."},
			about: eachDirection, reads: []part{self, objects(ofSelf), sleep}, judge: judgeBalance,
		},
		{
			Claim: Claim{ID: "served-by-peer", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: verifyBalance,
				Sentence: "Helloworld's sidecar has served exactly the measured calls, from all clusters, that its version answered."},
			about: eachCluster, reads: []part{all}, judge: judgeServed,
		},
		{
			Claim: Claim{ID: "crossed-by-gateway", Level: Core, Kind: Once, Area: Split, Epoch: evidence.Joined, Guide: verifyBalance,
				Sentence: "Every measured call that the other cluster answered reached it through that cluster's east-west gateway."},
			about: eachDirection, reads: []part{all, objects(ofPeers)}, judge: judgeCrossed,
		},
	}
}

// versions counts the replies of each version.
func versions(replies []evidence.Reply) map[string]int {
	count := map[string]int{}
	for _, r := range replies {
		if r.Version != "" {
			count[r.Version]++
		}
	}
	return count
}

// known tells whether a version is one that some cluster of the mesh runs.
func known(v view, version string) bool {
	for _, c := range v.run.Intent.Clusters {
		if c.Version == version {
			return true
		}
	}
	return false
}

// say gives counts as a person reads them: "308 v1, 292 v2".
func say(count map[string]int) string {
	var all []string
	for version, n := range count {
		all = append(all, fmt.Sprintf("%s %d", version, n))
	}
	return list(sorted(all))
}

// digits rounds to six significant digits, so that findings do not depend on the last bits of a processor's arithmetic.
func digits(x float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		return x
	}
	return rounded
}

// judgeGuideCalls judges that every call was answered. That both versions were seen is told, not judged: a balanced mesh
// shows only one of them with a probability of 2 * 2^-n.
func judgeGuideCalls(v view) result {
	var n notes
	t := v.calls(v.self.Name, evidence.GuideCalls)
	valid := 0
	for _, r := range t.Replies {
		switch {
		case !known(v, r.Version):
			n.breaks("reply %d is not from a helloworld of this mesh: %.120q", r.Number, r.Body)
		case r.Code != 0 && r.Code != 200:
			n.breaks("reply %d has the code %d", r.Number, r.Code)
		default:
			valid++
		}
	}
	if failed := strings.Count(t.Stderr, "curl: ("); failed > 0 {
		n.breaks("%d of %d calls had no answer: %.200s", failed, t.Asked, strings.TrimSpace(t.Stderr[strings.Index(t.Stderr, "curl: ("):]))
	}
	switch {
	case valid == t.Asked || len(n.broken) > 0:
	case t.Error != "":
		n.puzzles("only %d of %d calls are known: %s", len(t.Replies), t.Asked, t.Error)
	default:
		n.breaks("%d of %d calls were answered", valid, t.Asked)
	}
	if t.Asked != v.run.Intent.GuideCalls {
		n.puzzles("%d calls were made instead of %d", t.Asked, v.run.Intent.GuideCalls)
	}
	count := versions(t.Replies)
	clusters := len(v.run.Intent.Clusters)
	both := len(count) == clusters
	seen := "every version was seen"
	if !both {
		seen = "not every version was seen"
	}
	chance := 1 - unseen(clusters, t.Asked)
	res := n.result("%d of %d calls were answered: %s; %s, which a balanced mesh shows with probability %.9f", valid, t.Asked, say(count), seen, chance)
	res.measured = map[string]any{"asked": t.Asked, "valid": valid, "replies": count, "bothSeen": both, "bothSeenProbability": digits(chance)}
	return res
}

// unseen bounds the chance that calls that are shared evenly show fewer than all of the clusters.
func unseen(clusters, calls int) float64 {
	n := float64(max(clusters, 1))
	return n * math.Pow(1-1/n, float64(calls))
}

// incomplete says that the calls ended early, or "": then what is missing is the harness's fault, not the mesh's.
func incomplete(t evidence.Traffic) string {
	if t.Error == "" {
		return ""
	}
	without := ""
	if n := alone(t); n > 0 {
		without = fmt.Sprintf(", of which the last %d met no sidecar of their own pod any more", n)
	}
	return fmt.Sprintf("the calls from %s ended after %d of %d%s: %s", t.From, len(t.Replies), t.Asked, without, t.Error)
}

// couldNotConnect is curl's exit code when nobody listens. A pod in the mesh connects to its own sidecar, whatever it calls.
const couldNotConnect = 7

// alone counts the calls at the end of those that were cut short which met no sidecar any more: a caller that is killed dies
// piece by piece, and its sidecar may go first. Nothing is known of the mesh by them.
func alone(t evidence.Traffic) int {
	if t.Error == "" {
		return 0
	}
	n := 0
	for n < len(t.Replies) && t.Replies[len(t.Replies)-1-n].Exit == couldNotConnect {
		n++
	}
	return n
}

// good tells whether a reply is helloworld's, whole and with 200.
func good(v view, r evidence.Reply) bool { return r.Code == 200 && r.Exit == 0 && known(v, r.Version) }

func judgeReplies(v view) result {
	var n notes
	t := v.calls(v.self.Name, evidence.Split)
	numbers := map[int]bool{}
	fine, last := 0, len(t.Replies)-alone(t)
	for i, r := range t.Replies {
		if r.Number < 1 || r.Number > t.Asked || numbers[r.Number] {
			n.puzzles("reply number %d is there twice, or was not asked for", r.Number)
		}
		numbers[r.Number] = true
		switch {
		case good(v, r):
			fine++
		case i >= last: // the end of the calls says so
		case r.Exit != 0:
			n.breaks("call %d had no whole answer: curl's exit code is %d (%.80q)", r.Number, r.Exit, r.Body)
		case r.Code != 200:
			n.breaks("call %d was answered with %d: %.120q", r.Number, r.Code, r.Body)
		default:
			n.breaks("call %d was not answered by a helloworld of this mesh: %.120q", r.Number, r.Body)
		}
	}
	noteAsked(&n, v, t)
	if missing := t.Asked - len(t.Replies); missing > 0 && t.Error == "" {
		n.breaks("%d of %d calls have no reply", missing, t.Asked)
	}
	res := n.result("all %d calls were answered with 200: %s", t.Asked, say(versions(t.Replies)))
	res.measured = map[string]any{"asked": t.Asked, "replies": len(t.Replies), "good": fine, "slowestSeconds": digits(slowest(t.Replies))}
	return res
}

// noteAsked notes when fewer calls were made than the run had declared, or the calls ended early.
func noteAsked(n *notes, v view, t evidence.Traffic) {
	if why := incomplete(t); why != "" {
		n.puzzles("%s", why)
	}
	if t.Asked != v.run.Intent.Samples {
		n.puzzles("%d calls were asked for, but the run declares %d", t.Asked, v.run.Intent.Samples)
	}
}

func slowest(replies []evidence.Reply) float64 {
	if len(replies) == 0 {
		return 0
	}
	return slices.MaxFunc(replies, func(a, b evidence.Reply) int {
		switch {
		case a.Seconds < b.Seconds:
			return -1
		case a.Seconds > b.Seconds:
			return 1
		}
		return 0
	}).Seconds
}
