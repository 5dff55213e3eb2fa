// Package preinstalled reads the mesh that somebody has installed on a cluster: what its control plane says of itself. It only
// gets and lists, so that it may be done on any cluster before anything else.
package preinstalled

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/nearest"
)

// Mesh is what a control plane says of itself. Version is that of its image, "" when its tag is none.
type Mesh struct{ ClusterID, Network, MeshID, TrustDomain, Version string }

// ErrUnfit is wrapped when a cluster does not hold the control plane that is asked for, or not as the guide needs it.
var ErrUnfit = errors.New("the control plane is not as it must be")

// Read reads the revision's istiod Deployment, its mesh configuration and the network label of istio-system. What it has read
// before an error is returned with it.
func Read(ctx context.Context, c *cluster.Cluster, revision string) (Mesh, error) {
	var m Mesh
	revisions, err := revisionsOf(ctx, c)
	if err != nil {
		return m, err
	}
	var d appsv1.Deployment
	if err := c.Resources().Get(ctx, "istiod-"+revision, istio.Namespace, &d); err != nil {
		if apierrors.IsNotFound(err) {
			err = fmt.Errorf("%w: that revision is not installed%s: install it there first, or give the installed one with --revision",
				ErrUnfit, others(revision, revisions))
		}
		return m, fmt.Errorf("read the control plane istiod-%s on cluster %s (%s): %w", revision, c.Name, c.Server(), cluster.Access(err))
	}
	switch {
	case len(revisions) > 1:
		return m, fmt.Errorf("%w: cluster %s has istiod pods of more than one revision (%s), and the guide's step S9 reads one: end the upgrade first, by removing the old revision",
			ErrUnfit, c.Name, strings.Join(revisions, ", "))
	case len(revisions) == 0:
		return m, fmt.Errorf("find a pod of istiod-%s on cluster %s: none: bring the control plane up first", revision, c.Name)
	}
	m.ClusterID, m.Version = envOf(d.Spec.Template.Spec.Containers, "CLUSTER_ID"), versionOf(d.Spec.Template.Spec.Containers)
	var ns corev1.Namespace
	if err := c.Resources().Get(ctx, istio.Namespace, "", &ns); err != nil {
		return m, fmt.Errorf("read namespace %s on cluster %s: %w", istio.Namespace, c.Name, cluster.Access(err))
	}
	if m.Network = ns.Labels[istio.NetworkLabel]; m.Network == "" {
		return m, fmt.Errorf("%w: namespace %s on cluster %s has no label %s, so istiod does not know its network: install with a network (asmcli: --network_id), or label it",
			ErrUnfit, istio.Namespace, c.Name, istio.NetworkLabel)
	}
	return m, m.readConfig(ctx, c, revision)
}

// readConfig reads the mesh configuration where istiod takes it from.
func (m *Mesh) readConfig(ctx context.Context, c *cluster.Cluster, revision string) error {
	var config corev1.ConfigMap
	if err := c.Resources().Get(ctx, "istio-"+revision, istio.Namespace, &config); err != nil {
		return fmt.Errorf("read the mesh configuration, ConfigMap %s/istio-%s, on cluster %s: %w", istio.Namespace, revision, c.Name, cluster.Access(err))
	}
	var mesh struct {
		TrustDomain   string `json:"trustDomain"`
		DefaultConfig struct {
			MeshID string `json:"meshId"`
		} `json:"defaultConfig"`
	}
	if err := yaml.Unmarshal([]byte(config.Data["mesh"]), &mesh); err != nil {
		return fmt.Errorf("decode the mesh configuration of istiod-%s on cluster %s: %w", revision, c.Name, err)
	}
	m.MeshID, m.TrustDomain = mesh.DefaultConfig.MeshID, cmp.Or(mesh.TrustDomain, "cluster.local") // Istio's own default
	return nil
}

// revisionsOf gives the revisions of the istiod pods as the guide's step S9 lists them.
func revisionsOf(ctx context.Context, c *cluster.Cluster) ([]string, error) {
	pods, err := c.Pods(ctx, istio.Namespace, "app=istiod")
	if err != nil {
		return nil, cluster.Access(err)
	}
	var all []string
	for _, p := range pods {
		all = append(all, p.Labels["istio.io/rev"])
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// others says which revisions there are instead.
func others(revision string, there []string) string {
	if len(there) == 0 {
		return ", nor any other"
	}
	return " (" + strings.Join(there, ", ") + " is)" + nearest.Hint(revision, there)
}

// releaseForm is how a release is written in the tag of an image and by istioctl: 1.31.0, or 1.23.2-asm.2.
var releaseForm = regexp.MustCompile(`^([0-9]+\.[0-9]+\.[0-9]+)(?:-(asm\.[0-9]+))?(?:$|[-+])`)

func versionOf(containers []corev1.Container) string {
	for _, c := range containers {
		if c.Name != "discovery" {
			continue
		}
		image, _, _ := strings.Cut(c.Image, "@")
		if at := strings.LastIndexByte(image, ':'); at > strings.LastIndexByte(image, '/') && releaseForm.MatchString(image[at+1:]) {
			return image[at+1:]
		}
	}
	return ""
}

// SameRelease refuses an istioctl of another release than a control plane's. What is not written as a release cannot be
// compared, and of two that name the patch level of a distribution both must.
func SameRelease(istioctl, controlPlane string) error {
	own, its := releaseForm.FindStringSubmatch(istioctl), releaseForm.FindStringSubmatch(controlPlane)
	if own == nil || its == nil || own[1] == its[1] && (own[2] == its[2] || own[2] == "" || its[2] == "") {
		return nil
	}
	return fmt.Errorf("the release directory is of another version than the control plane: its istioctl is %s, istiod is %s: give the --output_dir of the asmcli that installed it", istioctl, controlPlane)
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
