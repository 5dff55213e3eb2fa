package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/report/html"
	"github.com/meshproof/meshproof/framework/session"
)

// exitChanged says that something of weight changed from one run to another.
const exitChanged = 1

func reportCommand() *cobra.Command {
	c := &cobra.Command{Use: "report", Short: "The reports of finished runs: compare two, or lay many side by side", Args: cobra.ArbitraryArgs, RunE: onlyCommands}
	c.AddCommand(reportDiffCommand(), reportMergeCommand())
	return c
}

func reportDiffCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "diff DIR DIR",
		Short: "Say what changed from one run to another",
		Long: `Compares two report directories: the verdict, findings whose verdict changed, findings that only
one run has, versions and fingerprints of what was tested, and who answered the split's calls.
The verdict and core findings have weight; extended findings, versions, fingerprints and counts
are told only. Exit codes: 0 nothing of weight changed, 1 something did, 2 a directory cannot be
read.`,
		Example: "  meshproof report diff reports/monday reports/latest",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, dirs []string) error {
			runs, err := readRuns(dirs)
			if err != nil {
				return err
			}
			d := report.Diff(runs[0], runs[1])
			if output == asJSON {
				err = printJSON(c.OutOrStdout(), d)
			} else {
				err = printText(c.OutOrStdout(), d.Text())
			}
			if err == nil && d.OfWeight {
				return exitError(exitChanged)
			}
			return err
		},
	}
	outputFlag(c, &output, asText, asJSON)
	return c
}

func reportMergeCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Print a matrix of runs: a column a run, a row a claim",
		Long: `Prints a matrix of finished runs, in the order of their report directories, as Markdown or as one
self-contained HTML page. A claim has the worst verdict of its clusters and directions. A run
that is given twice, as by the link reports/latest, has one column. A directory without a
findings.json, as of a run that was killed or of single claims, is named and passed over.`,
		Example: "  meshproof report merge reports/* > matrix.md\n  meshproof report merge --output html reports/* > matrix.html",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, dirs []string) error {
			with, err := judged(c.ErrOrStderr(), dirs)
			if err != nil {
				return err
			}
			runs, err := readRuns(with)
			if err != nil {
				return err
			}
			m := report.Matrix(runs)
			if output == asHTML {
				return html.RenderMatrix(c.OutOrStdout(), m)
			}
			return printText(c.OutOrStdout(), report.MatrixMarkdown(m))
		},
	}
	outputFlag(c, &output, asMarkdown, asHTML)
	return c
}

// judged gives the directories that hold findings, and names the others. Without any there is nothing to lay side by side.
func judged(w io.Writer, dirs []string) (with []string, err error) {
	for _, dir := range dirs {
		_, missing := os.Stat(filepath.Join(dir, report.FindingsFile))
		if _, err := os.Stat(dir); err == nil && errors.Is(missing, fs.ErrNotExist) {
			fmt.Fprintf(w, "passed over: %s holds no %s\n", dir, report.FindingsFile)
			continue
		}
		with = append(with, dir)
	}
	if len(with) == 0 {
		return nil, &session.UsageError{Err: fmt.Errorf("compare reports: none of %d directories holds a %s: give report directories, such as reports/latest", len(dirs), report.FindingsFile)}
	}
	return with, nil
}

func readRuns(dirs []string) ([]report.Finished, error) {
	var all []report.Finished
	for _, dir := range dirs {
		f, err := report.ReadDir(dir)
		if err != nil {
			return nil, &session.UsageError{Err: fmt.Errorf("compare reports: %w", err)}
		}
		all = append(all, f)
	}
	return all, nil
}
