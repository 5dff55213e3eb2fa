package claim

import (
	"fmt"
	"slices"
	"strings"
)

// Exit codes of a judged run.
const (
	exitPassed       = 0
	exitFailed       = 1
	exitInconclusive = 3
)

// Conclude gives the verdict on the whole run, and why, in one sentence. Core claims alone decide: failed when one of them
// failed; else inconclusive when one of them is inconclusive or skipped, or when there is none; else passed.
func Conclude(all []Finding) (Verdict, string) {
	core := map[Verdict][]Finding{}
	claims := map[string]bool{}
	for _, f := range all {
		if f.Level == Core {
			core[f.Verdict] = append(core[f.Verdict], f)
			claims[f.Claim] = true
		}
	}
	open := append(core[Inconclusive], core[Skipped]...)
	switch {
	case len(claims) == 0:
		return Inconclusive, "nothing could be told: no core claim was judged"
	case len(core[Failed]) > 0:
		return Failed, fmt.Sprintf("the mesh does not conform: %d of %d findings failed, %s", len(core[Failed]), len(all), leading(core[Failed]))
	case len(open) > 0:
		return Inconclusive, fmt.Sprintf("it could not be told whether the mesh conforms: %d of %d findings are open, %s", len(open), len(all), leading(open))
	}
	return Passed, fmt.Sprintf("the mesh conforms: all %d core claims hold (%d findings)", len(claims), len(core[Passed]))
}

// leading tells the finding to read first: the first whose cause is known, else the first.
func leading(all []Finding) string {
	for _, f := range all {
		if f.Cause != nil {
			return fmt.Sprintf("among them %s (%s), because %s", f.Claim, f.Subject, strings.TrimSuffix(f.Cause.Sentence, "."))
		}
	}
	return fmt.Sprintf("the first is %s (%s): %s", all[0].Claim, all[0].Subject, all[0].Reason)
}

// ExitCode is the process's exit code for findings: 1 failed, 3 inconclusive (no finding at all included), 0 passed.
func ExitCode(all []Finding) int {
	switch verdict, _ := Conclude(all); verdict {
	case Failed:
		return exitFailed
	case Passed:
		return exitPassed
	}
	return exitInconclusive
}

// Weight orders verdicts by how much they ask of a reader: passed, skipped, inconclusive, failed; -1 for none of them.
func (v Verdict) Weight() int {
	return slices.Index([]Verdict{Passed, Skipped, Inconclusive, Failed}, v)
}

// Worst gives the verdict of most weight among findings, of any level; "" when there is none.
func Worst(all []Finding) Verdict {
	var worst Verdict
	for _, f := range all {
		if f.Verdict.Weight() > worst.Weight() {
			worst = f.Verdict
		}
	}
	return worst
}
