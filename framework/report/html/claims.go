package html

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
)

// common is how many findings must share a reason for it to be told folded: then something else has stopped them all,
// and what stopped them is told where it belongs.
const common = 3

// area is one part of the story with its claims, or what comes before all parts: the claims of one verdict that need a reader.
type area struct {
	Name, ID string
	Claims   []claimView
	// Aside are extended claims that were not judged: nobody waits for them.
	Aside []claimView
	Marks []count
}

type claimView struct {
	ID, Sentence, Guide string
	Level, Area         string
	Mark                mark
	// Open claims are shown unfolded: those that are not passed, for a reason of their own, unless the run was not asked for them.
	Open bool
	// Lead claims stand before the areas, so each names its own.
	Lead     bool
	Subjects []subject
	found    []claim.Finding
}

// subject is one finding.
type subject struct {
	Name   string
	Mark   mark
	Reason clipped
	// Cause has no sentence and no remedy where the top of the page has the same.
	Cause    *claim.Cause
	Evidence []link
	Measured []fact
}

// firsts are the verdicts whose claims come before the areas, the worst first.
func firsts() []area {
	return []area{{Name: "What failed", ID: "failed"}, {Name: "What could not be told", ID: "inconclusive"}, {Name: "What was not judged", ID: "skipped"}}
}

// areas gives every claim once: first what a reader must see, worst first, then the rest by the parts of the story.
func areas(p Page) []area {
	before := firsts()
	var all []area
	for _, c := range claimViews(p) {
		if at := slices.IndexFunc(before, func(a area) bool { return a.ID == c.Mark.Class }); at >= 0 && c.leads() {
			c.Lead = true
			before[at].Claims = append(before[at].Claims, c)
			continue
		}
		at := slices.IndexFunc(all, func(a area) bool { return a.Name == c.Area })
		if at < 0 {
			at = len(all)
			all = append(all, area{Name: c.Area})
		}
		if !slices.ContainsFunc(c.found, func(f claim.Finding) bool { return !unasked(f) }) {
			all[at].Aside = append(all[at].Aside, c)
		} else {
			all[at].Claims = append(all[at].Claims, c)
		}
	}
	for _, a := range before { // what decides the verdict comes first
		slices.SortStableFunc(a.Claims, func(x, y claimView) int { return cmp.Compare(x.Level, y.Level) })
	}
	all = slices.Concat(slices.DeleteFunc(before, func(a area) bool { return len(a.Claims) == 0 }), all)
	for i := range all {
		var found []claim.Finding
		for _, c := range slices.Concat(all[i].Claims, all[i].Aside) {
			found = append(found, c.found...)
		}
		all[i].Marks = counts(found)
		if all[i].ID != "" { // its heading says what it is about
			all[i].Marks = slices.DeleteFunc(all[i].Marks, func(c count) bool { return c.Mark.Class != all[i].ID })
		}
	}
	return all
}

// leads tells what comes before the areas. What something else has stopped is no news, but a failure always is.
func (c claimView) leads() bool { return c.Open || c.Mark.Class == string(claim.Failed) }

func claimViews(p Page) []claimView {
	var all []claimView
	sharing := map[string]int{}
	for _, f := range p.Findings {
		sharing[f.Reason]++
	}
	told := causes(p)
	for _, f := range p.Findings {
		at := slices.IndexFunc(all, func(c claimView) bool { return c.ID == f.Claim })
		if at < 0 {
			at = len(all)
			all = append(all, claimView{ID: f.Claim, Sentence: f.Sentence, Guide: f.Guide, Level: string(f.Level), Area: string(f.Area), Mark: markOf(f.Verdict)})
		}
		all[at].add(f, subjectOf(p, f, told), f.Verdict != claim.Passed && !unasked(f) && !f.Follows() && sharing[f.Reason] < common)
	}
	for _, c := range all { // the worst first
		slices.SortStableFunc(c.Subjects, func(a, b subject) int { return cmp.Compare(weight(b.Mark), weight(a.Mark)) })
	}
	return all
}

// unasked tells what was skipped and decides nothing: nobody is waiting for it.
func unasked(f claim.Finding) bool { return f.Verdict == claim.Skipped && f.Level == claim.Extended }

func (c *claimView) add(f claim.Finding, s subject, open bool) {
	c.Subjects, c.found = append(c.Subjects, s), append(c.found, f)
	if weight(s.Mark) > weight(c.Mark) {
		c.Mark = s.Mark
	}
	c.Open = c.Open || open
}

// weight orders verdicts: a claim shows the worst of its subjects'.
func weight(m mark) int { return claim.Verdict(m.Class).Weight() }

func subjectOf(p Page, f claim.Finding, told []causeView) subject {
	most := inPlace
	if f.Reason != "" && strings.Contains(p.Reason, f.Reason) {
		most = toldAgain
	}
	s := subject{Name: f.Subject, Mark: markOf(f.Verdict), Reason: clip(sentence(f.Reason), most), Cause: untold(f.Cause, told), Measured: numbers(f.Measured)}
	for _, file := range f.Evidence {
		l := linkTo(p.EvidenceDir, file)
		if p.Unsaved[file] {
			l.Href = ""
		}
		s.Evidence = append(s.Evidence, l)
	}
	return s
}

// untold gives a finding's cause without what the top of the page says of it.
func untold(c *claim.Cause, told []causeView) *claim.Cause {
	if c == nil {
		return nil
	}
	rest := *c
	if at := slices.IndexFunc(told, func(o causeView) bool { return o.ID == c.ID }); at >= 0 {
		if told[at].Sentence == sentence(c.Sentence) {
			rest.Sentence = ""
		}
		if told[at].Remedy == c.Remedy {
			rest.Remedy = ""
		}
	}
	return &rest
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
