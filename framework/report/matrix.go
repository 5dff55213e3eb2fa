package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report/html"
)

// Matrix lays runs side by side, in the order in which they are given. A run that is given again, as by the link
// reports/latest, has one column.
func Matrix(runs []Finished) html.Matrix {
	var m html.Matrix
	runs = once(runs)
	for _, r := range runs {
		began := ""
		if !r.conformance.Began.IsZero() {
			began = r.conformance.Began.UTC().Format(time.RFC3339)
		}
		m.Runs = append(m.Runs, html.MatrixRun{ID: r.Findings.RunID, Began: began, Verdict: r.Findings.Verdict, Reason: r.Findings.Reason})
		for _, f := range r.Findings.Findings {
			if f.Verdict != claim.Passed && (f.Verdict != claim.Skipped || f.Level == claim.Core) {
				m.Open = append(m.Open, html.MatrixOpen{Run: r.Findings.RunID, Finding: f})
			}
		}
	}
	m.Facts, m.Claims = matrixFacts(runs), matrixClaims(runs)
	return m
}

func once(runs []Finished) []Finished {
	var all []Finished
	for _, r := range runs {
		if !slices.ContainsFunc(all, func(x Finished) bool {
			return x.Findings.RunID == r.Findings.RunID && x.conformance.Began.Equal(r.conformance.Began)
		}) {
			all = append(all, r)
		}
	}
	return all
}

// matrixFacts has a row for everything that a run tells and that is not empty in all of them.
func matrixFacts(runs []Finished) []html.MatrixFact {
	var all []html.MatrixFact
	for i, r := range runs {
		for _, f := range r.tested() {
			at := slices.IndexFunc(all, func(x html.MatrixFact) bool { return x.Name == f.name })
			if at < 0 {
				at = len(all)
				all = append(all, html.MatrixFact{Name: f.name, Values: make([]string, len(runs))})
			}
			all[at].Values[i] = f.value
		}
	}
	all = slices.DeleteFunc(all, func(f html.MatrixFact) bool { return strings.Join(f.Values, "") == "" })
	for i, f := range all {
		all[i].Differs = slices.ContainsFunc(f.Values, func(v string) bool { return v != f.Values[0] })
	}
	return all
}

// matrixClaims has a row for every claim of a run: those of the first run in its order, then those that only later ones have.
func matrixClaims(runs []Finished) []html.MatrixClaim {
	var all []html.MatrixClaim
	for i, r := range runs {
		for _, f := range r.Findings.Findings {
			at := slices.IndexFunc(all, func(x html.MatrixClaim) bool { return x.ID == f.Claim })
			if at < 0 {
				at = len(all)
				all = append(all, html.MatrixClaim{ID: f.Claim, Area: f.Area, Extended: true, Sentence: f.Sentence, Verdicts: make([]claim.Verdict, len(runs))})
			}
			row := &all[at]
			row.Extended = row.Extended && f.Level == claim.Extended
			if f.Verdict.Weight() > row.Verdicts[i].Weight() {
				row.Verdicts[i] = f.Verdict
			}
		}
	}
	return all
}

// MatrixMarkdown is the matrix as GitHub-flavoured Markdown.
func MatrixMarkdown(m html.Matrix) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# meshproof: %d runs\n\n", len(m.Runs))
	line := func(name string, cell func(i int) string) {
		fmt.Fprintf(&out, "| %s |", name)
		for i := range m.Runs {
			fmt.Fprintf(&out, " %s |", cell(i))
		}
		fmt.Fprintln(&out)
	}
	head := func() {
		line("", func(i int) string { return code(m.Runs[i].ID) })
		line("---", func(int) string { return "---" })
	}
	head()
	line("Verdict", func(i int) string { return cell(m.Runs[i].Verdict) })
	line("Began", func(i int) string { return markdown(m.Runs[i].Began) })
	for _, f := range m.Facts {
		line(markdown(f.Name), func(i int) string { return code(f.Values[i]) })
	}
	fmt.Fprintln(&out)
	head()
	for _, c := range m.Claims {
		name := code(c.ID)
		if c.Extended {
			name += " (extended)"
		}
		line(name, func(i int) string { return cell(c.Verdicts[i]) })
	}
	if len(m.Open) > 0 {
		fmt.Fprint(&out, "\n## What is not passed\n\n")
	}
	for _, o := range m.Open {
		fmt.Fprintf(&out, "- %s %s %s (%s): %s", cell(o.Verdict), code(o.Run), code(o.Claim), markdown(o.Subject), markdown(o.Reason))
		if o.Cause != nil {
			fmt.Fprintf(&out, " **Cause %s:** %s **What to do:** %s", code(o.Cause.ID), markdown(o.Cause.Sentence), markdown(o.Cause.Remedy))
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}

// cell is a verdict in a table; a run without it is a dash.
func cell(v claim.Verdict) string {
	if v == "" {
		return "–"
	}
	return sign(v) + " " + markdown(string(v))
}
