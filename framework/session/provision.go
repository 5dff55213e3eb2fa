package session

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/kindcluster"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/mesh/authority"
	"github.com/meshproof/meshproof/framework/mesh/emulatedca"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/release"
)

// Provision brings clusters with an installed mesh: it makes two kind clusters, or takes the given ones.
func (s *Session) Provision(ctx context.Context) error {
	limited, cancel := s.limited(ctx)
	defer cancel()
	return s.explained(ctx, s.provision(limited)) // also where the limit has ended it
}

func (s *Session) provision(ctx context.Context) error {
	if err := s.Check(ctx); err != nil {
		return err
	}
	if len(s.o.Targets) > 0 { // who shows what is done may hold back until here what was only looked at
		s.o.Tell.Note("the given clusters are as the run needs them")
	}
	if stretched := s.o.stretched(); stretched != "" {
		s.o.Tell.Note("waits: " + stretched)
	}
	if s.o.ReadOnly {
		return nil // no command of the guide is run
	}
	if err := s.hold(ctx); err != nil {
		return err
	}
	if err := s.ensureImages(ctx); err != nil {
		return err
	}
	if s.rel == nil {
		if err := s.assembleRelease(ctx); err != nil {
			return err
		}
	}
	switch {
	case s.o.installs():
		return s.install(ctx)
	case len(s.o.Targets) > 0:
		return s.remember(ctx)
	}
	return s.makeClusters(ctx)
}

// hold keeps other runs off the given clusters.
func (s *Session) hold(ctx context.Context) error {
	switch {
	case s.o.installs():
		return s.makeHomes(ctx)
	case len(s.o.Targets) > 0:
		return s.takeLeases(ctx)
	}
	return nil
}

// remember writes down how to reach the given clusters, and has the ledger copied to them from now on.
func (s *Session) remember(ctx context.Context) error {
	if err := s.keepTargets(ctx); err != nil {
		return err
	}
	s.mirror = mirror.New(s.ledger, s.set, s.o.RunID, s.holder.Who)
	return nil
}

// istiodReplicas is 1 where ASM has 2: two cores hold two clusters. Every replica is looked at, however many there are.
const istiodReplicas = 1

func (s *Session) ensureImages(ctx context.Context) error {
	return s.step(ctx, "P1", "", "bring the images", func(ctx context.Context) error {
		o := s.o.Images
		o.ReleaseDir = s.o.ReleaseDir
		o.Progress = func(e images.Event) { s.o.Tell.Note(Describe(e)) }
		ensure := images.Ensure
		if len(s.o.Targets) > 0 {
			ensure = images.Tools
		}
		set, err := ensure(ctx, o)
		if err != nil {
			return err
		}
		if s.o.installs() {
			if err := images.Istio(ctx, o, set); err != nil {
				return err
			}
		}
		s.images = set
		s.intent.UpstreamEnvoy = set.UpstreamEnvoy
		if len(s.o.Targets) == 0 {
			s.o.Tell.Note("images: " + set.Source + ": " + set.Reason)
		}
		return nil
	})
}

func (s *Session) assembleRelease(ctx context.Context) error {
	return s.step(ctx, "P2", "", "put the release directory together", func(ctx context.Context) (err error) {
		if s.rel, err = release.Assemble(filepath.Join(s.o.dir(), "release"), s.images.IstioModule, s.images.Istioctl); err != nil {
			return err
		}
		if err := s.tryScript(ctx, s.rel); err != nil {
			return fmt.Errorf("%w: see that the programs which it calls (bash, cat) are on the PATH", err)
		}
		return nil
	})
}

// makeClusters makes both kind clusters at once; then, for each at once, the load balancer and the control plane, which
// do not need each other.
func (s *Session) makeClusters(ctx context.Context) error {
	if err := s.keepWaits(); err != nil {
		return err
	}
	o := kindcluster.Options{
		RunID: s.o.RunID, Dir: s.o.dir(), Names: s.o.kindNames(), NodeImage: s.images.Node, RegistryImage: s.images.RegistryImage,
		Layout: s.images.Layout, NoKindnet: s.images.NoKindnet, MetalLBManifest: s.images.MetalLB,
		Ledger: s.ledger, Deadline: s.limits.Create, Progress: s.telling("kind"), Diagnostics: filepath.Join(s.o.ReportDir, DiagnosticsDir),
	}
	var made []kindcluster.Made
	err := s.step(ctx, "P3", "", "create the kind clusters", func(ctx context.Context) (err error) {
		defer s.over("kind", s.o.kindNames()...)
		made, err = kindcluster.Create(ctx, o)
		return err
	})
	if err != nil {
		return err
	}
	for i, m := range made {
		c, err := cluster.Open(m.Name, s.intent.Clusters[i].Network, m.Kubeconfig, m.Context)
		if err != nil {
			return err
		}
		s.set = append(s.set, c)
		if s.intent.Clusters[i].RemoteName, err = s.o.remoteName(m.Name, m.Context, s.intent.Clusters[i].ID); err != nil {
			return err
		}
	}
	return s.equip(ctx, o, made)
}

func (s *Session) equip(ctx context.Context, o kindcluster.Options, made []kindcluster.Made) error {
	s.mesh = s.planes()
	fleetCA := s.fleetCA()
	if s.intent.EmulatedCA {
		s.mesh.FleetCA = fleetCA.Used()
	}
	if err := s.step(ctx, "P4", "", "make the mesh's certificate authority", func(context.Context) error { return s.makeAuthorities(fleetCA) }); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range s.set {
		g.Go(func() error {
			return s.step(ctx, "P5", c.Name, "install the load balancer", func(ctx context.Context) error {
				const what = "load balancer"
				defer s.over(what, c.Name)
				o := o
				o.Progress = s.telling(what)
				return kindcluster.InstallLoadBalancer(ctx, o, made[i])
			})
		})
		g.Go(func() error {
			return s.step(ctx, "P6", c.Name, "install the control plane", func(ctx context.Context) error {
				return istio.Install(ctx, c, s.mesh)
			})
		})
		if !s.intent.EmulatedCA {
			continue
		}
		g.Go(func() error {
			return s.bounded(ctx, "P9", c.Name, "bring the emulated CA", func(ctx context.Context) error {
				return emulatedca.Install(ctx, c, fleetCA)
			})
		})
	}
	return g.Wait()
}

// planes is how the control planes are installed.
func (s *Session) planes() istio.Options {
	return istio.Options{
		Intent: s.intent, Release: s.rel, Hub: s.images.Hub, Tag: s.images.Tag, UpstreamEnvoy: s.images.UpstreamEnvoy, Replicas: istiodReplicas,
		CADir: filepath.Join(s.o.dir(), "ca"), Limit: s.limits.Install,
	}
}

// fleetCA is how the stand-in for a fleet's CA is made.
func (s *Session) fleetCA() emulatedca.Options {
	return emulatedca.Options{
		Intent: s.intent, Image: images.CSRRef(), Dir: s.CADir(), ControlPlane: s.mesh.CADir, OwnRoots: s.planted(DifferentRoots), Limit: s.limits.Install,
	}
}

// makeAuthorities makes what istiod signs with and, with a fleet's CA, what its stand-in does. With one, each istiod has a root
// of its own, as one that signs itself has: nothing between the clusters may rest on it.
func (s *Session) makeAuthorities(fleetCA emulatedca.Options) error {
	own := authority.Plan{
		Dir: s.mesh.CADir, Name: s.o.RunID, Clusters: s.intent.Names(), OwnRoots: s.intent.EmulatedCA || s.planted(DifferentRoots),
	}
	if err := authority.Make(own); err != nil || !s.intent.EmulatedCA {
		return err
	}
	return emulatedca.MakeAuthority(fleetCA)
}

func (s *Session) planted(fault string) bool { return slices.Contains(s.o.Plant, fault) }

// Clusters are the clusters of the run, CLUSTER_1 first.
func (s *Session) Clusters() cluster.Set { return s.set }

// Dir is the run's own directory, with its kubeconfigs and its ledger.
func (s *Session) Dir() string { return s.o.dir() }

// ReleaseDir is the release directory in use.
func (s *Session) ReleaseDir() string { return s.rel.Path }

// String names the run.
func (s *Session) String() string { return fmt.Sprintf("run %s", s.o.RunID) }

// Describe tells what is being built or pulled, for how long, and how much is left.
func Describe(e images.Event) string {
	line := fmt.Sprintf("image work %d of %d: %s: %s", e.Number, e.Total, e.Item, e.State)
	if e.Elapsed > 0 {
		line += fmt.Sprintf(" after %.0f s", e.Elapsed.Seconds())
	}
	if len(e.Remaining) > 0 {
		line += "; left: " + strings.Join(e.Remaining, ", ")
	}
	return line
}
