package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
			if info, err := os.Stat(filepath.Dir(args[0])); err != nil || !info.IsDir() {
				return &session.UsageError{Err: fmt.Errorf("write archive %s: there is no directory %s: make it, or choose another FILE", args[0], filepath.Dir(args[0]))}
			}
			save := func(set *images.Set, _ images.Options) error { return images.Save(c.Context(), set, args[0]) }
			if _, err := ensured(c.Context(), *o, "write "+args[0], save); err != nil {
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
			if info, err := os.Stat(args[0]); err != nil || info.IsDir() {
				return &session.UsageError{Err: fmt.Errorf("read archive %s: there is no such file: give one that meshproof images save has written", args[0])}
			}
			var set *images.Set
			err := told(c.Context(), *o, func(o images.Options, doing doer) error {
				return doing("load "+args[0], func() (err error) {
					set, err = images.Load(c.Context(), args[0], o)
					return err
				})
			})
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
