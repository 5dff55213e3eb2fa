package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/suite"
)

// filterFlags are those that say which claims a run judges.
func filterFlags(f *pflag.FlagSet, by *suite.Filter) {
	name := func(flag string) string { return strings.TrimPrefix(flag, "--") }
	f.StringVar(&by.Focus, name(suite.FocusFlag), "", "judge only claims whose id this regular expression matches")
	f.StringVar(&by.Skip, name(suite.SkipFlag), "", "leave out claims whose id this regular expression matches")
	f.StringVar(&by.Labels, name(suite.LabelsFlag), "", "judge only claims with these labels: Ginkgo's expression over levels, areas, ids and disruptive, such as 'core && !disruptive'")
	f.StringVar(&by.Rerun, name(suite.RerunFlag), "", "judge only what failed or was inconclusive in the report in this directory, and core claims that were skipped there")
}

// choose puts into the options what a filter leaves out, and gives the claims that the run will judge. A run without a core claim
// could come to no verdict.
func choose(by suite.Filter, o *session.Options) ([]claim.Claim, error) {
	filtered := by != suite.Filter{}
	if filtered {
		left, err := by.LeftOut()
		if err != nil {
			return nil, &session.UsageError{Err: err}
		}
		o.LeftOut = left
	}
	asked, err := session.Claims(*o)
	if err != nil || !filtered {
		return asked, err
	}
	made, core := map[string]bool{}, 0
	for _, c := range asked {
		made[c.ID] = true
		if c.Level == claim.Core {
			core++
		}
	}
	for _, c := range claim.All() {
		if _, out := o.LeftOut[c.ID]; by.Rerun != "" && !out && c.Disruptive && !made[c.ID] {
			return nil, &session.UsageError{Err: fmt.Errorf("%s %s: %s is to be judged again, and this run does not change the mesh for it: give --disruptive, or leave it out with %s",
				suite.RerunFlag, by.Rerun, c.ID, suite.SkipFlag)}
		}
	}
	if core == 0 {
		return nil, &session.UsageError{Err: fmt.Errorf("no core claim is left that this run judges, and these alone give a verdict: widen %s, %s or %s (--list shows what is left), or give --disruptive for claims that change the mesh",
			suite.FocusFlag, suite.SkipFlag, suite.LabelsFlag)}
	}
	return asked, nil
}

// listClaims prints the claims that a run would judge, as meshproof claims prints all.
func listClaims(w io.Writer, asked []claim.Claim, output string) error {
	ids := map[string]bool{}
	for _, c := range asked {
		ids[c.ID] = true
	}
	var all []report.Requirement
	for _, r := range report.Requirements() {
		if ids[r.ID] {
			all = append(all, r)
		}
	}
	if output == asJSON {
		return printJSON(w, all)
	}
	return printClaims(w, all)
}
