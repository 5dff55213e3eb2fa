package session

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/mesh/preinstalled"
	"github.com/meshproof/meshproof/framework/procedure"
)

// takeClusters asks the given clusters whether they are there, refuses two names of one cluster, and reads from the mesh that
// is installed there what the flags left open. Nothing is changed.
func (s *Session) takeClusters(ctx context.Context) error {
	return s.bounded(ctx, "P3", "", "look at the given clusters", func(ctx context.Context) error {
		for _, c := range s.set {
			if err := s.usable(c); err != nil {
				return &UsageError{err}
			}
		}
		if err := s.reach(ctx); err != nil {
			return err
		}
		read := s.suppliedIntent
		if s.o.installs() {
			read = s.installedIntent
		}
		in, err := read(ctx)
		if err != nil {
			return refused(err, preinstalled.ErrUnfit, cluster.ErrAccess)
		}
		if err := in.Validate(); err != nil {
			return &UsageError{err}
		}
		s.intent = in
		return nil
	})
}

// reach asks every API server whether it is ready and which cluster it is. Those that do not answer are told apart by their
// addresses.
func (s *Session) reach(ctx context.Context) error {
	err := s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error { return c.Ready(ctx, readyLimit) })
	if err == nil {
		return refused(s.set.Distinct(ctx), cluster.ErrSameCluster, cluster.ErrAccess)
	}
	if same := s.set.DistinctServers(); same != nil {
		return &UsageError{same}
	}
	return refused(err, cluster.ErrAccess)
}

// usable refuses a cluster that no other could reach, or that the guide's S8 could not name.
func (s *Session) usable(c *cluster.Cluster) error {
	if c.Local() {
		return fmt.Errorf("cluster %s: its kubeconfig says %s, which in a pod of another cluster is that pod itself, and istiod there is to watch this API server: "+
			"give a kubeconfig with an address that the other cluster's pods reach", c.Name, c.Server())
	}
	if name := procedure.RemoteName(c.Context); s.o.Tools.RemoteNames != ByClusterID && !procedure.Nameable(name) {
		return fmt.Errorf("cluster %s: asmcli create-mesh names its remote secret after the context, of which it replaces _ . @ and : only, and Kubernetes refuses the name %s%s: "+
			"rename the context (%s) to lower-case letters, digits and '-'", c.Name, "istio-remote-secret-", name, procedure.Renaming(c.Kubeconfig, c.Context))
	}
	return nil
}

// readyLimit bounds one request.
const readyLimit = 10 * time.Second

// suppliedIntent is what a run on given clusters expects. Fleet, project number, names and networks that no flag gives
// are those that the installed control planes have.
func (s *Session) suppliedIntent(ctx context.Context) (intent.Intent, error) {
	in := s.o.givenIntent()
	var errs []error
	for i, c := range s.set {
		m, err := preinstalled.Read(ctx, c, s.o.Revision)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if want := s.o.Targets[i].Network; want != "" && want != m.Network {
			errs = append(errs, fmt.Errorf("%w: cluster %s: the topology says network %q, but namespace istio-system has %s=%s: correct the topology, or the label",
				preinstalled.ErrUnfit, c.Name, want, istio.NetworkLabel, m.Network))
		}
		c.Network = m.Network
		s.versions = append(s.versions, m.Version)
		remoteName, err := s.o.remoteName(c.Name, c.Context, m.ClusterID)
		errs = append(errs, err)
		in.Clusters = append(in.Clusters, member(i, intent.Cluster{Name: c.Name, ID: m.ClusterID, Network: m.Network, RemoteName: remoteName}))
		in.TrustDomain = m.TrustDomain
		in.MeshID = m.MeshID
		if parts := meshIDForm.FindStringSubmatch(m.MeshID); s.o.ProjectNumber == "" && parts != nil {
			in.ProjectNumber = parts[1]
		}
		if parts := clusterIDForm.FindStringSubmatch(m.ClusterID); s.o.Fleet == "" && parts != nil {
			in.Fleet = parts[1]
		}
	}
	if in.ProjectNumber != "" {
		in.MeshID = intent.MeshID(in.ProjectNumber)
	}
	return in, errors.Join(errs...)
}

// refused makes a usage error of one that says that the input cannot be; any other stays what it is, so that a cluster
// out of reach is not taken for a mistake in the command.
func refused(err error, why ...error) error {
	for _, w := range why {
		if errors.Is(err, w) {
			return &UsageError{err}
		}
	}
	return err
}

var (
	meshIDForm    = regexp.MustCompile(`^proj-([0-9]+)$`)
	clusterIDForm = regexp.MustCompile(`^cn-(.+)-[a-z0-9-]*global-.+$`)
)
