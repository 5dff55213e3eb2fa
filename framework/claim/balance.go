package claim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/stats"
)

// expectation is the share of one cluster's calls that one version should answer.
type expectation struct {
	share float64
	// equal is true when every endpoint has the same weight: then the calls are independent draws, and the test is exact.
	// Otherwise Envoy schedules almost in turn, which scatters less than the test allows for: its bounds are conservative.
	equal bool
}

// expected computes the share from the weights that the calling Envoy had for its endpoints just before the calls.
func expected(v view, t evidence.Traffic, of string) (expectation, error) {
	owner, err := owners(v, t.Pod)
	if err != nil {
		return expectation{}, err
	}
	hosts := countersOf(t.Before, evidence.RoleSleep, evidence.OutboundCluster(v.sample()), t.Pod)
	if len(hosts) == 0 {
		return expectation{}, fmt.Errorf("the weights in pod %s were not read before the calls", t.Pod)
	}
	own, total := 0.0, 0.0
	for _, h := range hosts {
		version, there := owner[h.Address]
		if !there {
			return expectation{}, fmt.Errorf("host %s is no endpoint of the Envoy's configuration", h.Address)
		}
		total += float64(h.Weight)
		if version == of {
			own += float64(h.Weight)
		}
	}
	if total == 0 {
		return expectation{}, fmt.Errorf("the endpoints in pod %s have no weight", t.Pod)
	}
	uneven := func(h evidence.Counters) bool { return h.Weight != hosts[0].Weight }
	return expectation{share: own / total, equal: !slices.ContainsFunc(hosts, uneven)}, nil
}

// tested are the versions whose shares are tested: with two clusters the caller's own, which settles the other's; with more,
// each.
func tested(s subject) []string {
	all := []string{s.self.Version}
	if len(s.peers) > 1 {
		for _, p := range s.peers {
			all = append(all, p.Version)
		}
	}
	return all
}

// judgeBalance is the one random check of a run, done once per direction, and with more than two clusters once per pair: the
// exact two-sided binomial test of how many calls a version answered, at the declared rate.
func judgeBalance(v view) result {
	own := judgeShare(v, v.self)
	if len(v.peers) < 2 {
		return own
	}
	shares := map[string]any{v.self.Name: own.measured}
	worst, reasons := own.verdict, []string{own.reason}
	for _, peer := range v.peers {
		r := judgeShare(v, peer)
		shares[peer.Name] = r.measured
		switch {
		case r.verdict == worst:
			reasons = append(reasons, r.reason)
		case worst == Passed || r.verdict == Failed:
			worst, reasons = r.verdict, []string{r.reason}
		}
	}
	measured := map[string]any{"shares": shares}
	maps.Copy(measured, own.measured) // which is one of the shares
	return result{verdict: worst, reason: brief(sorted(reasons)), measured: measured}
}

// judgeShare judges the share of the calls from self that the version of one cluster answered.
func judgeShare(v view, of intent.Cluster) result {
	var n notes
	t := v.calls(v.self.Name, evidence.Split)
	noteAsked(&n, v, t)
	want, err := expected(v, t, of.Version)
	if err != nil {
		n.puzzles("%v", err)
		return n.result("")
	}
	whose := "its own"
	if of.Name != v.self.Name {
		whose = of.Name + "'s"
	}
	counted := slices.DeleteFunc(slices.Clone(t.Replies), func(r evidence.Reply) bool { return !good(v, r) })
	count := versions(counted)
	own, all := count[of.Version], len(counted)
	if t.Error == "" && all < t.Asked {
		n.puzzles("only %d of %d calls were answered by a helloworld, so their share says nothing about the choice", all, t.Asked)
	}
	alpha := v.run.Intent.Alpha
	lo, hi, falseFail := stats.Band(all, want.share, alpha)
	switch {
	case len(n.unclear) > 0:
	case want.share == 0 || want.share == 1:
		n.breaks("sleep on %s has endpoints of one cluster only, so nothing is shared: %s", v.self.Name, say(count))
	case lo == 0 && hi == all:
		n.puzzles("%d calls cannot show an imbalance at the rate %g", all, alpha)
	case own < lo || own > hi:
		n.breaks("%d of %d calls from %s were answered by %s %s, outside %d..%d, which an expected share of %.4g leaves with a probability of %.2g at most (p = %.2g)",
			own, all, v.self.Name, whose, of.Version, lo, hi, want.share, falseFail, stats.PValue(own, all, want.share))
	}
	model := "exact: equal weights, independent draws"
	if !want.equal {
		model = "conservative: unequal weights, which Envoy serves almost in turn"
	}
	res := n.result("%d of %d calls from %s were answered by %s %s, within %d..%d for an expected share of %.4g",
		own, all, v.self.Name, whose, of.Version, lo, hi, want.share)
	low, high := stats.Interval(own, all, 0.05)
	res.measured = map[string]any{
		"replies": count, "expectedShare": digits(want.share), "share": digits(float64(own) / float64(max(all, 1))),
		"interval95": []float64{digits(low), digits(high)}, "pValue": digits(stats.PValue(own, all, want.share)),
		"band": []int{lo, hi}, "falseFailRate": digits(falseFail), "alpha": alpha, "model": model,
	}
	power(res.measured, all, want.share, alpha)
	return res
}

// power adds what the test would miss: a share that is 20 points off (70/30 where one half is expected), and the nearest
// shares that it misses with a probability of at most one in a million.
func power(measured map[string]any, n int, share, alpha float64) {
	if n == 0 || share <= 0 || share >= 1 {
		return
	}
	off := max(stats.Miss(n, share, alpha, min(1, share+0.2)), stats.Miss(n, share, alpha, max(0, share-0.2)))
	measured["missOf20PointsOff"] = digits(off)
	below, above := stats.Caught(n, share, alpha, 1e-6)
	measured["caughtBelow"], measured["caughtAbove"] = digits(below), digits(above)
}

// FalseFailRate is the probability with which the random checks of a run fail a mesh that conforms: the sum over its
// directions, also after each disruption, each with the share that its live weights give, or one half when they were not
// read. It is a bound for a run that leaves claims out: they count as the others.
func FalseFailRate(run evidence.Run) float64 {
	sum := falseFail(run, evidence.Joined, run.Intent.Samples) + secondChance(run.Intent)
	for _, id := range slices.Concat(run.Intent.Disruptions, run.Intent.Injections) {
		sum += falseFail(run, evidence.Repaired(id), run.Intent.DisruptionSamples) + secondChance(run.Intent)
		sum += falseFail(run, evidence.Broken(id), run.Intent.DisruptionSamples) // at most: few of them ask for balance while it is in force
	}
	return digits(sum)
}

func falseFail(run evidence.Run, epoch string, samples int) float64 {
	sum := 0.0
	for _, s := range eachDirection(run.Intent) {
		for _, version := range tested(s) {
			_, _, rate := stats.Band(samples, liveShare(view{run: run, epoch: epoch, subject: s}, version), run.Intent.Alpha)
			sum += rate
		}
	}
	return sum
}

// liveShare is the share that the live weights give a version, or that of one cluster among all when they were not read.
func liveShare(v view, version string) float64 {
	if c := v.cluster(v.self.Name); c != nil {
		if t, there := c.TrafficFor(evidence.Split); there {
			if want, err := expected(v, t, version); err == nil {
				return want.share
			}
		}
	}
	return 1 / float64(len(v.run.Intent.Clusters))
}
