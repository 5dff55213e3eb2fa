package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/nearest"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

func claimCommand() *cobra.Command {
	var (
		source claimSource
		output string
	)
	c := &cobra.Command{
		Use:   "claim ID...",
		Short: "Judge single claims, on a standing mesh or from a finished run",
		Long: `Judges claims again, and prints their findings with the files that show them. With --run it looks
at the clusters of a mesh that stands (meshproof up --join) anew, and makes the calls that these
claims read, and no others: a few seconds. Where the mesh does not settle, calls wait for what is
broken; they are cut short after a few seconds, so that a claim may be inconclusive that fails in a
run. --patient gives them a run's time, which may be minutes. The evidence replaces that of the last
time in reports/RUN-ID/claim.
With --from it judges the evidence of a finished run, without a cluster. With neither it takes
the one mesh that stands on this machine, or, where none does, reports/latest.
The exit code is that of the worst finding: 0 passed, 1 failed, 3 inconclusive or skipped, also
for an extended claim, which decides nothing in a run.`,
		Example: "  meshproof claim gateway-address\n  meshproof claim gateway-address split-balanced --run RUN-ID\n  meshproof claim gateway-address --from reports/latest",
		Args: func(_ *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				return &session.UsageError{Err: errors.New("no claim is given: give its id (meshproof claims lists them), as in meshproof claim gateway-address, or make claim ID=gateway-address")}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return claimIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, ids []string) error {
			if err := knownClaims(ids); err != nil {
				return err
			}
			if err := source.choose(); err != nil {
				return err
			}
			found, err := source.judge(c.Context(), ids, output == asJSON)
			if len(found) == 0 {
				return err
			}
			return conclusion(c.OutOrStdout(), &source, found, output, err)
		},
	}
	c.Flags().StringVar(&source.run, "run", "", "id of a run whose mesh stands (meshproof up --join)")
	c.Flags().BoolVar(&source.patient, "patient", false, "let calls wait for what is broken as long as in a run")
	c.Flags().StringVar(&source.from, "from", "", "report directory of a finished run, or the evidence folder in it")
	outputFlag(c, &output, asText, asJSON)
	return c
}

func claimIDs() []string {
	var ids []string
	for _, r := range report.Requirements() {
		ids = append(ids, r.ID)
	}
	return ids
}

func knownClaims(ids []string) error {
	known := claimIDs()
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return &session.UsageError{Err: fmt.Errorf("there is no claim %q%s", id, cmp.Or(nearest.Hint(id, known), ": see meshproof claims"))}
		}
	}
	return nil
}

// claimSource is where the evidence comes from: the clusters of a run, or a directory.
type claimSource struct {
	run, from string
	patient   bool
	took      time.Duration // by the look at the clusters, and judging what was seen
}

// String says where the evidence came from.
func (s *claimSource) String() string {
	if s.run != "" {
		return fmt.Sprintf("the standing mesh of run %s, looked at and judged in %.1f s", s.run, s.took.Seconds())
	}
	return s.from
}

// choose completes what was not said.
func (s *claimSource) choose() error {
	if s.run != "" && s.from != "" {
		return &session.UsageError{Err: errors.New("--run looks at the clusters of a standing mesh, and --from at none: leave one of them out")}
	}
	if s.run != "" || s.from != "" {
		return nil
	}
	standing, err := session.Standing("")
	if err != nil {
		return err
	}
	const latest = "reports/latest"
	_, err = os.Stat(latest)
	switch {
	case len(standing) == 1:
		s.run = standing[0]
	case len(standing) > 1:
		return &session.UsageError{Err: fmt.Errorf("%d meshes stand on this machine: choose one with --run: %s", len(standing), strings.Join(standing, ", "))}
	case err == nil:
		s.from = latest
	default:
		return &session.UsageError{Err: fmt.Errorf("no mesh stands on this machine, and %s is not there: make a mesh with meshproof up --join, or give --from a report directory", latest)}
	}
	return nil
}

// dir is where the report directory is: that of the finished run, or the one that the look makes.
func (s *claimSource) dir() string {
	if s.run != "" {
		return filepath.Join(session.ReportsDir, s.run, "claim")
	}
	return s.from
}

// judge gives the findings. The error says what could not be done; there may be findings all the same.
func (s *claimSource) judge(ctx context.Context, ids []string, quiet bool) (found []claim.Finding, err error) {
	if s.run == "" && s.patient {
		return nil, &session.UsageError{Err: fmt.Errorf("--patient is about calls on a standing mesh, and %s is judged without a cluster: leave it out", s.from)}
	}
	if s.run == "" {
		judged, _, err := report.JudgeDir(s.from) // all of it, because a cause is named from all evidence
		if err != nil {
			return nil, &session.UsageError{Err: fmt.Errorf("judge %s from %s: %w", strings.Join(ids, ", "), s.from, err)}
		}
		return judged.Of(ids), nil
	}
	err = shown(ctx, progress.Options{Quiet: quiet, Brief: true}, func(t *progress.Teller) error {
		open, err := session.Reopen("", s.run, t)
		if err != nil {
			return err
		}
		began := time.Now()
		t.Begin(s.run, open.Intent().Names())
		found, err = open.JudgeClaims(ctx, s.dir(), session.ClaimOptions{IDs: ids, Patient: s.patient})
		s.took = time.Since(began)
		return errors.Join(err, open.Leave(ctx))
	})
	return found, err
}

// conclusion prints the findings, and gives the exit code of the worst. What could not be done is told beside them, and lets nothing
// pass.
func conclusion(w io.Writer, s *claimSource, found []claim.Finding, output string, undone error) error {
	show := func() error {
		return errors.Join(printFindings(w, s.dir(), found), printText(w, fmt.Sprintf("judged: %s\n", s)))
	}
	if output == asJSON {
		show = func() error { return printJSON(w, found) }
	}
	if err := show(); err != nil {
		return err
	}
	code := exitOf(claim.Worst(found))
	if code == nil {
		return undone
	}
	if undone != nil {
		fmt.Fprintln(progress.Guarded(os.Stderr), "meshproof:", undone)
	}
	return code
}

func printFindings(w io.Writer, dir string, found []claim.Finding) error {
	for i, f := range found {
		if i == 0 || found[i-1].Claim != f.Claim {
			fmt.Fprintf(w, "%s (%s): %s\nguide: %s\n", f.Claim, f.Level, f.Sentence, f.Guide)
		}
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
		return exitError(exitcode.Failed)
	}
	return exitError(exitcode.CouldNotTell)
}
