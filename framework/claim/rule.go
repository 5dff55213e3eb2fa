package claim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// rule is a claim with its parts: whom it is about, what it must be able to read, and how it is judged. A rule is judged
// only when all that it reads is there; until then its verdict is inconclusive, and the reason names what is missing.
type rule struct {
	Claim
	// asked says why this run does not make the claim; nil or "" = it does.
	asked func(intent.Intent) string
	// sample tells that it is about the sample: a run that deploys none and finds none cannot tell.
	sample bool
	about  func(intent.Intent) []subject
	reads  []part
	judge  func(view) result
}

// subject is what one finding is about.
type subject struct {
	name string
	// self is the cluster, or the one that calls; the zero value for the whole mesh.
	self intent.Cluster
	// peers are the other clusters; for the whole mesh all of them.
	peers []intent.Cluster
}

// eachCluster gives "east", "west".
func eachCluster(in intent.Intent) []subject {
	var all []subject
	for _, c := range in.Clusters {
		all = append(all, subject{name: c.Name, self: c, peers: in.Peers(c.Name)})
	}
	return all
}

// eachDirection gives "east to west", "west to east".
func eachDirection(in intent.Intent) []subject {
	all := eachCluster(in)
	for i, s := range all {
		var names []string
		for _, p := range s.peers {
			names = append(names, p.Name)
		}
		all[i].name = s.name + " to " + strings.Join(names, " and ")
	}
	return all
}

func wholeMesh(in intent.Intent) []subject {
	if len(in.Clusters) == 0 {
		return nil
	}
	return []subject{{name: "mesh", peers: in.Clusters}}
}

// view is a rule's sight of the evidence.
type view struct {
	run   evidence.Run
	epoch string
	subject
}

// sample is the namespace of sleep and helloworld.
func (v view) sample() string { return v.run.Intent.Namespace() }

func (v view) cluster(name string) *evidence.Cluster { return v.run.Cluster(v.epoch, name) }

// objects gives the API objects of a cluster that the rule reads; never nil then.
func (v view) objects(name string) *evidence.Kubernetes { return v.cluster(name).Kubernetes }

// calls gives the calls that a cluster made, when the rule reads them.
func (v view) calls(name, purpose string) evidence.Traffic {
	t, _ := v.cluster(name).TrafficFor(purpose)
	return t
}

// everyone gives self and the peers.
func (v view) everyone() []intent.Cluster {
	if v.self.Name == "" {
		return v.peers
	}
	return append([]intent.Cluster{v.self}, v.peers...)
}

// result is what a rule says about one subject.
type result struct {
	verdict  Verdict
	reason   string
	measured map[string]any
	// unseen tells that it is inconclusive for want of evidence.
	unseen bool
}

// notes collects what is wrong and what could not be told.
type notes struct {
	broken, unclear []string
	// absent tells that a page was not there.
	absent bool
}

func (n *notes) breaks(format string, args ...any) {
	n.broken = append(n.broken, fmt.Sprintf(format, args...))
}

func (n *notes) puzzles(format string, args ...any) {
	n.absent = n.absent || slices.ContainsFunc(args, func(a any) bool {
		err, is := a.(error)
		return is && errors.Is(err, evidence.ErrNotCollected)
	})
	n.unclear = append(n.unclear, fmt.Sprintf(format, args...))
}

// result is failed when something is wrong, else inconclusive when something could not be told, else passed with the
// sentence given.
func (n *notes) result(holds string, args ...any) result {
	switch {
	case len(n.broken) > 0:
		return result{verdict: Failed, reason: brief(n.broken)}
	case len(n.unclear) > 0:
		return result{verdict: Inconclusive, reason: brief(n.unclear), unseen: n.absent}
	}
	return result{verdict: Passed, reason: fmt.Sprintf(holds, args...)}
}

// maxReasons of one finding: the report is for people, and the evidence holds the rest.
const maxReasons = 4

func brief(reasons []string) string {
	if more := len(reasons) - maxReasons; more > 0 {
		return strings.Join(reasons[:maxReasons], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(reasons, "; ")
}

// claim binds the rule's judgement to the list's type.
func (r rule) claim() Claim {
	c := r.Claim
	c.Judge = r.guarded
	for _, p := range r.reads {
		if p.calls != "" && !slices.Contains(c.Calls, p.calls) {
			c.Calls = append(c.Calls, p.calls)
		}
	}
	return c
}

// guarded keeps a mistake in one judge from taking along the others' findings, and the run: the evidence may be of any shape.
func (r rule) guarded(run evidence.Run) (found []Finding) {
	defer func() {
		if mistake := recover(); mistake != nil {
			found = []Finding{{Claim: r.ID, Level: r.Level, Area: r.Area, Guide: r.Guide, Sentence: r.Sentence, Subject: "mesh",
				Verdict: Inconclusive, Reason: fmt.Sprintf("the evidence has a shape that this claim cannot judge: %v", mistake)}}
		}
	}()
	return r.findings(run)
}

func (r rule) findings(run evidence.Run) []Finding {
	subjects := r.about(run.Intent)
	if len(subjects) == 0 {
		return []Finding{r.finding(view{run: run, epoch: r.Epoch, subject: subject{name: "mesh"}}, result{verdict: Inconclusive,
			reason: fmt.Sprintf("%s names no cluster%s", evidence.IntentFile, because(run, evidence.IntentFile))})}
	}
	var all []Finding
	for _, s := range subjects {
		v := view{run: run, epoch: r.Epoch, subject: s}
		why, withheld := r.notAsked(run.Intent), r.withheld(run.Intent)
		switch {
		case why != "":
			all = append(all, r.unasked(v, cmp.Or(withheld, why)))
		case withheld != "":
			all = append(all, r.finding(v, result{verdict: Skipped, reason: withheld}))
		default:
			all = append(all, r.finding(v, r.look(v)))
		}
	}
	return all
}

// notAsked says why a run does not make the claim, or "".
func (r rule) notAsked(in intent.Intent) string {
	switch {
	case in.Standing && r.Epoch == evidence.Removed:
		return "the mesh stays: nothing was removed"
	case r.asked != nil:
		return r.asked(in)
	}
	return ""
}

// withheld says why a run that only reads cannot tell, or "". The claim counts all the same: a skipped core claim is never a
// pass.
func (r rule) withheld(in intent.Intent) string {
	switch {
	case !in.ReadOnly:
		return ""
	case r.Epoch == evidence.Removed:
		return "--read-only: nothing was removed"
	case slices.ContainsFunc(r.reads, func(p part) bool { return p.acts }):
		return "--read-only: no step was performed, nothing was deployed and no traffic was sent"
	case r.sample && in.NoSample:
		return "--read-only: the sample is not there, and none was deployed"
	}
	return ""
}

// unasked is the finding of a claim that this run does not make; it does not count towards the verdict.
func (r rule) unasked(v view, why string) Finding {
	return Finding{Claim: r.ID, Level: Extended, Area: r.Area, Guide: r.Guide, Sentence: r.Sentence, Subject: v.name, Verdict: Skipped, Reason: why}
}

func (r rule) look(v view) result {
	if gaps := r.gaps(v); len(gaps) > 0 {
		return result{verdict: Inconclusive, reason: brief(gaps), unseen: true}
	}
	got := r.judge(v)
	got.unseen = got.verdict == Inconclusive && (got.unseen || r.cutShort(v))
	if got.verdict == Passed && because(v.run, evidence.SumsFile) != "" {
		return result{verdict: Inconclusive, measured: got.measured, reason: "the evidence is not sealed as it must be (" + evidence.SumsFile + "), and says: " + got.reason}
	}
	return got
}

// cutShort tells whether calls that the rule reads were ended by something else than their own time.
func (r rule) cutShort(v view) bool {
	return slices.ContainsFunc(r.reads, func(p part) bool {
		return p.calls != "" && slices.ContainsFunc(p.of(v), func(c intent.Cluster) bool {
			t := v.calls(c.Name, p.calls)
			return t.Error != "" && !t.Overran()
		})
	})
}

func (r rule) finding(v view, got result) Finding {
	return Finding{
		Claim: r.ID, Level: r.Level, Area: r.Area, Guide: r.Guide, Sentence: r.Sentence, Subject: v.name,
		Finding: r.Finding, Verdict: got.verdict, Unseen: got.unseen, Reason: got.reason, Evidence: r.files(v), Measured: got.measured,
	}
}

// because gives why a file could not be read, or "".
func because(run evidence.Run, file string) string {
	for _, u := range run.Unreadable {
		if u.File == file {
			return ": " + u.Reason
		}
	}
	return ""
}

func sorted(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}
