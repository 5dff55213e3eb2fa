package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
)

// Difference is what changed from one run to another. Verdicts and core findings have weight: they say that the mesh is
// another, or that less or more of it was judged. Versions, fingerprints and counts are told beside them, because a reader
// who compares two runs often changed them on purpose, and chance moves the counts.
type Difference struct {
	From string `json:"from"` // the runs' ids
	To   string `json:"to"`
	// OfWeight tells that something of weight changed.
	OfWeight bool            `json:"ofWeight"`
	Verdict  *Change         `json:"verdict,omitempty"`
	Changed  []FindingChange `json:"changed,omitempty"`
	New      []FindingChange `json:"new,omitempty"`
	Gone     []FindingChange `json:"gone,omitempty"`
	Tested   []Change        `json:"tested,omitempty"`
	Split    []Change        `json:"split,omitempty"`
}

// Change is one thing that is not what it was.
type Change struct {
	What string `json:"what"`
	From string `json:"from"`
	To   string `json:"to"`
	// Reason is that of the later verdict.
	Reason string `json:"reason,omitempty"`
}

// FindingChange is a finding whose verdict changed, or that only one of the runs has.
type FindingChange struct {
	Claim   string        `json:"claim"`
	Subject string        `json:"subject"`
	From    claim.Verdict `json:"from,omitempty"` // "" = not in the first run
	To      claim.Verdict `json:"to,omitempty"`   // "" = not in the second run
	Reason  string        `json:"reason"`
	Cause   string        `json:"cause,omitempty"`
	// OfWeight tells that it is core in one of the runs.
	OfWeight bool `json:"ofWeight"`
}

// Diff compares two runs.
func Diff(a, b Finished) Difference {
	d := Difference{From: a.Findings.RunID, To: b.Findings.RunID}
	if a.Findings.Verdict != b.Findings.Verdict {
		d.Verdict = &Change{What: "verdict", From: string(a.Findings.Verdict), To: string(b.Findings.Verdict), Reason: b.Findings.Reason}
	}
	for _, f := range b.Findings.Findings {
		before, there := a.Findings.find(f)
		switch {
		case !there:
			d.New = append(d.New, changed(f, "", f.Verdict, f.Level))
		case before.Verdict != f.Verdict:
			d.Changed = append(d.Changed, changed(f, before.Verdict, f.Verdict, f.Level, before.Level))
		}
	}
	for _, f := range a.Findings.Findings {
		if _, there := b.Findings.find(f); !there {
			d.Gone = append(d.Gone, changed(f, f.Verdict, "", f.Level))
		}
	}
	d.Tested = differing(a.tested(), b.tested())
	d.Split = differing(splits(a.Findings.Findings), splits(b.Findings.Findings))
	d.OfWeight = d.Verdict != nil || slices.ContainsFunc(slices.Concat(d.Changed, d.New, d.Gone), func(c FindingChange) bool { return c.OfWeight })
	return d
}

// find gives the finding of the same claim on the same subject, and whether there is one.
func (f Findings) find(like claim.Finding) (claim.Finding, bool) {
	at := slices.IndexFunc(f.Findings, func(x claim.Finding) bool { return x.Claim == like.Claim && x.Subject == like.Subject })
	if at < 0 {
		return claim.Finding{}, false
	}
	return f.Findings[at], true
}

func changed(f claim.Finding, from, to claim.Verdict, levels ...claim.Level) FindingChange {
	c := FindingChange{Claim: f.Claim, Subject: f.Subject, From: from, To: to, Reason: f.Reason, OfWeight: slices.Contains(levels, claim.Core)}
	if f.Cause != nil {
		c.Cause = f.Cause.ID
	}
	return c
}

// splits tells who answered, by direction.
func splits(found []claim.Finding) []fact {
	var all []fact
	for _, f := range found {
		if n, ok := splitOf(f); ok {
			all = append(all, fact{f.Subject, n.replies()})
		}
	}
	return all
}

// differing gives the facts that are not the same in both lists, in the order of the second, then those that it lacks.
func differing(a, b []fact) []Change {
	value := func(of []fact, name string) string {
		if at := slices.IndexFunc(of, func(f fact) bool { return f.name == name }); at >= 0 {
			return of[at].value
		}
		return ""
	}
	var all []Change
	for i, f := range slices.Concat(b, a) {
		from, to := value(a, f.name), value(b, f.name)
		again := i >= len(b) && slices.ContainsFunc(b, func(x fact) bool { return x.name == f.name })
		if from != to && !again {
			all = append(all, Change{What: f.name, From: from, To: to})
		}
	}
	return all
}

// Text is the difference as lines for a person.
func (d Difference) Text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "runs: %s -> %s\n", d.From, d.To)
	if v := d.Verdict; v != nil {
		fmt.Fprintf(&out, "verdict: %s -> %s: %s\n", v.From, v.To, v.Reason)
	}
	for _, part := range []struct {
		word string
		all  []FindingChange
	}{{"changed", d.Changed}, {"new", d.New}, {"gone", d.Gone}} {
		for _, c := range part.all {
			fmt.Fprintf(&out, "%s: %s\n", part.word, c.text())
		}
	}
	for _, part := range []struct {
		word string
		all  []Change
	}{{"tested", d.Tested}, {"split", d.Split}} {
		for _, c := range part.all {
			fmt.Fprintf(&out, "%s: %s: %s -> %s\n", part.word, c.What, orDash(c.From), orDash(c.To))
		}
	}
	if d.OfWeight {
		out.WriteString("something of weight changed\n")
	} else {
		out.WriteString("nothing of weight changed\n")
	}
	return out.String()
}

func (c FindingChange) text() string {
	s := fmt.Sprintf("%s (%s): %s -> %s: %s", c.Claim, c.Subject, orDash(string(c.From)), orDash(string(c.To)), c.Reason)
	if c.Cause != "" {
		s += " [cause " + c.Cause + "]"
	}
	if !c.OfWeight {
		s += " (extended)"
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
