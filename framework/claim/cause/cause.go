// Package cause names why a claim is not passed, from the evidence alone. Causes are a table, in the order of their
// certainty: the first that the evidence shows, and that can explain the claim, is the one. Each says which verdict it
// implies: what lies around the mesh (a server that does not answer, an image that cannot be pulled) makes a verdict
// inconclusive, because nothing can be said of the mesh then.
package cause

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// sameNetworkID is the cause that a run which follows the guide's printed text expects.
const sameNetworkID = "same-network"

// row is one cause.
type row struct {
	id string
	// sentence says what is wrong, for any mesh; shows says it of this one.
	sentence string
	// verdict is what it implies: claim.Failed, or claim.Inconclusive for what lies around the mesh.
	verdict claim.Verdict
	// explains are the claims that it can break; nil means all.
	explains []string
	// shows says in one sentence what in the evidence shows it, and where; "" when nothing does.
	shows func(sight) (sentence string, files []string)
	// remedy says what to do.
	remedy string
}

// sight is the evidence as one finding concerns it.
type sight struct {
	run   evidence.Run
	epoch string
	claim string
	// self is the finding's cluster, or the one that calls; peers are the others. For a finding on the whole mesh, self is
	// the zero value and peers are all.
	self  intent.Cluster
	peers []intent.Cluster
}

// all gives every cluster that the finding concerns.
func (s sight) all() []intent.Cluster {
	if s.self.Name == "" {
		return s.peers
	}
	return append([]intent.Cluster{s.self}, s.peers...)
}

// ordered gives the same in the order of the intent, for a cause that is one and the same in both directions.
func (s sight) ordered() []intent.Cluster {
	return slices.DeleteFunc(slices.Clone(s.run.Intent.Clusters), func(c intent.Cluster) bool {
		return !slices.ContainsFunc(s.all(), func(o intent.Cluster) bool { return o.Name == c.Name })
	})
}

// near gives the clusters in which the thing can be broken that the claim is about: its own for a claim about one cluster,
// every one for a claim about the way between them.
func (s sight) near() []intent.Cluster {
	if s.self.Name != "" && slices.Contains(ofOneCluster(), s.claim) {
		return []intent.Cluster{s.self}
	}
	return s.all()
}

// far gives the clusters whose gateway the claim is about: its own for a claim about one gateway, the others for a claim
// about the way to them. What a cluster was asked for came through its own.
func (s sight) far() []intent.Cluster {
	if s.claim == "served-by-peer" && s.self.Name != "" {
		return []intent.Cluster{s.self}
	}
	if s.self.Name != "" && !slices.Contains(ofOneCluster(), s.claim) {
		return s.peers
	}
	return s.near()
}

func look(run evidence.Run, f claim.Finding) (sight, bool) {
	all := claim.All()
	at := slices.IndexFunc(all, func(c claim.Claim) bool { return c.ID == f.Claim })
	if at < 0 {
		return sight{}, false
	}
	s := sight{run: run, epoch: all[at].Epoch, claim: f.Claim}
	from, _, _ := strings.Cut(f.Subject, " to ")
	if c, there := run.Intent.Cluster(from); there {
		s.self, s.peers = c, run.Intent.Peers(from)
	} else {
		s.peers = run.Intent.Clusters
	}
	return s, true
}

// Entry is a cause as a reader looks it up.
type Entry struct {
	ID string `json:"id"`
	// Verdict is what it implies for a finding: failed, or inconclusive for what lies around the mesh.
	Verdict  claim.Verdict `json:"verdict"`
	Sentence string        `json:"sentence"`
	Remedy   string        `json:"remedy"`
	// Explains are the claims that it can break; none means all.
	Explains []string `json:"explains,omitempty"`
}

// All gives every cause, the most certain first.
func All() []Entry {
	var all []Entry
	for _, r := range table() {
		all = append(all, Entry{ID: r.id, Verdict: r.verdict, Sentence: r.sentence, Remedy: r.remedy, Explains: r.explains})
	}
	return all
}

// IDs names every cause, the most certain first.
func IDs() []string {
	var all []string
	for _, e := range All() {
		all = append(all, e.ID)
	}
	return all
}

// Name gives the cause of a finding that is not passed, and the verdict that the cause implies; nil and the finding's own
// verdict when the evidence shows none.
func Name(run evidence.Run, f claim.Finding) (*claim.Cause, claim.Verdict) {
	cause, verdict, _ := find(run, f)
	return cause, verdict
}

func find(run evidence.Run, f claim.Finding, but ...string) (*claim.Cause, claim.Verdict, []string) {
	s, known := look(run, f)
	if !known || f.Verdict != claim.Failed && f.Verdict != claim.Inconclusive {
		return nil, f.Verdict, nil
	}
	for _, r := range table() {
		if r.explains != nil && !slices.Contains(r.explains, f.Claim) || slices.Contains(but, r.id) {
			continue
		}
		if f.Unseen && r.verdict != claim.Inconclusive {
			continue // nor does what is wrong with the mesh stand in for what was not seen of it
		}
		if sentence, files := r.shows(s); sentence != "" {
			return &claim.Cause{ID: r.id, Sentence: sentence + ".", Remedy: r.remedy}, r.verdict, files
		}
	}
	return nil, f.Verdict, nil
}

// ofOneNetwork are the causes that one network name brings along: raw addresses of pods of the other cluster, which mostly cannot
// be reached.
func ofOneNetwork() []string {
	return []string{sameNetworkID, "stale-endpoint", "remote-connections-failing", "endpoint-unhealthy", "gateway-wrong-address"}
}

// Apply gives the findings with their causes, and with the files that show them. A failed finding whose cause lies around
// the mesh becomes inconclusive; no cause makes a verdict worse or turns it into a pass. A run that expects findings about the
// guide is not to take one network name for all that is wrong: what stands behind it and does not come of it is named then.
func Apply(run evidence.Run, findings []claim.Finding) []claim.Finding {
	all := slices.Clone(findings)
	for i, f := range all {
		cause, verdict, files := find(run, f)
		if cause == nil {
			continue
		}
		all[i].Cause = cause
		if cause.ID == sameNetworkID && len(run.Intent.Expect) > 0 {
			if behind, verdict, _ := find(run, f, ofOneNetwork()...); behind != nil && verdict == claim.Failed {
				all[i].Cause = behind
			}
		}
		if verdict == claim.Inconclusive {
			all[i].Verdict = claim.Inconclusive
		}
		shown := slices.Concat(f.Evidence, files)
		slices.Sort(shown)
		all[i].Evidence = slices.Compact(shown)
	}
	return all
}
