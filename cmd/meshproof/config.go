package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/settings"
	"github.com/meshproof/meshproof/framework/shell"
	"github.com/meshproof/meshproof/framework/suite"
)

const configName, multiplierName = "config", "timeout-multiplier"

// onlyFlags are taken from the command line alone: each has a command do something else than its work, such as a look change clusters.
func onlyFlags() []string { return []string{"help", "dry-run", "list", probeName} }

func configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "The settings of a run, and where their values come from", Args: cobra.ArbitraryArgs, RunE: onlyCommands}
	c.AddCommand(configPrintCommand(), configListCommand())
	return c
}

func configPrintCommand() *cobra.Command {
	var (
		r       runFlags
		sources settings.Sources
	)
	c := &cobra.Command{
		Use:   "print",
		Short: "Print the settings that a run would have, and where each comes from",
		Long: `Prints what run would do its work with, given the same flags, variables and file, as YAML that
--config takes again. A comment says where each value comes from: a flag, an environment
variable, the file, or a default. Nothing is asked of any cluster; whether a run takes the
values is told by meshproof run --dry-run.`,
		Example: "  meshproof config print --config nightly.yaml --samples 2000\n  meshproof config print > nightly.yaml",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := r.complete(c); err != nil {
				return err
			}
			text, err := settings.YAML(c.Flags(), layers(), sources)
			if err != nil {
				return err
			}
			return printText(c.OutOrStdout(), text)
		},
	}
	r.add(c)
	sources = configured(c)
	return c
}

// followingFlags are those whose default follows from the clusters or from another flag (runFlags.complete), and topology: given
// and empty it is refused.
func followingFlags() []string {
	return []string{"clusters", "disruptive", "revision", "fleet", "project-number", "topology"}
}

// configurable are the commands whose flags may stand in a settings file. One file serves them all.
func configurable() []*cobra.Command {
	return []*cobra.Command{runCommand(), upCommand(), proveCommand(), soakCommand(), preflightCommand()}
}

// fileKeys are the keys that a settings file may have.
func fileKeys() []string {
	var all []string
	for _, c := range configurable() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != configName && !slices.Contains(onlyFlags(), f.Name) && !slices.Contains(all, f.Name) {
				all = append(all, f.Name)
			}
		})
	}
	return all
}

// besideFlags are variables that suites, scripts, tests and what a run starts read, and no flag stands for.
func besideFlags() []string {
	return []string{"MESHPROOF_KUBECONFIGS", "MESHPROOF_AXE_DIR", "MESHPROOF_REAL_IMAGES", "MESHPROOF_ENGINE_ROOT", shell.OwnerVariable}
}

func layers() settings.Layers {
	environment := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		environment[name] = value
	}
	return settings.Layers{Environment: environment, Beside: besideFlags(), File: configName, Others: fileKeys(), Never: onlyFlags(), Following: followingFlags(), Paths: []string{strings.TrimPrefix(suite.RerunFlag, "--")}}
}

// configured adds --config, and has flags that are not given take their values from the environment and the file before the
// command runs. It gives back where values come from, which is known by then.
func configured(c *cobra.Command) settings.Sources {
	c.Flags().String(configName, "", "YAML file of settings, its keys named as the flags; flags come first, then "+settings.Prefix+"* variables, then the file (docs/configuration.md)")
	sources := settings.Sources{}
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		filled, err := settings.Fill(c.Flags(), layers())
		if err != nil {
			return &session.UsageError{Err: err}
		}
		maps.Copy(sources, filled)
		if f := c.Flags().Lookup(multiplierName); f != nil { // to Options 0 means 1
			if factor, err := c.Flags().GetFloat64(multiplierName); err != nil || factor != 0 {
				return err
			}
			return &session.UsageError{Err: fmt.Errorf("--%s 0: leave it out, or give a factor above it", multiplierName)}
		}
		return nil
	}
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error { return sourced(run(c, args), sources) }
	return sources
}

var namedFlag = regexp.MustCompile(`--([a-z][a-z-]*)`)

// sourced has a usage error about a flag that nobody typed say where its value comes from.
func sourced(err error, sources settings.Sources) error {
	var usage *session.UsageError
	if !errors.As(err, &usage) {
		return err
	}
	var from []string
	for _, m := range namedFlag.FindAllStringSubmatch(err.Error(), -1) {
		if source, elsewhere := sources.Elsewhere(m[1]); elsewhere && !slices.Contains(from, m[0]+" is from "+source) {
			from = append(from, m[0]+" is from "+source)
		}
	}
	if len(from) == 0 {
		return err
	}
	return &session.UsageError{Err: fmt.Errorf("%w (%s)", err, strings.Join(from, ", "))}
}
