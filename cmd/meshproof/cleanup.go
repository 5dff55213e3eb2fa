package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/session"
)

func cleanupCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "List the runs that left something behind, and remove it",
		Long: `Lists every run that this machine knows of, and removes what those that are not alive any more
made here and on given clusters. What stays for the next run (caches, the engine) stays.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return cleanup(c.Context(), dryRun) },
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "list only")
	return c
}

func cleanup(ctx context.Context, dryRun bool) error {
	all, err := session.Runs("")
	if err != nil {
		return err
	}
	for _, one := range all {
		fmt.Println(leftLine(one))
		if dryRun {
			for _, thing := range one.Things {
				fmt.Println("  " + thing)
			}
		}
	}
	if len(all) == 0 {
		fmt.Println("no run left anything")
	}
	if dryRun {
		return nil
	}
	err = session.CleanUp(ctx, "", all, func(id string) { fmt.Printf("run %s is removed\n", id) })
	if err != nil {
		return errors.Join(errors.New("clean up: not everything could be removed; run it again when the reason is mended"), err)
	}
	return nil
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
