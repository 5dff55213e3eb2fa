package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/suite"
)

func runCommand() *cobra.Command { return runWith(session.Options{}) }

// runWith is the command with options that have no flag.
func runWith(o session.Options) *cobra.Command {
	r := &runFlags{o: o}
	c := &cobra.Command{
		Use:   "run",
		Short: "Perform the guide on two or more clusters and judge the mesh",
		Long: `Performs the guide's steps S1 to S15 and judges the mesh. Without --kubeconfig it makes two
kind clusters (or --clusters N) and removes them at the end; with two or more of them it begins
at the gateways, or where --from says, on clusters that hold the control plane already (with
--from install it brings that too), and removes only what it made there; with --read-only it
makes nothing and sends no traffic. Two contexts of KUBECONFIG are taken with --context alone,
and --topology names a file that says all about the clusters. With --dry-run it checks all of
its input, says what it would do, and changes nothing.`,
		Example: "  meshproof run\n  meshproof run --kubeconfig east.yaml --kubeconfig west.yaml\n" +
			"  meshproof run --context east --context west\n  meshproof run --topology clusters.yaml --dry-run",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return r.act(c) },
	}
	r.add(c)
	configured(c)
	return c
}

// runFlags are what the flags of run say.
type runFlags struct {
	o            session.Options
	given        session.Given
	filter       suite.Filter
	shows        showing
	dryRun, list bool
}

func (r *runFlags) add(c *cobra.Command) {
	f, o := c.Flags(), &r.o
	givenFlags(f, &r.given)
	f.BoolVar(&o.InTurn, "join-in-turn", false, "enable endpoint discovery for the first two clusters, and then for one more at a time: a mesh that grows")
	filterFlags(f, &r.filter)
	f.BoolVar(&r.list, "list", false, "list the claims that the run would judge, and do nothing")
	f.BoolVar(&o.FailFast, "fail-fast", false, "once a claim about what is done to the mesh has failed, do nothing more to it; to a mesh that does not conform nothing is done anyway")
	f.BoolVar(&r.dryRun, "dry-run", false, "check all input, say what would be done, and change nothing")
	f.IntVar(&o.Samples, "samples", defaultSamples, "measured calls per direction")
	f.Float64Var(&o.Alpha, "alpha", defaultAlpha, "declared false-fail rate of each random check")
	f.StringVar((*string)(&o.Keep), "keep", string(session.KeepNever), "when clusters that the run made stay: never, on-failure or always")
	f.StringVar(&o.ReportDir, "report-dir", "", "where the report goes (default: reports/RUN-ID, and reports/latest points at it)")
	f.StringVar(&o.By, "by", "", "who runs this, to be told in the report (default: nobody is told)")
	f.StringVar(&o.Where, "where", "", "machine or CI job that runs this, to be told in the report, such as the job's address (default: nothing is told)")
	toolFlags(f, &o.Tools)
	podFlags(f, o)
	modeFlag(f, &o.Mode)
	f.StringSliceVar(&o.Expect, "expect", nil, "findings about the guide that a literal run must find, these and nothing else, to pass: "+strings.Join(claim.Findings(), ", "))
	beginFlags(c, &o.Beginning)
	namespaceFlag(f, &o.Namespace)
	f.StringArrayVar(&o.Plant, "plant", nil, "put a fault in, to see it caught (kind only): "+session.DifferentRoots)
	f.BoolVar(&o.Disruptive, "disruptive", false, "change the mesh on purpose and back, for the claims that need it (default: true on two kind clusters, else false)")
	f.StringSliceVar(&o.Disruptions, "disruption", nil, "do only these to the mesh, by id (default: all)")
	r.shows.add(c)
	meshFlags(f, o)
	imageFlags(f, &o.Images)
}

// complete gives the options their defaults that follow from others.
func (r *runFlags) complete(c *cobra.Command) error {
	if err := takeGiven(c, r.given, &r.o); err != nil {
		return err
	}
	if !c.Flags().Changed("disruptive") {
		r.o.Disruptive = len(r.o.Targets) == 0 && r.o.Mode != intent.Literal && r.o.Clusters <= guide.Clusters
	}
	kindDefaults(&r.o)
	return nil
}
