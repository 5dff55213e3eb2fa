package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/shell"
)

func upCommand() *cobra.Command {
	var (
		o     session.Options
		given session.Given
		shows showing
		join  bool
	)
	c := &cobra.Command{
		Use:   "up",
		Short: "Make two or more kind clusters with a control plane each, and say how to use them",
		Long: `Makes two kind clusters, or --clusters N, with a control plane each, prints their kubeconfigs and
the command that runs on them, and leaves them. With --join it also performs the guide's steps S1
to S13, so that the mesh stands and meshproof claim judges it as often as one likes. With --from
install and two or more --kubeconfig it brings the control planes to these clusters instead, which
must not hold any Istio. meshproof down RUN-ID removes what it made, and nothing else.`,
		Example: "  meshproof up\n  meshproof up --join\n  meshproof up --from install --kubeconfig east.yaml --kubeconfig west.yaml",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			o.Samples, o.Alpha = defaultSamples, defaultAlpha
			return shows.acts(c, false, func(t *progress.Teller, out io.Writer) (progress.Result, error) {
				if err := takeGiven(c, given, &o); err != nil {
					return progress.Result{}, err
				}
				if len(o.Targets) > 0 && o.From != intent.FromInstall {
					return progress.Result{}, &session.UsageError{Err: errors.New("up on given clusters brings their control planes, and does nothing else: give --from install, or leave the clusters out")}
				}
				if join && len(o.Targets) > 0 {
					return progress.Result{}, &session.UsageError{Err: errors.New("--join is for kind clusters that up makes: on given clusters use meshproof run")}
				}
				kindDefaults(&o)
				return progress.Result{}, up(c.Context(), o, join, t, out)
			})
		},
	}
	c.Flags().BoolVar(&join, "join", false, "join the kind clusters too (the guide's S1 to S13), for meshproof claim to judge the mesh again and again")
	givenFlags(c.Flags(), &given)
	fromFlag(c, &o.Beginning)
	meshFlags(c.Flags(), &o)
	imageFlags(c.Flags(), &o.Images)
	shows.add(c)
	configured(c)
	return c
}

func up(ctx context.Context, o session.Options, join bool, t *progress.Teller, out io.Writer) error {
	s, err := begin(t, o)
	if err != nil {
		return err
	}
	bring := s.Provision
	if join {
		bring = s.StandAlone
	}
	if err := bring(ctx); err != nil {
		return errors.Join(err, s.Abandon(ctx))
	}
	left := s.Leave(ctx) // the clusters stand in any case
	var kubeconfigs []string
	for _, c := range s.Clusters() {
		kubeconfigs = append(kubeconfigs, c.Kubeconfig)
	}
	t.Made(s.Options().RunID, s.Dir(), s.ReleaseDir(), kubeconfigs)
	t.Close() // what it drew stands above the lines
	printMade(out, s, o, join)
	return left
}

// printMade says what was made, how to use it, and how to remove it.
func printMade(out io.Writer, s *session.Session, o session.Options, join bool) {
	run := s.Options().RunID
	fmt.Fprintf(out, "run:        %s\ndirectory:  %s\nrelease:    %s\n", run, s.Dir(), s.ReleaseDir())
	for _, c := range s.Clusters() {
		fmt.Fprintf(out, "%-11s %s\n", c.Name+":", c.Kubeconfig)
	}
	use := "use:        " + using(s.Clusters(), o)
	if join {
		use = "judge:      meshproof claim ID --run " + run
	}
	fmt.Fprintf(out, "%s\nremove:     meshproof down %s\n", use, run)
}

// using is the command that runs on clusters that were made, or were given and got control planes: with what was asked of their mesh, and
// the same source of tools and images.
func using(set cluster.Set, o session.Options) string {
	kubeconfigs, contexts := "", ""
	for _, c := range set {
		kubeconfigs += " --kubeconfig " + shell.Word(c.Kubeconfig)
		if len(o.Targets) > 0 { // a given kubeconfig may have several
			contexts += " --context " + shell.Word(c.Context)
		}
	}
	use := "meshproof run" + kubeconfigs + contexts
	for _, flag := range []struct{ name, value, unsaid string }{
		{"revision", o.Revision, defaultRevision}, {"platform", o.Platform, ""}, {"ca", o.CA, ""}, {"release-dir", o.ReleaseDir, ""},
		{"images", o.Images.Source, images.Auto}, {"registry", o.Images.Registry, ""}, {"cache-dir", o.Images.CacheDir, ""},
	} {
		if flag.value != "" && flag.value != flag.unsaid {
			use += " --" + flag.name + " " + shell.Word(flag.value)
		}
	}
	return use
}

func downCommand() *cobra.Command {
	var shows showing
	c := &cobra.Command{
		Use:   "down RUN-ID...",
		Short: "Remove the clusters and everything else that runs made",
		Long: `Removes what the runs of these ids made on this machine and on given clusters. A run that is alive
is refused; meshproof cleanup --dry-run lists the ids.`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, ids []string) error {
			return shows.acts(c, true, func(t *progress.Teller, out io.Writer) (progress.Result, error) {
				for _, id := range ids {
					if err := remove(c.Context(), t, out, id); err != nil {
						return progress.Result{}, err
					}
				}
				return progress.Result{}, nil
			})
		},
	}
	shows.add(c)
	return c
}

// errStays is told beside the step; why is said once, at the end.
var errStays = errors.New("it is not removed")

// remove removes all that a run made, and tells of it.
func remove(ctx context.Context, t *progress.Teller, out io.Writer, id string) error {
	what, began := "remove run "+id, time.Now()
	t.Doing("", what)
	var kept session.Kept
	if err := session.Down(ctx, "", id, kept.Add); err != nil {
		t.Done("", what, time.Since(began), errStays)
		list(out, kept.All())
		return err
	}
	t.Done("", what, time.Since(began), nil)
	t.Removed(id, kept.All())
	fmt.Fprintf(out, "run %s is removed\n", id)
	list(out, kept.All())
	return nil
}
