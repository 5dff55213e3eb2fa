package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/session"
)

func saveCommand(o *images.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "save FILE",
		Short: "Write every image of a run, and the tools beside them, into one file for machines without a network",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			tellImages(o)
			set, err := images.Ensure(c.Context(), *o)
			if err != nil {
				return err
			}
			if err := images.Save(c.Context(), set, args[0]); err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			fmt.Printf("saved %s (%d MiB); on a machine of the same architecture with this version of meshproof: meshproof images load %s\n",
				args[0], info.Size()>>20, args[0])
			return nil
		},
	}
}

func loadCommand(o *images.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "load FILE",
		Short: "Put what images save has written into the cache and the engine; no network and no go command is needed",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			tellImages(o)
			set, err := images.Load(c.Context(), args[0], *o)
			if errors.Is(err, images.ErrOtherArchive) {
				return &session.UsageError{Err: err}
			}
			if err != nil {
				return err
			}
			fmt.Printf("loaded %s: %s\nnode image: %s\n", args[0], set.Reason, set.Node)
			return nil
		},
	}
}

// tellImages has the work on images told on standard error.
func tellImages(o *images.Options) {
	tell := newTerminal(os.Stderr, false, true)
	o.Progress = func(e images.Event) { tell.Doing("", session.Describe(e)) }
}
