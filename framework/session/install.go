package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/shell"
)

// installs tells whether the run brings the control planes to clusters that are given.
func (o Options) installs() bool { return len(o.Targets) > 0 && o.From == intent.FromInstall }

// checkInstall refuses what cannot be asked of a run that installs the control planes of given clusters.
func (o Options) checkInstall() error {
	if !o.installs() {
		return nil
	}
	var errs []error
	if ca := o.Targets[0].Authority(); ca != intent.IstioCA {
		errs = append(errs, fmt.Errorf("--from install with the CA %s: the stand-in for a fleet's CA is an image of the run's own rig, which given clusters do not have: use %s, or install the mesh with asmcli and leave --from out",
			ca, intent.IstioCA))
	}
	if o.Tools.Asmcli != "" {
		errs = append(errs, errors.New("--from install with --asmcli: asmcli joins what asmcli installed, and this run installs with istioctl: leave one of them out"))
	}
	return errors.Join(errs...)
}

// checkVacant refuses given clusters that hold an Istio, when the run is to bring one.
func (s *Session) checkVacant(ctx context.Context) error {
	if !s.o.installs() {
		return nil
	}
	err := s.set.Each(ctx, istio.Refuse)
	if errors.Is(err, istio.ErrThere) {
		err = fmt.Errorf("--from install brings the control planes: %w: leave --from out to begin at the gateways (--from gateway), or remove what is there "+
			"(meshproof cleanup with these kubeconfigs lists what runs have left)", err)
	}
	return err
}

// installedIntent is what a run expects that installs the mesh of given clusters: what one on kind clusters does, with the networks of
// the topology.
func (s *Session) installedIntent(context.Context) (intent.Intent, error) {
	in := s.o.givenIntent()
	in.From = intent.FromInstall
	in.EmulatedCA, in.TrustDomain = false, trustDomain(in.CA, s.o.Fleet)
	var errs []error
	for i, c := range s.set {
		c.Network = cmp.Or(s.o.Targets[i].Network, s.o.network(i))
		id := intent.ClusterID(s.o.Fleet, c.Name)
		remoteName, err := s.o.remoteName(c.Name, c.Context, id)
		errs = append(errs, err)
		in.Clusters = append(in.Clusters, member(i, intent.Cluster{Name: c.Name, ID: id, Network: c.Network, RemoteName: remoteName}))
	}
	return in, errors.Join(errs...)
}

// makeHomes makes istio-system on each given cluster, before anything else is there: the lease and the copy of the ledger need it, and
// who finds it there goes away. With an error nothing of it is left, or the error is none of usage.
func (s *Session) makeHomes(ctx context.Context) error {
	if err := s.remember(ctx); err != nil {
		return err
	}
	err := s.bounded(ctx, "P12", "", "make namespace "+istio.Namespace, func(ctx context.Context) error { return s.set.Each(ctx, s.makeHome) })
	if err == nil {
		err = s.takeLeases(ctx)
	}
	if err == nil {
		return nil
	}
	if left := s.removeHomes(ctx); left != nil {
		return fmt.Errorf("%s; and what was made by then could not be removed: %w", err.Error(), left) // the text alone: this is no usage error any more
	}
	return refused(err, manifest.ErrForeign, cluster.ErrAccess)
}

// removeHomes removes the namespaces that makeHomes has made, also after an interruption.
func (s *Session) removeHomes(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.limits.Remove, tooLong("the removal", s.limits.Remove))
	defer cancel()
	return errors.Join(undoNoted(ctx, s.set, s.mirror, s.limits.Procedure, s.o.Tell.Note), s.releaseLeases(ctx))
}

// makeHome makes istio-system on a cluster. Its entry is copied to the cluster as soon as there is a place for the copy.
func (s *Session) makeHome(ctx context.Context, c *cluster.Cluster) error {
	home := procedure.Home(c.Name, s.o.RunID)
	if err := s.makeNamespace(ctx, c, s.ledger, home, mirror.Home(s.holder.Who)); err != nil {
		return cluster.Access(err)
	}
	return s.mirror.Made(home)
}

// install makes the mesh's certificate authority, and brings the control plane to each given cluster, as on kind clusters. They have a
// load balancer.
func (s *Session) install(ctx context.Context) error {
	s.mesh = s.planes()
	s.mesh.Env = shell.Callers("PATH", "KUBECONFIG")
	if err := s.step(ctx, "P4", "", "make the mesh's certificate authority", func(context.Context) error { return s.makeAuthorities(s.fleetCA()) }); err != nil {
		return err
	}
	return s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		return s.step(ctx, "P6", c.Name, "install the control plane", func(ctx context.Context) error { return s.installOn(ctx, c) })
	})
}

// installOn brings one control plane. What is made is noted before, and marked after.
func (s *Session) installOn(ctx context.Context, c *cluster.Cluster) error {
	plane := procedure.ControlPlane(c.Name, s.o.RunID)
	if err := s.book().Intend(plane); err != nil {
		return err
	}
	if err := istio.Install(ctx, c, s.mesh); err != nil {
		return err
	}
	marked, err := procedure.Mark(ctx, c, plane)
	if err != nil {
		return err
	}
	return s.book().Made(marked)
}

// plannedInstall says from where the images of the control planes come.
func (s *Session) plannedInstall() []string {
	if !s.o.installs() {
		return nil
	}
	from := "the release's own hub"
	if r := s.o.Images.Registry; r != "" {
		from = r
	}
	return []string{fmt.Sprintf("install    control plane istiod-%s on each cluster, with a CA of the run's own (%s); images from %s; all of it is removed at the end (--keep %s)",
		s.intent.Revision, filepath.Join(s.o.dir(), "ca"), from, s.o.Keep)}
}
