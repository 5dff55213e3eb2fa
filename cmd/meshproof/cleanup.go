package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

// cleanupFlags are what the flags of cleanup say.
type cleanupFlags struct {
	given session.Given
	shows showing
	run   string
	// namespace is where the run had the guide's sample.
	namespace string
	dryRun    bool
}

func cleanupCommand() *cobra.Command {
	var f cleanupFlags
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "List the runs that left something behind, and remove it",
		Long: `Lists every run that this machine knows of, and removes what those that are not alive any more
made here and on given clusters, a mesh that up or --keep has left standing too: --dry-run lists
them first, --run-id takes one. What stays for the next run (caches, the engine) stays.

With --kubeconfig it asks these clusters instead, which hold a copy of the ledger of each run that
left something there: it lists the runs, and removes what the one of --run-id made, from any
machine. What has not that run's label, or another UID than its ledger notes, is named, and stays.
A command of a run that was killed on another machine may go on for 5 minutes: then look again.`,
		Example: "  meshproof cleanup --dry-run\n  meshproof cleanup --kubeconfig east.yaml --kubeconfig west.yaml\n" +
			"  meshproof cleanup --kubeconfig east.yaml --kubeconfig west.yaml --run-id 1125-080000-ab12",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return f.shows.acts(c, true, func(t *progress.Teller, out io.Writer) (progress.Result, error) {
				var o session.Options
				err := takeGiven(c, f.given, &o)
				switch {
				case err != nil:
				case len(o.Targets) > 0:
					err = cleanupElsewhere(c.Context(), t, out, o.Targets, f)
				case f.namespace != "":
					err = &session.UsageError{Err: errors.New("--namespace is for clusters that are given: on the run's own machine its ledger names the namespace")}
				default:
					err = cleanup(c.Context(), t, out, f)
				}
				return progress.Result{}, err
			})
		},
	}
	givenFlags(c.Flags(), &f.given)
	c.Flags().StringVar(&f.run, "run-id", "", "only this run; needed to remove anything from clusters that are given here")
	c.Flags().StringVar(&f.namespace, "namespace", "", "the --namespace of the run whose things are removed from clusters that are given here (default: "+intent.GuideNamespace+")")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "list only")
	f.shows.add(c)
	return c
}

func cleanup(ctx context.Context, t *progress.Teller, w io.Writer, f cleanupFlags) error {
	all, err := session.Runs("")
	if err == nil && f.run != "" {
		all, err = session.Only(all, f.run)
	}
	if err != nil {
		return err
	}
	for _, one := range all {
		t.Left(one)
		fmt.Fprintln(w, leftLine(one))
		if f.dryRun {
			list(w, one.Things)
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "no run left anything")
	}
	if f.dryRun {
		return nil
	}
	if err := session.CleanUp(ctx, all, func(id string) error { return remove(ctx, t, w, id) }); err != nil {
		return errors.Join(errNotAll, err)
	}
	return nil
}

// cleanupElsewhere is for what runs of any machine have left on the clusters.
func cleanupElsewhere(ctx context.Context, t *progress.Teller, w io.Writer, targets []session.Target, f cleanupFlags) error {
	there, err := session.LookElsewhere(ctx, targets)
	if err != nil {
		return err
	}
	all := there.Runs(f.run)
	for _, one := range all {
		t.LeftThere(one)
		if one.Err != nil {
			fmt.Fprintf(w, "run %s: %s\n", one.Run, oneLine(one.Err.Error()))
			continue
		}
		stays := ""
		if one.Alive {
			stays = ": alive, it stays"
		}
		fmt.Fprintf(w, "run %s of %s: %d things on cluster %s%s\n", one.Run, oneLine(one.Who), len(one.Things), one.Cluster, stays)
		if f.dryRun {
			list(w, one.Things)
		}
	}
	switch {
	case len(all) == 0 && f.run == "":
		fmt.Fprintln(w, "no run left anything on these clusters")
	case f.run == "":
		fmt.Fprintln(w, "remove one of them with --run-id")
	}
	if f.run == "" || f.dryRun && len(all) > 0 {
		return nil
	}
	var kept session.Kept
	if err := there.Remove(ctx, f.run, f.namespace, kept.Add); err != nil {
		list(w, kept.All())
		var usage *session.UsageError
		if errors.As(err, &usage) {
			return err
		}
		return errors.Join(errNotAll, err)
	}
	t.Removed(f.run, kept.All())
	fmt.Fprintf(w, "run %s is removed from these clusters\n", f.run)
	list(w, kept.All())
	return nil
}

var errNotAll = errors.New("clean up: not everything could be removed; run it again when the reason is mended")

func list(w io.Writer, things []string) {
	for _, thing := range things {
		fmt.Fprintln(w, "  "+thing)
	}
}

func leftLine(one session.Left) string {
	switch {
	case one.Alive:
		return fmt.Sprintf("run %s: alive, it stays", one.ID)
	case one.Err != nil:
		return fmt.Sprintf("run %s: %v", one.ID, one.Err)
	case len(one.Things) == 0:
		return fmt.Sprintf("run %s: only its files", one.ID)
	}
	return fmt.Sprintf("run %s: %d things", one.ID, len(one.Things))
}
