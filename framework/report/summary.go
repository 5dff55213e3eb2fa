package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

// Limits of the step summary: it is read in passing, and report.html has the rest.
const (
	maxSummaryRows  = 20
	maxSummaryNames = 5
	maxSummaryText  = 400
)

// SummaryVariable names the file to which a step of a GitHub job appends what the job's page is to show.
const SummaryVariable = "GITHUB_STEP_SUMMARY"

// AppendSummary adds the run's summary to that file; "" means there is none.
func AppendSummary(path string, f Findings, run evidence.Run) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the step summary that %s names: %w", SummaryVariable, err)
	}
	_, err = file.WriteString(Summary(f, run))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the step summary that %s names: %w", SummaryVariable, err)
	}
	return nil
}

// Summary is the run as a GitHub step summary (GitHub-flavoured Markdown): the verdict with its reason, causes with what
// to do, what was tested, the split, and the findings that are not passed. Whoever has a place for it appends it there:
// in a GitHub job that is the file that GITHUB_STEP_SUMMARY names. No text of the run is taken as markup.
func Summary(f Findings, run evidence.Run) string {
	var out strings.Builder
	fmt.Fprintf(&out, "## %s meshproof: %s\n\n%s\n\n", sign(f.Verdict), markdown(string(f.Verdict)), markdown(f.Reason))
	if planted := run.Intent.Planted; len(planted) > 0 {
		fmt.Fprintf(&out, "This run planted %s on purpose, to see that it is caught.\n\n", markdown(strings.Join(planted, ", ")))
	}
	summarizeCauses(&out, f.Findings)
	summarizeClusters(&out, run)
	summarizeSplit(&out, f.Findings)
	summarizeOpen(&out, f.Findings)
	summarizeRun(&out, f, run)
	return out.String()
}

func sign(v claim.Verdict) string {
	switch v {
	case claim.Passed:
		return "✅"
	case claim.Failed:
		return "❌"
	}
	return "❔"
}

func summarizeCauses(out *strings.Builder, found []claim.Finding) {
	var told []string
	for _, f := range found {
		if f.Cause == nil || f.Verdict == claim.Passed || slices.Contains(told, f.Cause.ID) {
			continue
		}
		told = append(told, f.Cause.ID)
		fmt.Fprintf(out, "> **Cause %s:** %s\n>\n> **What to do:** %s\n\n", code(f.Cause.ID), markdown(f.Cause.Sentence), markdown(f.Cause.Remedy))
	}
}

// summarizeClusters is a table with a column for each cluster; rows of which nothing was seen are left out.
func summarizeClusters(out *strings.Builder, run evidence.Run) {
	prints := fingerprints(run)
	if len(prints) == 0 {
		return
	}
	var rows []string
	head, rule := "| |", "|---|"
	for _, p := range prints {
		head += " " + markdown(p.Name) + " |"
		rule += "---|"
	}
	for _, r := range []struct {
		name string
		of   func(fingerprint) string
	}{
		{"Kubernetes", func(p fingerprint) string { return p.Kubernetes }},
		{"istiod", func(p fingerprint) string { return strings.Join(p.Istiod, ", ") }},
		{"Proxy image", func(p fingerprint) string { return strings.Join(p.Proxies, ", ") }},
		{"Root (SHA-256)", func(p fingerprint) string { return p.Root }},
	} {
		line, known := "| "+r.name+" |", false
		for _, p := range prints {
			value := r.of(p)
			known = known || value != ""
			line += " " + code(value) + " |"
		}
		if known {
			rows = append(rows, line)
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(out, "%s\n%s\n%s\n\n", head, rule, strings.Join(rows, "\n"))
	}
}

// splitNumbers are what the table of the split shows of a finding. They are read through JSON, so that findings from a file
// read the same as ones that were just judged.
type splitNumbers struct {
	Replies  map[string]int `json:"replies"`
	Band     []int          `json:"band"`
	Interval []float64      `json:"interval95"`
	Share    float64        `json:"share"`
	Expected float64        `json:"expectedShare"`
}

// splitOf gives the numbers of a finding on the split, and whether it has them.
func splitOf(f claim.Finding) (n splitNumbers, ok bool) {
	body, err := json.Marshal(f.Measured)
	if f.Claim != "split-balanced" || err != nil || json.Unmarshal(body, &n) != nil {
		return n, false
	}
	return n, len(n.Band) == 2 && len(n.Interval) == 2
}

// replies tells how often each version answered, in the order of their names.
func (n splitNumbers) replies() string {
	var all []string
	for version, count := range n.Replies {
		all = append(all, fmt.Sprintf("%s %d", version, count))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func summarizeSplit(out *strings.Builder, found []claim.Finding) {
	begun := false
	for _, f := range found {
		n, ok := splitOf(f)
		if !ok {
			continue
		}
		if !begun {
			fmt.Fprint(out, "| Split | Replies | Own share | 95 % interval | Expected | Passes | Verdict |\n|---|---|---|---|---|---|---|\n")
			begun = true
		}
		fmt.Fprintf(out, "| %s | %s | %.1f %% | %.1f to %.1f %% | %.1f %% | %d to %d own replies | %s %s |\n", markdown(f.Subject),
			markdown(n.replies()), 100*n.Share, 100*n.Interval[0], 100*n.Interval[1], 100*n.Expected, n.Band[0], n.Band[1],
			sign(f.Verdict), markdown(string(f.Verdict)))
	}
	if begun {
		fmt.Fprintln(out)
	}
}

// openRow is what is not passed for one reason.
type openRow struct {
	verdict        claim.Verdict
	reason, guide  string
	names, subject []string
}

// summarizeOpen lists what is not passed, failed findings first; findings of one verdict and one reason share a row, for
// when a run has stopped many have the same.
func summarizeOpen(out *strings.Builder, found []claim.Finding) {
	var rows []openRow
	for _, v := range []claim.Verdict{claim.Failed, claim.Inconclusive, claim.Skipped} {
		for _, f := range found {
			if f.Verdict == v {
				rows = addOpen(rows, f)
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprint(out, "| Claim | Subject | Verdict | Guide | Reason |\n|---|---|---|---|---|\n")
	for _, r := range rows[:min(len(rows), maxSummaryRows)] {
		names := strings.Join(r.names[:min(len(r.names), maxSummaryNames)], ", ")
		if more := len(r.names) - maxSummaryNames; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		guide := markdown(r.guide)
		if len(r.names) > 1 {
			guide = ""
		}
		fmt.Fprintf(out, "| %s | %s | %s %s | %s | %s |\n", names, markdown(strings.Join(r.subject, ", ")), sign(r.verdict), markdown(string(r.verdict)),
			guide, markdown(r.reason))
	}
	if more := len(rows) - maxSummaryRows; more > 0 {
		fmt.Fprintf(out, "\nReasons that are not listed here: %d.\n", more)
	}
	fmt.Fprintln(out)
}

func addOpen(rows []openRow, f claim.Finding) []openRow {
	at := slices.IndexFunc(rows, func(r openRow) bool { return r.verdict == f.Verdict && r.reason == f.Reason })
	if at < 0 {
		at = len(rows)
		rows = append(rows, openRow{verdict: f.Verdict, reason: f.Reason, guide: f.Guide})
	}
	name := code(f.Claim)
	if f.Level == claim.Extended {
		name += " (extended)"
	}
	if !slices.Contains(rows[at].names, name) {
		rows[at].names = append(rows[at].names, name)
	}
	if !slices.Contains(rows[at].subject, f.Subject) {
		rows[at].subject = append(rows[at].subject, f.Subject)
	}
	return rows
}

func summarizeRun(out *strings.Builder, f Findings, run evidence.Run) {
	count := map[claim.Verdict]int{}
	for _, x := range f.Findings {
		count[x.Verdict]++
	}
	in := run.Intent
	fmt.Fprintf(out, "%d passed, %d failed, %d inconclusive, %d skipped. Run %s, platform %s, CA %s, mode %s, revision %s, %d calls a direction.\n",
		count[claim.Passed], count[claim.Failed], count[claim.Inconclusive], count[claim.Skipped],
		code(f.RunID), code(in.Platform), code(in.Authority()), code(string(in.Mode)), code(in.Revision), in.Samples)
}

// markdown is a text on one line, cut to a length, without any sign that Markdown, HTML or a table takes for its own.
func markdown(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxSummaryText {
		runes := []rune(s)
		s = string(runes[:maxSummaryText/2]) + " … " + string(runes[len(runes)-maxSummaryText/2:])
	}
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
		"#", `\#`, "~", `\~`, "!", `\!`, "@", "&#64;", "://", "&#58;//", "www.", "www&#46;",
	).Replace(s)
}

// code is a name as code; nothing is a dash.
func code(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "–"
	}
	return "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(s) + "`"
}
