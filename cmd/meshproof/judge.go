package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

func judgeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "judge DIR",
		Short: "Judge saved evidence again, without a cluster",
		Long: `Judges the evidence of a saved run again and prints its findings.json on standard output, a
sentence per finding on standard error. The exit code is that of the verdict.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			found, _, err := report.JudgeDir(args[0])
			if err != nil {
				return &session.UsageError{Err: err}
			}
			body, err := found.JSON()
			if err != nil {
				return err
			}
			for _, f := range found.Findings {
				fmt.Fprintln(progress.Guarded(os.Stderr), report.Sentence(f))
			}
			if _, err := os.Stdout.Write(body); err != nil {
				return fmt.Errorf("print the findings: %w", err)
			}
			if found.ExitCode != 0 {
				return exitError(found.ExitCode)
			}
			return nil
		},
	}
}
