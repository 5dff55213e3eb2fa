package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim/cause"
	"github.com/meshproof/meshproof/framework/report"
)

func claimsCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "claims",
		Short: "List what a conforming mesh must show",
		Long: `Prints every claim that a run judges: id, level, area, epoch of its evidence, section of the
guide, and the requirement as a sentence. --output markdown is docs/requirements.md.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			all := report.Requirements()
			switch output {
			case asJSON:
				return printJSON(c.OutOrStdout(), all)
			case asMarkdown:
				return printText(c.OutOrStdout(), report.RequirementsPage(all))
			}
			return printClaims(c.OutOrStdout(), all)
		},
	}
	outputFlag(c, &output, asText, asJSON, asMarkdown)
	return c
}

func printClaims(w io.Writer, all []report.Requirement) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "CLAIM\tLEVEL\tAREA\tEPOCH\tGUIDE\tREQUIREMENT")
	for _, r := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Level, r.Area, r.Epoch, r.Guide, r.Sentence)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the claims: %w", err)
	}
	return nil
}

func causesCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "causes",
		Short: "List why a claim can be broken, and what to do",
		Long: `Prints every cause that a finding can name, the most certain first: id, the verdict that it
gives a finding, what is wrong, and what to do. --output markdown is docs/troubleshooting.md.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			all := cause.All()
			switch output {
			case asJSON:
				return printJSON(c.OutOrStdout(), all)
			case asMarkdown:
				return printText(c.OutOrStdout(), report.TroubleshootingPage(all))
			}
			return printCauses(c.OutOrStdout(), all)
		},
	}
	outputFlag(c, &output, asText, asJSON, asMarkdown)
	return c
}

func printCauses(w io.Writer, all []cause.Entry) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "CAUSE\tVERDICT\tWHAT IS WRONG\tWHAT TO DO")
	for _, e := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.ID, e.Verdict, e.Sentence, e.Remedy)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the causes: %w", err)
	}
	return nil
}
