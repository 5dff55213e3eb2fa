package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/exitcode"
)

// Conclude gives the verdict on the whole run, and why, in one sentence. Core claims alone decide: failed when one of them
// failed; else inconclusive when one of them is inconclusive or skipped, or when there is none; else passed.
//
// Claims that were left out decide nothing; the sentence says how many they are, and claims nothing of the whole mesh.
//
// Where findings about the guide are expected, by their ids, they must be found, all of them, and nothing may be open but what
// they explain.
func Conclude(all []Finding, expected ...string) (Verdict, string) {
	if len(expected) > 0 {
		return concludeExpected(all, expected)
	}
	return conclude(all, judged(all))
}

// judged is how many core findings there are.
func judged(all []Finding) (n int) {
	for _, f := range all {
		if f.Level == Core {
			n++
		}
	}
	return n
}

// conclude is Conclude for findings out of so many core ones.
func conclude(all []Finding, judged int) (Verdict, string) {
	core := map[Verdict][]Finding{}
	claims, out := map[string]bool{}, map[string]bool{}
	for _, f := range all {
		if f.LeftOut {
			out[f.Claim] = true
		}
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
		return Failed, fmt.Sprintf("the mesh does not conform: %d of %d core findings failed, %s", len(core[Failed]), judged, leading(core[Failed])) + besides(out)
	case len(open) > 0:
		return Inconclusive, fmt.Sprintf("it could not be told whether the mesh conforms: %d of %d core findings are open, %s", len(open), judged, leading(open)) + besides(out)
	case len(out) > 0:
		return Passed, fmt.Sprintf("what was asked for holds: %d core claims (%d findings)%s, so that nothing is said of the mesh as a whole", len(claims), len(core[Passed]), besides(out))
	}
	return Passed, fmt.Sprintf("the mesh conforms: all %d core claims hold (%d findings)", len(claims), len(core[Passed]))
}

// besides says how many claims were left out.
func besides(out map[string]bool) string {
	if len(out) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d claims were left out", len(out))
}

// explained are the causes that come with a finding about the guide.
func explained(finding string) []string {
	if finding == oneNetwork {
		return []string{"same-network"}
	}
	return nil
}

// ExpectedAs gives the first of these findings about the guide that a finding is, or comes with; "" when it is none of them.
func (f Finding) ExpectedAs(expected []string) string {
	for _, id := range expected {
		if f.Finding == id || f.Cause != nil && slices.Contains(explained(id), f.Cause.ID) {
			return id
		}
	}
	return ""
}

func concludeExpected(all []Finding, expected []string) (Verdict, string) {
	open, because, others := slices.Clone(expected), 0, []Finding{}
	for _, f := range all {
		switch {
		case f.Level != Core || f.Verdict == Passed:
		case f.ExpectedAs(expected) != "":
			because++
			if f.Verdict == Failed {
				open = slices.DeleteFunc(open, func(id string) bool { return f.Finding == id })
			}
		default:
			others = append(others, f)
		}
	}
	list := strings.Join(expected, ", ")
	if len(others) > 0 {
		verdict, reason := conclude(others, judged(all))
		return verdict, fmt.Sprintf("more is wrong than was expected of the guide's printed text (%s): %s", list, reason)
	}
	if len(open) == 0 {
		return Passed, fmt.Sprintf("the guide's printed text gives exactly what is expected of it: %s (%d findings are open because of it)", list, because)
	}
	reason := fmt.Sprintf("expected of the guide's printed text, and not found: %s", strings.Join(open, ", "))
	for _, f := range all {
		if f.Verdict == Inconclusive && slices.Contains(open, f.Finding) {
			return Inconclusive, fmt.Sprintf("%s: %s", reason, f.Reason)
		}
	}
	return Failed, reason
}

// leading tells the finding to read first: the first whose cause is known, else the first that is not open only because the run
// had stopped before (it says nothing of why), else the first.
func leading(all []Finding) string {
	for _, f := range all {
		if f.Cause != nil {
			return fmt.Sprintf("among them %s (%s), because %s", f.Claim, f.Subject, strings.TrimSuffix(f.Cause.Sentence, "."))
		}
	}
	first, which := all[0], "the first is"
	if at := slices.IndexFunc(all, func(f Finding) bool { return !f.Follows() }); at > 0 {
		first, which = all[at], "among them"
	}
	return fmt.Sprintf("%s %s (%s): %s", which, first.Claim, first.Subject, clipped(first.Reason))
}

// clipped cuts a reason that is no sentence but a list of many: the finding has it whole.
func clipped(reason string) string {
	const most = 300
	if runes := []rune(reason); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return reason
}

// Follows tells a finding that is open only because the run had stopped before.
func (f Finding) Follows() bool { return strings.Contains(f.Reason, stoppedAt) }

// ExitCode is the process's exit code for findings: 1 failed, 3 inconclusive (no finding at all included), 0 passed.
func ExitCode(all []Finding, expected ...string) int {
	switch verdict, _ := Conclude(all, expected...); verdict {
	case Failed:
		return exitcode.Failed
	case Passed:
		return exitcode.Passed
	}
	return exitcode.CouldNotTell
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
