package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/guide/page"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/session"
)

// exitDrift says that a page differs from the data.
const exitDrift = 1

func guideCommand() *cobra.Command {
	var (
		platform, ca, mode string
		all                bool
	)
	c := &cobra.Command{
		Use:   "guide",
		Short: "Print the guide's commands for a platform and a CA as a script",
		Long: `Prints the guide's commands for one of its platforms with one of its CAs as a bash script that
a person can run: literally as the page prints them, or corrected, with each deviation and its
reason. --all prints a line for each platform and CA with the flags in which they differ.`,
		Example: "  meshproof guide --platform attached-eks --ca istio-ca --mode corrected > setup.sh\n  meshproof guide --all",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := guide.LoadMatrix()
			if err != nil {
				return err
			}
			if mode != string(intent.Literal) && mode != string(intent.Corrected) {
				return &session.UsageError{Err: fmt.Errorf("--mode %q: use %s or %s", mode, intent.Literal, intent.Corrected)}
			}
			if all {
				if platform != "" || ca != "" {
					return &session.UsageError{Err: errors.New("--all is about every platform and CA: give it without --platform and --ca")}
				}
				return printCells(c.OutOrStdout(), m, intent.Mode(mode))
			}
			return printScript(c.OutOrStdout(), m, platform, ca, intent.Mode(mode))
		},
	}
	f := c.Flags()
	f.StringVar(&platform, "platform", "", "one of the guide's platforms; --all prints them")
	f.StringVar(&ca, "ca", "", "a certificate authority that the guide offers there")
	f.StringVar(&mode, "mode", string(intent.Literal), "literal: as the page prints them; corrected: with what is known to be wrong put right")
	f.BoolVar(&all, "all", false, "print a line for each platform and CA instead")
	c.AddCommand(guideDiffCommand())
	return c
}

// printScript refuses what the guide does not offer, and names what it does.
func printScript(w io.Writer, m guide.Matrix, platform, ca string, mode intent.Mode) error {
	cell, err := m.Cell(platform, ca)
	if err != nil {
		return &session.UsageError{Err: fmt.Errorf("--platform and --ca: %w", err)}
	}
	script, err := guide.Script(m, cell, mode)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, script); err != nil {
		return fmt.Errorf("print the script: %w", err)
	}
	return nil
}

// printCells numbers the distinct pairs of gateway commands in the order of their first cell.
func printCells(w io.Writer, m guide.Matrix, mode intent.Mode) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	pairs := map[string]int{}
	for _, c := range m.Cells() {
		flags, err := guide.Flags(c, mode)
		if err != nil {
			return err
		}
		differ := strings.Join(flags, " ")
		if pairs[differ] == 0 {
			pairs[differ] = len(pairs) + 1
		}
		fmt.Fprintf(table, "%s\t%s\tpair %d: %s\n", c.Platform, c.CA, pairs[differ], differ)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the platforms and CAs: %w", err)
	}
	return nil
}

func guideDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff FILE",
		Short: "Compare a page of the guide with the guide's data",
		Long: `Reads a page of the guide (text or Markdown) and prints what the guide's data do not know of its
commands, platforms and CAs, and what of the data's it no longer has. Exit codes: 0 no drift,
1 drift, 2 the file cannot be read or is no page of the guide.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return &session.UsageError{Err: fmt.Errorf("read the page: %w: give a file with the text of the page", err)}
			}
			drifts, err := page.Diff(string(text))
			if err != nil {
				return &session.UsageError{Err: fmt.Errorf("read the page %s: %w", args[0], err)}
			}
			for _, d := range drifts {
				fmt.Fprintln(c.OutOrStdout(), d)
			}
			if len(drifts) > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "meshproof: %s differs from the guide's data (differences: %d); docs/guide.md says how to change the data\n", args[0], len(drifts))
				return exitError(exitDrift)
			}
			fmt.Fprintf(c.OutOrStdout(), "no drift: %s has the commands, platforms and CAs of the guide's data\n", args[0])
			return nil
		},
	}
}
