package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/guide"
)

// view is the page as the templates read it: texts and numbers only, in the order in which they are shown.
type view struct {
	Page
	Mark     mark
	Headline string
	Detail   clipped
	Counts   []count
	Causes   []causeView
	Facts    []fact
	// Cells are the guide's cells that the run covers.
	Cells    string
	Columns  []string
	Rows     []row
	Full     []fact
	Maps     []meshMap
	Ways     []way
	Pairs    []fromRow
	Splits   []splitView
	Times    times
	Areas    []area
	Raw      []rawCalls
	Pods     []clusterPods
	Warnings []warning
	Gaps     []gap
	Deviate  []deviation
	Again    []command
	// Diagnostics are the page's, as links.
	Diagnostics []link
}

func newView(p Page) view {
	if p.EvidenceDir == "" {
		p.EvidenceDir = "evidence"
	}
	if p.RunID == "" {
		p.RunID = p.Run.Intent.RunID
	}
	v := view{
		Page: p, Mark: markOf(p.Verdict), Counts: counts(p.Findings), Causes: causes(p),
		Facts: facts(p), Cells: strings.Join(guide.Covered(p.Run.Intent), ", "), Rows: fingerprints(p.Run), Maps: meshMaps(p.Run), Ways: ways(p.Run), Pairs: pairs(p.Run), Splits: splits(p),
		Times: timesOf(p.Run), Areas: areas(p), Raw: rawCounts(p.Run), Pods: podsOf(p.Run),
		Warnings: warnings(p.Run), Gaps: gaps(p.Run), Deviate: deviations(p.Run.Steps), Again: again(p),
	}
	// A headline of the verdict alone could say of the mesh what the reason denies: where claims were left out, or findings expected.
	says, why, _ := strings.Cut(p.Reason, ": ")
	v.Headline, v.Detail = upperFirst(says), clip(sentence(why), firstScreen)
	for _, c := range p.Run.Intent.Clusters {
		v.Columns = append(v.Columns, c.Name)
	}
	for _, file := range p.Diagnostics {
		v.Diagnostics = append(v.Diagnostics, linkTo("", file))
	}
	v.lead()
	v.Full = inFull(v.Rows, v.Columns)
	return v
}

// mark is a verdict as a word, a style and a sign: never by colour alone.
type mark struct{ Word, Class, Sign string }

func markOf(v claim.Verdict) mark {
	switch v {
	case claim.Passed:
		return mark{"passed", "passed", "✓"}
	case claim.Failed:
		return mark{"failed", "failed", "✕"}
	case claim.Skipped:
		return mark{"skipped", "skipped", "–"}
	case claim.Inconclusive:
		return mark{"inconclusive", "inconclusive", "?"}
	}
	return mark{string(v), "inconclusive", "?"}
}

// count is how many findings have one verdict, with their place on a bar of all findings.
type count struct {
	Mark  mark
	N     int
	X, W  string
	Label string
	// Aside says how many of them are of extended claims, which decide nothing; To is where the page tells of them first, if it does.
	Aside, To string
}

func counts(found []claim.Finding) []count {
	var all []count
	at := 0
	for _, v := range []claim.Verdict{claim.Passed, claim.Failed, claim.Inconclusive, claim.Skipped} {
		n, core, of := 0, 0, "of extended claims"
		for _, f := range found {
			if f.Verdict != v {
				continue
			}
			n++
			if f.Level == claim.Core {
				core++
			}
			if f.LeftOut {
				of = "left out, or of extended claims"
			}
		}
		if n == 0 {
			continue
		}
		m := markOf(v)
		all = append(all, count{Mark: m, N: n, X: percent(at, len(found)), W: percent(n, len(found)), Aside: aside(v, n, core, of, all), Label: fmt.Sprintf("%d %s", n, m.Word)})
		at += n
	}
	return all
}

const nothingDecided = ", which decide nothing"

// aside tells how many of n findings with a verdict decide nothing, and once that they do not: of is why. Of passed ones nobody asks that.
func aside(v claim.Verdict, n, core int, of string, before []count) string {
	switch {
	case v == claim.Passed && core > 0 || core == n:
		return ""
	case core > 0:
		return fmt.Sprintf("(%d %s)", n-core, of)
	case slices.ContainsFunc(before, func(c count) bool { return strings.HasSuffix(c.Aside, nothingDecided) }):
		return of
	}
	return of + nothingDecided
}

// lead has every count point to the claims that come before the areas, where there are any.
func (v *view) lead() {
	for i := range v.Counts {
		if slices.ContainsFunc(v.Areas, func(a area) bool { return a.ID == v.Counts[i].Mark.Class }) {
			v.Counts[i].To = v.Counts[i].Mark.Class
		}
	}
}

// causeView is one cause with what it explains.
type causeView struct {
	ID, Sentence, Remedy string
	// Told is true when the verdict's reason holds the sentence already.
	Told     bool
	Explains []string
}

func causes(p Page) []causeView {
	var all []causeView
	for _, f := range p.Findings {
		if f.Cause == nil || f.Verdict == claim.Passed {
			continue
		}
		at := slices.IndexFunc(all, func(c causeView) bool { return c.ID == f.Cause.ID })
		if at < 0 {
			at = len(all)
			told := f.Cause.Sentence != "" && strings.Contains(p.Reason, strings.TrimSuffix(f.Cause.Sentence, "."))
			all = append(all, causeView{ID: f.Cause.ID, Sentence: sentence(f.Cause.Sentence), Remedy: f.Cause.Remedy, Told: told})
		}
		if !slices.Contains(all[at].Explains, f.Claim) {
			all[at].Explains = append(all[at].Explains, f.Claim)
		}
	}
	return all
}
