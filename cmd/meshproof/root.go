package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/nearest"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/settings"
)

// defaultRevision is the one that the guide prints.
const defaultRevision = "asm-1232-2"

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "meshproof",
		Short: "Says whether a multicluster service mesh conforms, with evidence",
		Long: `meshproof takes two or more Kubernetes clusters, performs the set-up that the guide "Set up
a multi-cluster mesh outside Google Cloud" documents, and judges what it sees.

Exit codes: 0 passed, 1 failed, 3 could not tell, 2 usage, 130 interrupted (SIGINT), 143 (SIGTERM or SIGHUP).`,
		SilenceUsage: true, SilenceErrors: true, Args: cobra.ArbitraryArgs, RunE: onlyCommands,
	}
	info, _ := debug.ReadBuildInfo()
	c.Version = describe(info, nil).Version
	c.Flags().Bool("version", false, "print this program's version (the command version tells what it pins, too)") // cobra's own has -v, which is --verbose here
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var value *pflag.InvalidValueError
		if errors.As(err, &value) {
			err = fmt.Errorf("--%s %q: %w", value.GetFlag().Name, value.GetValue(), settings.Wanted(value.GetFlag(), value.Unwrap()))
		}
		return &session.UsageError{Err: fmt.Errorf("%w%s", err, cmp.Or(meant(c, err), ": see "+c.CommandPath()+" --help"))}
	})
	c.AddCommand(runCommand(), upCommand(), downCommand(), cleanupCommand(), imagesCommand(), judgeCommand(), proveCommand(), soakCommand(), guideCommand(),
		versionCommand(), claimsCommand(), claimCommand(), causesCommand(), reportCommand(), preflightCommand(), rbacCommand(), configCommand())
	addCompletion(c)
	c.SetOut(progress.Guarded(os.Stdout))
	c.SetErr(progress.Guarded(os.Stderr))
	return c
}

// meant names the flag that a misspelt one was meant to be, if one is near.
func meant(c *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return nearest.Hint("--"+unknown.GetSpecifiedName(), names)
}

// onlyCommands is what a command does that has only subcommands: it prints its help, or says that there is no such one.
func onlyCommands(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return &session.UsageError{Err: fmt.Errorf("there is no command %q%s", args[0], cmp.Or(nearest.Hint(args[0], names), ": see "+c.CommandPath()+" --help"))}
}

// usageArgs makes a refused argument list a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return &session.UsageError{Err: fmt.Errorf("%w: see %s --help", err, c.CommandPath())}
		}
		return nil
	}
}

// meshFlags are those that say which mesh is made or expected.
func meshFlags(f *pflag.FlagSet, o *session.Options) {
	f.StringVar(&o.RunID, "run-id", "", "name of the run, part of every name it gives (default: the time and a random end)")
	cellFlags(f, o)
	f.IntVar(&o.Clusters, "clusters", 0, "how many kind clusters are made (default: 2)")
	f.StringVar(&o.Fleet, "fleet", "", "FLEET_PROJECT_ID (default: meshproof; on given clusters what their mesh says)")
	f.StringVar(&o.ProjectNumber, "project-number", "", "what step S1 prints (default: 123456789012; on given clusters what their mesh says)")
	f.Float64Var(&o.TimeoutMultiplier, multiplierName, 1, "factor that stretches every wait for a slow machine or cluster, but not --timeout (docs/configuration.md)")
	f.DurationVar(&o.Timeout, "timeout", 0, "limit of the run without its removal (default: none; each step has its own)")
}

// cellFlags say which of the guide's cells is meant, and which release.
func cellFlags(f *pflag.FlagSet, o *session.Options) {
	f.StringVar(&o.Revision, "revision", defaultRevision, "revision of the control plane, the value of istio.io/rev")
	f.StringVar(&o.Platform, "platform", "", "the guide's platform whose commands are run (meshproof guide --all; default: none on kind, on given clusters what the topology says)")
	f.StringVar(&o.CA, "ca", "", "the guide's CA: istio-ca, mesh-ca or ca-service; on kind the last two are emulated (default: istio-ca, or what the topology says)")
	f.StringVar(&o.ReleaseDir, "release-dir", "", "a release directory as asmcli --output_dir lays it out (default: put together from the pinned Istio)")
}

func modeFlag(f *pflag.FlagSet, mode *intent.Mode) {
	f.StringVar((*string)(mode), "mode", string(intent.Corrected), "how the guide's commands are taken: corrected, or literal (as printed)")
}

// toolFlags say who performs S1 and S8.
func toolFlags(f *pflag.FlagSet, tools *session.Tools) {
	f.StringVar(&tools.Asmcli, "asmcli", "", "a real asmcli for step S8 on given clusters, with --gcloud and --release-dir (default: the built-in join)")
	f.StringVar(&tools.Gcloud, "gcloud", "", "the gcloud for step S1 and for asmcli")
	f.StringVar((*string)(&tools.RemoteNames), "remote-names", string(session.ByContext), "after what the built-in join names a cluster in remote secrets: context (as asmcli does) or cluster-id")
}

// podFlags are about the suite's own pods on given clusters.
func podFlags(f *pflag.FlagSet, o *session.Options) {
	f.StringVar(&o.ProbeImage, "probe-image", "", "image of the suite's own pods on given clusters; without a tag it gets that of this version's probe (default: the rig's)")
	f.StringVar(&o.Place.PullSecret, "image-pull-secret", "", "file with docker's credentials (config.json) for the registry of the suite's own pods; it becomes a secret in their namespaces, and goes with them")
	f.StringArrayVar(&o.Place.Tolerations, "toleration", nil, "taint that the suite's own pods tolerate, as KEY[=VALUE][:EFFECT]; the guide's samples stay as printed")
	f.StringArrayVar(&o.Place.NodeSelector, "node-selector", nil, "label KEY=VALUE of the nodes on which the suite's own pods run; the guide's samples stay as printed")
}

func imageFlags(f *pflag.FlagSet, o *images.Options) {
	f.StringVar(&o.Source, "images", images.Auto, "where images come from: auto, registry, source or archive (meshproof images load)")
	f.StringVar(&o.Registry, "registry", "", "HOST/PREFIX of a mirror that holds the images")
	f.StringVar(&o.CacheDir, "cache-dir", "", "where built and pulled images are kept (default: the user's cache directory)")
}

// givenFlags are those that say which clusters are given.
func givenFlags(f *pflag.FlagSet, g *session.Given) {
	f.StringArrayVar(&g.Kubeconfigs, "kubeconfig", nil, "kubeconfig of a given cluster; twice or more, CLUSTER_1 first")
	f.StringArrayVar(&g.Contexts, "context", nil, "context in the kubeconfig at the same place (default: its current one); without --kubeconfig, two contexts of KUBECONFIG")
	f.StringVar(&g.Topology, "topology", "", "file that names the given clusters, each with kubeconfig, context, name, network, platform, ca, revision (docs/clusters.md)")
}

// takeGiven puts the given clusters into the options, with the revision that the topology says unless a flag says one.
func takeGiven(c *cobra.Command, g session.Given, o *session.Options) error {
	if c.Flags().Changed("topology") && g.Topology == "" { // an empty variable of a CI system is no wish for clusters of its own
		return &session.UsageError{Err: errors.New("--topology: the path is empty: give the path of a topology file")}
	}
	g.Environment, g.Platform, g.CA = os.Getenv("KUBECONFIG"), o.Platform, o.CA
	targets, err := g.Targets()
	if err != nil {
		return err
	}
	o.Targets = targets
	if len(targets) > 0 && targets[0].Revision != "" && !c.Flags().Changed("revision") {
		o.Revision = targets[0].Revision
	}
	return nil
}

// What is measured unless flags say otherwise: calls per direction, and the declared false-fail rate of each random check.
const (
	defaultSamples = 600
	defaultAlpha   = 1e-8
)

// kindDefaults says how many clusters the run makes, and names the fleet of a mesh that it makes.
func kindDefaults(o *session.Options) {
	if len(o.Targets) == 0 && o.Clusters == 0 {
		o.Clusters = guide.Clusters
	}
	if len(o.Targets) > 0 && o.From != intent.FromInstall {
		return
	}
	if o.Fleet == "" {
		o.Fleet = "meshproof"
	}
	if o.ProjectNumber == "" {
		o.ProjectNumber = "123456789012"
	}
}
