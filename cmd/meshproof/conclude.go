package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/shell"
	"github.com/meshproof/meshproof/framework/suite"
)

// conclude gives the exit code as an error. A run that came to no outcome ends with what went wrong.
func conclude(env *suite.Env) error {
	found := env.Outcome.Findings
	switch {
	case env.Outcome.ReportDir == "":
		return env.Err
	case found.Verdict == "" || found.ExitCode == 0 && env.Err != nil:
		return exitError(exitcode.CouldNotTell)
	case found.ExitCode != 0:
		return exitError(found.ExitCode)
	}
	return nil
}

// printEnd prints the findings, what is left, and the verdict as the last line.
func printEnd(w io.Writer, env *suite.Env) {
	tell(w, env.Outcome.Findings.Findings)
	if env.Err != nil {
		fmt.Fprintln(progress.Guarded(os.Stderr), "meshproof:", env.Err)
	}
	for _, l := range kept(env.Outcome) {
		fmt.Fprintln(w, l)
	}
	found := env.Outcome.Findings
	if found.Verdict != claim.Passed {
		fmt.Fprintln(w, next(env.Outcome.ReportDir))
	}
	fmt.Fprintf(w, "verdict: %s: %s; report: %s\n", found.Verdict, oneLine(found.Reason), env.Outcome.ReportDir)
}

// next says what to do about a run that did not pass. Where it had no cluster yet, there are no diagnostics.
func next(dir string) string {
	saved := filepath.Join(dir, session.DiagnosticsDir)
	if _, err := os.Stat(saved); err == nil {
		saved = "what was saved at the failure is in " + saved + "; "
	} else {
		saved = ""
	}
	return fmt.Sprintf("next: read %s; %sdocs/troubleshooting.md (meshproof causes) says what to do about each cause; "+
		"meshproof run --rerun-failed %s, with the same flags as this run, judges again what is open", filepath.Join(dir, report.PageFile), saved, shell.Word(dir))
}

// kept says what is still there after a run, and what of it stays for the next one.
func kept(o session.Outcome) []string {
	var all []string
	for _, l := range o.Left {
		all = append(all, "left: "+l)
	}
	for _, l := range o.Stays {
		all = append(all, "stays for the next run: "+l)
	}
	return all
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// tell prints a sentence per finding, what is open last: there a terminal shows it. Findings that are open, or skipped, for one and the
// same reason are told once, and counted.
func tell(w io.Writer, found []claim.Finding) {
	for _, verdict := range []claim.Verdict{claim.Passed, claim.Skipped, claim.Inconclusive, claim.Failed} {
		counted := map[string]int{}
		for _, f := range found {
			if f.Verdict != verdict {
				continue
			}
			if why := shared(f); why != "" {
				counted[why]++
				continue
			}
			fmt.Fprintln(w, report.Sentence(f))
		}
		for _, why := range slices.Sorted(maps.Keys(counted)) {
			fmt.Fprintf(w, "%-12s %d more: %s\n", verdict, counted[why], why)
		}
	}
}

// shared is a reason that a finding has with many others; "" when it has its own.
func shared(f claim.Finding) string {
	_, step, stopped := strings.Cut(f.Reason, "the run stopped at ")
	switch {
	case stopped && f.Verdict == claim.Inconclusive:
		step, _, _ = strings.Cut(step, ",")
		return "the run stopped at " + step
	case strings.HasPrefix(f.Reason, claim.NotDone) && f.Verdict == claim.Skipped:
		return "the run did not do to the mesh what they are about (--disruptive, --disruption)"
	}
	return ""
}
