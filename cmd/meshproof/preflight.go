package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/preflight"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

const probeName = "probe"

func preflightCommand() *cobra.Command {
	var (
		o     session.Options
		given session.Given
		probe bool
	)
	c := &cobra.Command{
		Use:   "preflight",
		Short: "Look whether clusters and this machine have what the guide takes for granted",
		Long: `Looks at given clusters, or, without them, at this machine for kind clusters, and says for each
thing that a run needs whether it is there, what was seen, and what to do. Without --probe it
changes nothing; what it sends besides reads are access reviews and namespaces as dry runs, which
stay nowhere. With --images registry or --registry it asks the registry for the manifests of the
run's images.

With --probe it deploys the suite's probe pod on each given cluster, as a run does, has it dial the
other clusters' API servers at the addresses of the kubeconfigs, and removes it before it ends.
What a killed one has left is removed by meshproof cleanup.

Exit codes: 0 every row is ok, 1 one failed, 3 one could not be told, 2 usage.`,
		Example: "  meshproof preflight\n  meshproof preflight --kubeconfig east.yaml --kubeconfig west.yaml --release-dir asm\n" +
			"  meshproof preflight --topology clusters.yaml --release-dir asm --images registry --registry registry.example/mesh\n" +
			"  meshproof preflight --topology clusters.yaml --probe --probe-image registry.example/mesh/probe:1",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := takeGiven(c, given, &o); err != nil {
				return err
			}
			kindDefaults(&o)
			return look(c.Context(), c.OutOrStdout(), o, probe)
		},
	}
	f := c.Flags()
	givenFlags(f, &given)
	cellFlags(f, &o)
	modeFlag(f, &o.Mode)
	toolFlags(f, &o.Tools)
	podFlags(f, &o)
	imageFlags(f, &o.Images)
	beginFlags(c, &o.Beginning)
	namespaceFlag(f, &o.Namespace)
	f.BoolVar(&o.Disruptive, "disruptive", false, "look also for the permissions that run --disruptive needs")
	f.BoolVar(&probe, probeName, false, "deploy a pod on each given cluster, have it dial the other clusters' API servers, and remove it")
	configured(c)
	return c
}

func look(ctx context.Context, w io.Writer, o session.Options, probe bool) error {
	err := o.CheckLook()
	if err == nil && probe {
		err = o.CheckProbe()
	}
	if err != nil {
		return err
	}
	set, err := session.Open(o.Targets)
	if err != nil {
		return err
	}
	looked, err := looking(o, set)
	if err != nil {
		return err
	}
	var facts preflight.Facts
	err = shown(ctx, progress.Options{Brief: true}, func(t *progress.Teller) error {
		looked.Looking = doing(t)
		facts = preflight.Read(ctx, looked)
		return nil
	})
	if err != nil {
		return err
	}
	var left error
	if probe {
		if facts.Dialled, left, err = dialled(ctx, o); err != nil {
			return err
		}
	}
	rows := preflight.Rows(facts)
	printRows(w, rows)
	code := preflight.ExitCode(rows)
	if left != nil {
		fmt.Fprintln(w, "left: "+oneLine(left.Error()))
		code = cmp.Or(code, exitcode.CouldNotTell)
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

// dialled has pods on the clusters dial the API servers, and says what of them could not be removed.
func dialled(ctx context.Context, o session.Options) (seen session.Dialled, left, err error) {
	o.Samples, o.Alpha, o.Disruptive = defaultSamples, defaultAlpha, false // of a run's options it needs those about clusters and the pod
	err = shown(ctx, progress.Options{}, func(t *progress.Teller) error {
		s, err := begin(t, o)
		if err == nil {
			seen, left = s.Probe(ctx)
		}
		return err
	})
	return seen, left, err
}

func printRows(w io.Writer, rows []preflight.Row) {
	for _, r := range rows {
		where := r.Cluster
		if where == "" {
			where = "-"
		}
		fmt.Fprintf(w, "%-7s  %-10s  %s: %s\n", r.Verdict, where, r.Name, oneLine(r.Seen))
		if r.Do != "" {
			fmt.Fprintf(w, "%21s%s\n", "", "do: "+r.Do)
		}
	}
}

// looking says what preflight looks at for a run of these options.
func looking(o session.Options, set cluster.Set) (preflight.Options, error) {
	l := preflight.Options{
		Set: set, Revision: o.Revision, ReleaseDir: o.ReleaseDir, Place: images.CacheDir(o.Images),
		Literal: o.Mode == intent.Literal, ByID: o.Tools.RemoteNames == session.ByClusterID,
		Asked: preflight.Asked{From: o.From, ReadOnly: o.ReadOnly, Disruptive: o.Disruptive, PullSecret: o.Place.PullSecret != "", Asmcli: o.Tools.Asmcli != "", Namespace: o.Namespace},
	}
	if len(o.Targets) > 0 {
		l.CA, l.Platform, l.ProbeImage = o.Targets[0].Authority(), o.Targets[0].Platform, images.ProbeImage(o.ProbeImage)
		var err error
		if l.PullSecret, err = o.Place.Registries(); err != nil {
			return l, err
		}
	}
	from := o.Images
	from.ReleaseDir = o.ReleaseDir
	l.Installs = func(ctx context.Context) ([]string, error) { return images.ControlPlane(ctx, from) }
	if o.Images.Source == images.Registry || o.Images.Source == images.Auto && o.Images.Registry != "" {
		l.Ask = func(ctx context.Context, refs []string) []images.Asked { return images.Ask(ctx, from, refs) }
		l.AskForRun = func(ctx context.Context) ([]images.Asked, error) { return images.AskForRun(ctx, from) }
	}
	if o.Tools.Asmcli != "" && !o.ReadOnly {
		tools, err := o.Asm()
		if err != nil {
			return l, err
		}
		l.Asm = &tools
	}
	return l, nil
}

func rbacCommand() *cobra.Command {
	var (
		asked    preflight.Asked
		from     session.Beginning
		markdown bool
	)
	c := &cobra.Command{
		Use:   "rbac",
		Short: "Print the least roles with which a run on given clusters can be done",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			asked.From, asked.ReadOnly = from.From, from.ReadOnly
			if err := errors.Join(from.Check(true, asked.Disruptive, ""), session.CheckNamespace(asked.Namespace, "")); err != nil {
				return err
			}
			text, err := preflight.Roles(asked)
			if markdown {
				text, err = preflight.Document(asked.Namespace)
			}
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	beginFlags(c, &from)
	namespaceFlag(c.Flags(), &asked.Namespace)
	c.Flags().BoolVar(&asked.Disruptive, "disruptive", false, "with what run --disruptive needs")
	c.Flags().BoolVar(&asked.PullSecret, "image-pull-secret", false, "with what run --image-pull-secret needs")
	c.Flags().BoolVar(&asked.Asmcli, "asmcli", false, "with what a real asmcli looks at (run --asmcli)")
	c.Flags().BoolVar(&markdown, "markdown", false, "print the whole document, docs/rbac.md, with the reason for each permission")
	return c
}
