package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/procedure"
)

// takeClusters opens the given clusters, refuses two names of one cluster, and reads from the mesh that is installed
// there what the flags left open. Nothing is changed.
func (s *Session) takeClusters(ctx context.Context) error {
	return s.bounded(ctx, "P3", "", "open the given clusters", func(ctx context.Context) error {
		for i, t := range s.o.Targets {
			c, err := cluster.Open(fmt.Sprintf("cluster-%d", i+1), "", t.Kubeconfig, t.Context)
			if err != nil {
				return &UsageError{err}
			}
			s.set = append(s.set, c)
		}
		if err := s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error { return c.Ready(ctx, readyLimit) }); err != nil {
			return err
		}
		if err := refused(s.set.Distinct(ctx), cluster.ErrSameCluster); err != nil {
			return err
		}
		in, err := s.suppliedIntent(ctx)
		if err != nil {
			return refused(err, errNoMesh)
		}
		if err := in.Validate(); err != nil {
			return &UsageError{err}
		}
		s.intent = in
		return s.saveTargets()
	})
}

const readyLimit = 10e9 // nanoseconds: 10 s for one request

// suppliedIntent is what a run on given clusters expects. Fleet, project number, names and networks that no flag gives
// are those that the installed control planes have.
func (s *Session) suppliedIntent(ctx context.Context) (intent.Intent, error) {
	in := s.o.kindIntent(false)
	in.Provision, in.Platform, in.Clusters = intent.Supplied, "unspecified", nil
	var errs []error
	for i, c := range s.set {
		m, err := readMesh(ctx, c, s.o.Revision)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c.Network = m.network
		in.Clusters = append(in.Clusters, intent.Cluster{
			Name: c.Name, ID: m.clusterID, Network: m.network, Version: fmt.Sprintf("v%d", i+1), RemoteName: procedure.RemoteName(c.Context),
		})
		in.TrustDomain = m.trustDomain
		in.MeshID = m.meshID
		if parts := meshIDForm.FindStringSubmatch(m.meshID); s.o.ProjectNumber == "" && parts != nil {
			in.ProjectNumber = parts[1]
		}
		if parts := clusterIDForm.FindStringSubmatch(m.clusterID); s.o.Fleet == "" && parts != nil {
			in.Fleet = parts[1]
		}
	}
	if in.ProjectNumber != "" {
		in.MeshID = intent.MeshID(in.ProjectNumber)
	}
	return in, errors.Join(errs...)
}

// errNoMesh is wrapped when a given cluster does not hold the control plane that the run is about.
var errNoMesh = errors.New("the control plane is not there")

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

// installed is what a control plane says of itself.
type installed struct{ clusterID, network, meshID, trustDomain string }

// readMesh reads the revision's istiod Deployment, its mesh configuration and the network label of istio-system.
func readMesh(ctx context.Context, c *cluster.Cluster, revision string) (installed, error) {
	var m installed
	var d appsv1.Deployment
	if err := c.Resources().Get(ctx, "istiod-"+revision, "istio-system", &d); err != nil {
		if apierrors.IsNotFound(err) {
			err = fmt.Errorf("%w: %w", errNoMesh, err)
		}
		return m, fmt.Errorf("read the control plane istiod-%s on cluster %s (%s): %w: install that revision there first, or give the installed one with --revision",
			revision, c.Name, c.Server(), err)
	}
	m.clusterID = envOf(d.Spec.Template.Spec.Containers, "CLUSTER_ID")
	var ns corev1.Namespace
	if err := c.Resources().Get(ctx, "istio-system", "", &ns); err != nil {
		return m, fmt.Errorf("read namespace istio-system on cluster %s: %w", c.Name, err)
	}
	m.network = ns.Labels["topology.istio.io/network"]
	pods, err := c.Pods(ctx, "istio-system", "app=istiod,istio.io/rev="+revision)
	if err != nil {
		return m, err
	}
	if len(pods) == 0 {
		return m, fmt.Errorf("find a pod of istiod-%s on cluster %s: none: bring the control plane up first", revision, c.Name)
	}
	body, _, err := c.Exec(ctx, "istio-system", pods[0].Name, "discovery", "pilot-discovery", "request", "GET", "/debug/mesh")
	if err != nil {
		return m, err
	}
	var mesh struct {
		TrustDomain   string `json:"trustDomain"`
		DefaultConfig struct {
			MeshID string `json:"meshId"`
		} `json:"defaultConfig"`
	}
	if err := json.Unmarshal(body, &mesh); err != nil {
		return m, fmt.Errorf("decode the mesh configuration of istiod-%s on cluster %s: %w", revision, c.Name, err)
	}
	m.meshID, m.trustDomain = mesh.DefaultConfig.MeshID, mesh.TrustDomain
	return m, nil
}

func envOf(containers []corev1.Container, name string) string {
	for _, c := range containers {
		for _, e := range c.Env {
			if e.Name == name {
				return e.Value
			}
		}
	}
	return ""
}
