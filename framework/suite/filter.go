package suite

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
)

// Filter says which claims a run is to judge; what is empty lets all of them through.
type Filter struct {
	// Focus and Skip are regular expressions for a claim's id.
	Focus, Skip string
	// Labels is Ginkgo's expression over the labels of a claim's spec.
	Labels string
	// Rerun is a report directory: what failed or could not be told there is to be judged again, and nothing else.
	Rerun string
}

// Names of the flags that a filter comes from; they are the reason why a claim is left out.
const (
	FocusFlag  = "--focus"
	SkipFlag   = "--skip"
	LabelsFlag = "--label-filter"
	RerunFlag  = "--rerun-failed"
)

// LeftOut gives the claims that the filter leaves out, by their ids, each with the part that does it. A filter that can only
// be a mistake is an error.
func (f Filter) LeftOut() (map[string]string, error) {
	parts, err := f.parts()
	if err != nil {
		return nil, err
	}
	left := map[string]string{}
	for _, p := range parts {
		matched := 0
		for _, c := range claim.All() {
			keeps := p.keeps(c)
			if keeps != p.inverse {
				matched++
			}
			if _, already := left[c.ID]; !keeps && !already {
				left[c.ID] = p.reason
			}
		}
		if matched == 0 {
			return nil, fmt.Errorf("%s: it is about no claim: see meshproof claims", p.reason)
		}
	}
	if len(left) == len(claim.All()) {
		return nil, errors.New(strings.Join(reasons(parts), " with ") + ": no claim is left: widen one of them, and see what is left with --list")
	}
	return left, nil
}

// part is one flag of a filter. An inverse one names what it does not keep.
type part struct {
	reason  string
	inverse bool
	keeps   func(claim.Claim) bool
}

func reasons(parts []part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.reason)
	}
	return all
}

func (f Filter) parts() ([]part, error) {
	var parts []part
	for _, of := range []struct {
		flag, text string
		inverse    bool
	}{{FocusFlag, f.Focus, false}, {SkipFlag, f.Skip, true}} {
		if of.text == "" {
			continue
		}
		expression, err := regexp.Compile(of.text)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w: give a regular expression for the ids of claims (meshproof claims)", of.flag, of.text, err)
		}
		keeps := func(c claim.Claim) bool { return expression.MatchString(c.ID) != of.inverse }
		parts = append(parts, part{of.flag + " " + of.text, of.inverse, keeps})
	}
	if f.Labels != "" {
		matches, err := types.ParseLabelFilter(f.Labels)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %s: give an expression such as 'core && !disruptive' over levels, areas, ids and disruptive (meshproof claims)",
				LabelsFlag, f.Labels, fault(err))
		}
		parts = append(parts, part{LabelsFlag + " " + f.Labels, false, func(c claim.Claim) bool { return matches(Labels(c)) }})
	}
	if f.Rerun != "" {
		again, err := open(f.Rerun)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{RerunFlag + " " + f.Rerun, false, func(c claim.Claim) bool { return slices.Contains(again, c.ID) }})
	}
	return parts, nil
}

// open gives the claims that failed or could not be told in a finished run: also core claims that were not looked at (--read-only),
// since without them there is no verdict on the mesh. What was left out counts as extended.
func open(dir string) ([]string, error) {
	finished, err := report.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", RerunFlag, err)
	}
	var ids []string
	for _, f := range finished.Findings.Findings {
		if f.Verdict == claim.Failed || f.Verdict == claim.Inconclusive || f.Verdict == claim.Skipped && f.Level == claim.Core {
			ids = append(ids, f.Claim)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s %s: nothing failed there, nothing was inconclusive, and no core claim was skipped: there is nothing to do again", RerunFlag, dir)
	}
	return ids, nil
}

// fault is the reason in an error of Ginkgo's, without the coloured picture of the place around it.
func fault(err error) string {
	var g types.GinkgoError
	if !errors.As(err, &g) {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(g.Message), "\n")
	return strings.TrimSuffix(lines[len(lines)-1], ".")
}
