package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/preflight"
	"github.com/meshproof/meshproof/framework/session"
)

func preflightCommand() *cobra.Command {
	var (
		o     session.Options
		given session.Given
	)
	c := &cobra.Command{
		Use:   "preflight",
		Short: "Look whether clusters and this machine have what the guide takes for granted",
		Long: `Looks at given clusters, or, without them, at this machine for kind clusters, and says for each
thing that a run needs whether it is there, what was seen, and what to do. It changes nothing;
what it sends besides reads are access reviews and namespaces as dry runs, which stay nowhere.

Exit codes: 0 every row is ok, 1 one failed, 3 one could not be told, 2 usage.`,
		Example: "  meshproof preflight\n  meshproof preflight --kubeconfig east.yaml --kubeconfig west.yaml --release-dir asm",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := takeGiven(c, given, &o); err != nil {
				return err
			}
			return look(c.Context(), c.OutOrStdout(), o)
		},
	}
	f := c.Flags()
	givenFlags(f, &given)
	f.StringVar(&o.Revision, "revision", "asm-1232-2", "revision of the control plane, the value of istio.io/rev")
	f.StringVar(&o.ReleaseDir, "release-dir", "", "a release directory as asmcli --output_dir lays it out")
	beginFlags(c, &o.Beginning)
	namespaceFlag(f, &o.Namespace)
	f.BoolVar(&o.Disruptive, "disruptive", false, "look also for the permissions that run --disruptive needs")
	f.StringVar(&o.Place.PullSecret, "image-pull-secret", "", "look also for the permissions that run --image-pull-secret needs; the file is not read")
	f.StringVar(&o.Images.CacheDir, "cache-dir", "", "where built and pulled images would be kept (default: the user's cache directory)")
	configured(c)
	return c
}

func look(ctx context.Context, w io.Writer, o session.Options) error {
	if err := errors.Join(session.Count(o.Targets), o.Check(len(o.Targets) > 0, o.Disruptive, o.Mode), session.CheckNamespace(o.Namespace, o.Mode)); err != nil {
		return err
	}
	set, err := session.Open(o.Targets)
	if err != nil {
		return err
	}
	ca := ""
	if len(o.Targets) > 0 {
		ca = o.Targets[0].Authority()
	}
	rows := preflight.Rows(preflight.Read(ctx, preflight.Options{
		Set: set, CA: ca, Revision: o.Revision, ReleaseDir: o.ReleaseDir, Place: images.CacheDir(o.Images),
		Asked: preflight.Asked{From: o.From, ReadOnly: o.ReadOnly, Disruptive: o.Disruptive, PullSecret: o.Place.PullSecret != "", Namespace: o.Namespace},
	}))
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
	if code := preflight.ExitCode(rows); code != 0 {
		return exitError(code)
	}
	return nil
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
	c.Flags().BoolVar(&markdown, "markdown", false, "print the whole document, docs/rbac.md, with the reason for each permission")
	return c
}
