package main

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

func claimCommand() *cobra.Command {
	var from, output string
	c := &cobra.Command{
		Use:   "claim ID",
		Short: "Judge one claim from a finished run's evidence, without a cluster",
		Long: `Judges one claim again from the evidence of a finished run, and prints its findings with the files
that show them. The exit code is that of its worst finding: 0 passed, 1 failed, 3 inconclusive
or skipped, also for an extended claim, which decides nothing in a run.`,
		Example: "  meshproof claim gateway-address --from reports/latest",
		Args:    usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, r := range report.Requirements() {
				ids = append(ids, r.ID)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, err := judgeOne(args[0], from)
			if err != nil {
				return err
			}
			if output == asJSON {
				err = printJSON(c.OutOrStdout(), found)
			} else {
				err = printFindings(c.OutOrStdout(), from, found)
			}
			if err != nil {
				return err
			}
			return exitOf(claim.Worst(found))
		},
	}
	c.Flags().StringVar(&from, "from", "reports/latest", "report directory of the run, or the evidence folder in it")
	outputFlag(c, &output, asText, asJSON)
	return c
}

// judgeOne judges the whole run, because a cause is named from all of its evidence, and keeps one claim's findings.
func judgeOne(id, dir string) ([]claim.Finding, error) {
	known := func(r report.Requirement) bool { return r.ID == id }
	if !slices.ContainsFunc(report.Requirements(), known) {
		return nil, &session.UsageError{Err: fmt.Errorf("there is no claim %q: see meshproof claims", id)}
	}
	judged, _, err := report.JudgeDir(dir)
	if err != nil {
		return nil, &session.UsageError{Err: fmt.Errorf("judge %s from %s: %w: give --from a report directory", id, dir, err)}
	}
	return slices.DeleteFunc(judged.Findings, func(f claim.Finding) bool { return f.Claim != id }), nil
}

func printFindings(w io.Writer, dir string, found []claim.Finding) error {
	fmt.Fprintf(w, "%s (%s): %s\nguide: %s\n", found[0].Claim, found[0].Level, found[0].Sentence, found[0].Guide)
	for _, f := range found {
		fmt.Fprintln(w, report.Sentence(f))
		for _, file := range f.Evidence {
			if _, err := fmt.Fprintf(w, "  %s\n", filepath.FromSlash(path.Join(filepath.ToSlash(report.EvidenceFolder(dir)), file))); err != nil {
				return fmt.Errorf("print the findings: %w", err)
			}
		}
	}
	return nil
}

func exitOf(v claim.Verdict) error {
	switch v {
	case claim.Passed:
		return nil
	case claim.Failed:
		return exitError(exitFailed)
	}
	return exitError(exitCouldNot)
}
