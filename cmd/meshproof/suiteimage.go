package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/session"
)

func suiteCommand(o *images.Options) *cobra.Command {
	var mirror, output string
	c := &cobra.Command{
		Use:   "suite",
		Short: "Build the suite's own image, for runs from within a cluster (docs/ci/job.yaml)",
		Long: `Builds an image of this program with bash, kubectl, istioctl and the files of the pinned Istio,
for this machine's architecture: run it on each that your nodes have. No container engine is
needed; the image is pushed to a registry, or written as a file that docker load reads.`,
		Example: "  meshproof images suite --push registry.example/mesh\n  meshproof images suite --output suite.tar",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if mirror == "" && output == "" {
				return &session.UsageError{Err: errors.New("say where the image goes: --push HOST/PREFIX or --output FILE")}
			}
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			return told(c.Context(), *o, func(o images.Options, doing doer) error {
				var image images.SuiteImage
				err := doing("assemble the suite's image", func() (err error) {
					image, err = images.Suite(c.Context(), program, o)
					return err
				})
				if err != nil {
					return err
				}
				return handOn(c.Context(), image, output, mirror, doing)
			})
		},
	}
	c.Flags().StringVar(&mirror, "push", "", "HOST/PREFIX of the registry that the image is pushed to")
	c.Flags().StringVar(&output, "output", "", "file that the image is written to")
	return c
}

// handOn writes the image as a file, and pushes it: whichever was asked for.
func handOn(ctx context.Context, image images.SuiteImage, output, mirror string, doing doer) error {
	if output != "" {
		if err := doing("write "+output, func() error { return image.Write(output) }); err != nil {
			return err
		}
		fmt.Printf("written to %s: docker load --input %s gives %s\n", output, output, image.Ref)
	}
	if mirror == "" {
		return nil
	}
	return doing("push it to "+mirror, func() error {
		to, err := image.Push(ctx, mirror)
		if err == nil {
			fmt.Printf("pushed: %s\n", to)
		}
		return err
	})
}
