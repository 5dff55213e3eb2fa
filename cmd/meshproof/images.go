package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

// told does something with images while a display shows it. What takes long, the work does by doing, so that it is named.
func told(ctx context.Context, o images.Options, work func(o images.Options, doing doer) error) error {
	return shown(ctx, progress.Options{}, func(t *progress.Teller) error {
		o.Progress = func(e images.Event) { t.Note(session.Describe(e)) }
		return work(o, doing(t))
	})
}

// doer does a part of a command's work while the display says what it is.
type doer func(what string, work func() error) error

// doing gives what tells a display of parts of the work. An error is the command's to tell.
func doing(t *progress.Teller) doer {
	return func(what string, work func() error) error {
		began := time.Now()
		t.Doing("", what)
		err := work()
		if err == nil {
			t.Done("", what, time.Since(began), nil)
		}
		return err
	}
}

// ensured brings the images, and does with them what is asked.
func ensured(ctx context.Context, o images.Options, what string, then func(*images.Set, images.Options) error) (set *images.Set, err error) {
	err = told(ctx, o, func(o images.Options, doing doer) error {
		if set, err = images.Ensure(ctx, o); err != nil || then == nil {
			return err
		}
		return doing(what, func() error { return then(set, o) })
	})
	return set, err
}

func imagesCommand() *cobra.Command {
	var o images.Options
	c := &cobra.Command{Use: "images", Short: "The images of a run: list, build, push, save or load them; the suite's own", Args: cobra.ArbitraryArgs, RunE: onlyCommands}
	imageFlags(c.PersistentFlags(), &o)
	c.AddCommand(listCommand(&o), buildCommand(&o), pushCommand(&o), saveCommand(&o), loadCommand(&o), suiteCommand(&o), envCommand(&o))
	return c
}

func listCommand(o *images.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Show every image of a run, its purpose, and what stands in for what",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(progress.Guarded(os.Stdout), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "IMAGE\tPURPOSE\tORIGIN\tSTANDS IN FOR")
			for _, i := range images.List(*o) {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", i.Ref, i.Purpose, i.Origin, cmp.Or(i.StandsInFor, "-"))
			}
			return w.Flush()
		},
	}
}

func buildCommand(o *images.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Build or pull every image of a run into the cache, without a cluster",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			set, err := ensured(c.Context(), *o, "", nil)
			if err != nil {
				return err
			}
			fmt.Printf("images: %s: %s\nnode image: %s\n", set.Source, set.Reason, set.Node)
			return nil
		},
	}
}

func envCommand(o *images.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print where the built images and tools are, as shell assignments",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			set, err := images.Ensure(c.Context(), *o)
			if err != nil {
				return err
			}
			for _, v := range [][2]string{{"NODE_IMAGE", set.Node}, {"KUBECTL", set.Kubectl}, {"ISTIOCTL", set.Istioctl},
				{"METALLB", set.MetalLB}, {"ISTIO_MODULE", set.IstioModule}, {"HUB", set.Hub}, {"TAG", set.Tag}} {
				fmt.Printf("%s='%s'\n", v[0], strings.ReplaceAll(v[1], "'", `'\''`))
			}
			return nil
		},
	}
}

func pushCommand(o *images.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "push HOST/PREFIX",
		Short: "Push every image of a run to a registry, for runs with --registry HOST/PREFIX",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			push := func(set *images.Set, o images.Options) error { return images.Push(c.Context(), set, args[0], o) }
			if _, err := ensured(c.Context(), *o, "push the images to "+args[0], push); err != nil {
				return err
			}
			mirror := strings.TrimRight(args[0], "/")
			fmt.Printf("pushed to %s; use them with: meshproof run --images registry --registry %s\n"+
				"on given clusters with: --probe-image %s/meshproof/probe (its tag %s, which this version adds)\n", mirror, mirror, mirror, images.ProbeMadeFrom())
			return nil
		},
	}
}
