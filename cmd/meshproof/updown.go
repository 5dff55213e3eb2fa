package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

func upCommand() *cobra.Command {
	var (
		o       session.Options
		given   session.Given
		verbose bool
	)
	c := &cobra.Command{
		Use:   "up",
		Short: "Make two kind clusters with a control plane each, and say how to use them",
		Long: `Makes two kind clusters with a control plane each, and says how to use them. With --from install
and two or more --kubeconfig it brings the control planes to these clusters instead, which must
not hold any Istio. meshproof down removes what it made, and nothing else.`,
		Example: "  meshproof up\n  meshproof up --from install --kubeconfig east.yaml --kubeconfig west.yaml",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := takeGiven(c, given, &o); err != nil {
				return err
			}
			if len(o.Targets) > 0 && o.From != intent.FromInstall {
				return &session.UsageError{Err: errors.New("up on given clusters brings their control planes, and does nothing else: give --from install, or leave the clusters out")}
			}
			o.Samples, o.Alpha = 600, 1e-8
			kindDefaults(&o)
			return shown(c.Context(), progress.Options{Verbose: verbose}, func(t *progress.Teller) error { return up(c.Context(), o, t) })
		},
	}
	givenFlags(c.Flags(), &given)
	fromFlag(c, &o.Beginning)
	meshFlags(c.Flags(), &o)
	imageFlags(c.Flags(), &o.Images)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "print also what is being done and waited for")
	configured(c)
	return c
}

func up(ctx context.Context, o session.Options, t *progress.Teller) error {
	s, err := begin(t, o)
	if err != nil {
		return err
	}
	if err := s.Provision(ctx); err != nil {
		return errors.Join(err, s.Abandon(ctx))
	}
	if err := s.Leave(ctx); err != nil {
		return err
	}
	t.Close()
	fmt.Printf("run:        %s\ndirectory:  %s\nrelease:    %s\n", s.Options().RunID, s.Dir(), s.ReleaseDir())
	use := "meshproof run"
	for _, c := range s.Clusters() {
		fmt.Printf("%-11s %s\n", c.Name+":", c.Kubeconfig)
		use += " --kubeconfig " + c.Kubeconfig
	}
	for _, c := range s.Clusters() {
		if len(o.Targets) > 0 {
			use += " --context " + c.Context
		}
	}
	fmt.Printf("use:        %s\nremove:     meshproof down %s\n", use, s.Options().RunID)
	return nil
}

func downCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down RUN-ID...",
		Short: "Remove the clusters and everything else that runs made",
		Args:  usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, ids []string) error {
			for _, id := range ids {
				if err := session.Down(c.Context(), "", id); err != nil {
					return err
				}
				fmt.Printf("run %s is removed\n", id)
			}
			return nil
		},
	}
}
