package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/settings"
)

func configListCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "list",
		Short: "List every setting and every wait, with its default",
		Long: `Prints every setting of run, up, prove, soak and preflight with its environment variable and its
default, and every wait of a run with its limit. --output markdown is docs/configuration.md.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			all := configuration()
			switch output {
			case asJSON:
				return printJSON(c.OutOrStdout(), all)
			case asMarkdown:
				return printText(c.OutOrStdout(), report.ConfigurationPage(all))
			}
			return printConfiguration(c.OutOrStdout(), all)
		},
	}
	outputFlag(c, &output, asText, asJSON, asMarkdown)
	return c
}

// configuration reads flags and limits from the code. What a flag of several commands says is told as the first has it.
func configuration() report.Configuration {
	var all report.Configuration
	keys := fileKeys()
	for _, c := range configurable() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			s := report.Setting{Name: f.Name, Kind: kindOf(f), InFile: slices.Contains(keys, f.Name), Sentence: f.Usage}
			if !slices.Contains(onlyFlags(), f.Name) {
				s.Variable = settings.Variable(f.Name)
			}
			if !slices.Contains([]string{"[]", "false", "0s"}, f.DefValue) { // as --help leaves them out
				s.Default = f.DefValue
			}
			all.Add(c.Name(), s)
		})
	}
	slices.SortFunc(all.Settings, func(a, b report.Setting) int { return strings.Compare(a.Name, b.Name) })
	for _, w := range session.DefaultLimits().Waits() {
		all.Waits = append(all.Waits, report.Wait{Name: w.Name, Seconds: w.Limit.Seconds(), Sentence: w.Sentence})
	}
	return all
}

// kindOf names a flag's type for a person: both kinds of list are lists of texts.
func kindOf(f *pflag.Flag) string {
	switch kind := f.Value.Type(); kind {
	case "stringArray", "stringSlice":
		return "list"
	case "string":
		return "text"
	case "int", "float64":
		return "number"
	default:
		return kind
	}
}

func printConfiguration(w io.Writer, all report.Configuration) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVARIABLE\tDEFAULT\tOF\tWHAT IT SAYS")
	for _, s := range all.Settings {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Name, cmp.Or(s.Variable, "-"), cmp.Or(s.Default, "-"), strings.Join(s.Commands, ","), s.Sentence)
	}
	fmt.Fprintln(table, "\nWAIT\tLIMIT\tWHAT IS WAITED FOR")
	for _, l := range all.Waits {
		fmt.Fprintf(table, "%s\t%s\t%s\n", l.Name, l.Limit(), l.Sentence)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the settings: %w", err)
	}
	return nil
}
