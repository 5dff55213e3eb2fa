package html

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
)

// common is how many findings must share a reason for it to be told folded: then something else has stopped them all,
// and what stopped them is told where it belongs.
const common = 3

// area is one part of the story with its claims.
type area struct {
	Name   string
	Claims []claimView
	Marks  []count
}

type claimView struct {
	ID, Sentence, Guide string
	Level               string
	Mark                mark
	// Open claims are shown unfolded: those that are not passed, for a reason of their own, unless the run was not asked for them.
	Open     bool
	Subjects []subject
}

// subject is one finding.
type subject struct {
	Name     string
	Mark     mark
	Reason   clipped
	Cause    *claim.Cause
	Evidence []link
	Measured []fact
}

func areas(p Page) []area {
	var all []area
	sharing := map[string]int{}
	for _, f := range p.Findings {
		sharing[f.Reason]++
	}
	for _, f := range p.Findings {
		at := slices.IndexFunc(all, func(a area) bool { return a.Name == string(f.Area) })
		if at < 0 {
			at = len(all)
			all = append(all, area{Name: string(f.Area)})
		}
		all[at].add(f, subjectOf(p, f), f.Verdict != claim.Passed && !unasked(f) && sharing[f.Reason] < common)
	}
	for i := range all {
		var inArea []claim.Finding
		for _, f := range p.Findings {
			if string(f.Area) == all[i].Name {
				inArea = append(inArea, f)
			}
		}
		all[i].Marks = counts(inArea)
	}
	return all
}

// unasked tells what was skipped and decides nothing: nobody is waiting for it.
func unasked(f claim.Finding) bool { return f.Verdict == claim.Skipped && f.Level == claim.Extended }

func (a *area) add(f claim.Finding, s subject, open bool) {
	at := slices.IndexFunc(a.Claims, func(c claimView) bool { return c.ID == f.Claim })
	if at < 0 {
		at = len(a.Claims)
		a.Claims = append(a.Claims, claimView{ID: f.Claim, Sentence: f.Sentence, Guide: f.Guide, Level: string(f.Level), Mark: s.Mark})
	}
	c := &a.Claims[at]
	c.Subjects = append(c.Subjects, s)
	if weight(s.Mark) > weight(c.Mark) {
		c.Mark = s.Mark
	}
	c.Open = c.Open || open
}

// weight orders verdicts: a claim shows the worst of its subjects'.
func weight(m mark) int { return claim.Verdict(m.Class).Weight() }

func subjectOf(p Page, f claim.Finding) subject {
	s := subject{Name: f.Subject, Mark: markOf(f.Verdict), Reason: clip(sentence(f.Reason), inPlace), Cause: f.Cause, Measured: numbers(f.Measured)}
	for _, file := range f.Evidence {
		s.Evidence = append(s.Evidence, linkTo(p.EvidenceDir, file))
	}
	return s
}

// numbers gives what a finding has measured, by name; a value that is no plain one is shown as JSON.
func numbers(measured map[string]any) []fact {
	var all []fact
	for name, value := range measured {
		text, err := json.Marshal(value)
		if err != nil {
			text = []byte(fmt.Sprint(value))
		}
		var plain string
		if json.Unmarshal(text, &plain) != nil {
			plain = string(text)
		}
		all = append(all, fact{name, plain})
	}
	slices.SortFunc(all, func(a, b fact) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
