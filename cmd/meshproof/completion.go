package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/session"
)

// completed has the shell offer a flag's values. The flag must be there: a mistake is the program's own.
func completed(c *cobra.Command, flag string, values func() []string) {
	err := c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err)
	}
}

// completedIDs are the flags that take ids or one of a few words, by their name; each command that has one offers them.
func completedIDs() map[string]func() []string {
	return map[string]func() []string{
		"only": func() []string {
			var all []string
			for _, f := range fault.All() {
				all = append(all, f.ID)
			}
			return all
		},
		"disruption": func() []string { return slices.Concat(claim.Disruptions(), claim.Injections()) },
		"plant":      func() []string { return []string{session.DifferentRoots} },
		"keep": func() []string {
			return []string{string(session.KeepNever), string(session.KeepOnFailure), string(session.KeepAlways)}
		},
		"images":   images.Sources,
		"platform": func() []string { return named(func(c guide.Cell) string { return c.Platform }) },
		"ca":       func() []string { return named(func(c guide.Cell) string { return c.CA }) },
		"mode":     func() []string { return []string{string(intent.Literal), string(intent.Corrected)} },
	}
}

// named gives what the guide's cells name, each once; nothing where the data cannot be read, which every other command tells.
func named(of func(guide.Cell) string) []string {
	m, _ := guide.LoadMatrix()
	var all []string
	for _, c := range m.Cells() {
		if one := of(c); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// addCompletion adds cobra's own command completion, with the project's usage errors, and the values of flags.
func addCompletion(root *cobra.Command) {
	for _, c := range root.Commands() {
		for flag, values := range completedIDs() {
			if c.Flags().Lookup(flag) != nil {
				completed(c, flag, values)
			}
		}
	}
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args, c.RunE = cobra.ArbitraryArgs, onlyCommands
		for _, shell := range c.Commands() {
			shell.Args = usageArgs(cobra.NoArgs)
		}
	}
}
