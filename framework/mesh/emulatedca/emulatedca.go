// Package emulatedca runs a stand-in for the fleet's certificate authority (Mesh CA, CA Service) on a kind cluster: Google's
// own are out of a kind cluster's reach. The stand-in signs over Istio's certificate API with an authority that is not
// istiod's. It keeps three things of the real ones, and claims no more: the root of the workloads is not that of the control
// plane, it is one for the whole fleet, and the identities are of the fleet's trust domain.
package emulatedca

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/authority"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/poll"
)

// Namespace is where the stand-in runs.
const Namespace = "emulated-ca"

const (
	name = "csr"
	port = 15012 // as istiod's: an agent that is told port 15010 would not use TLS
)

// Address is where proxies ask for certificates. It must not hold "googleapis.com": an agent then takes the provider for
// Google's (Istio: security/pkg/nodeagent/caclient).
func Address() string { return net.JoinHostPort(host(), strconv.Itoa(port)) }

func host() string { return name + "." + Namespace + ".svc" }

// Options are what the stand-in needs.
type Options struct {
	Intent intent.Intent
	// Image is that of the program fixtures/programs/csr.
	Image string
	// Dir is a private directory for the fleet's authority; what signs on a cluster is in Dir/CLUSTER.
	Dir string
	// ControlPlane is the directory of the authorities of istiod, which a proxy trusts before it has a certificate: they sign
	// for the stand-in's own server.
	ControlPlane string
	// OwnRoots plants the fault that the pools of the clusters have different roots.
	OwnRoots bool
	// Limit bounds the wait for the stand-in.
	Limit time.Duration
}

// Used is how the control plane is told of the stand-in. As with the real ones (public packages of the same product,
// asm/istio/istio-operator.yaml), the audience is the fleet's, and so is the alias.
func (o Options) Used() *istio.FleetCA {
	return &istio.FleetCA{
		Address: Address(), Audience: o.Intent.TrustDomain,
		Aliases: []string{o.Intent.TrustDomain, o.Intent.Fleet + ".hub.id.goog"},
	}
}

// MakeAuthority makes the fleet's authority. With Mesh CA one issuer signs for all clusters; with CA Service each cluster has a
// subordinate pool of its own under one root (guide data, ca-service: precondition).
func MakeAuthority(o Options) error {
	return authority.Make(authority.Plan{
		Dir: o.Dir, Name: "fleet " + o.Intent.RunID, Clusters: o.Intent.Names(), OwnRoots: o.OwnRoots, SharedIssuer: o.Intent.CA == intent.MeshCA,
	})
}

// Install brings the stand-in to a cluster and returns when it answers.
func Install(ctx context.Context, c *cluster.Cluster, o Options) error {
	text, err := o.manifest(c)
	if err != nil {
		return fmt.Errorf("prepare the emulated CA of cluster %s: %w", c.Name, err)
	}
	if err := manifest.Apply(ctx, c, text, manifest.Owner(o.Intent.RunID)); err != nil {
		return fmt.Errorf("install the emulated CA on cluster %s: %w", c.Name, err)
	}
	w := poll.Wait{What: "emulated CA answers", Where: "cluster " + c.Name + ", deployment " + Namespace + "/" + name, Limit: o.Limit}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		d, err := c.Kube().AppsV1().Deployments(Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		if d.Status.AvailableReplicas < 1 {
			return fmt.Sprintf("%d of %d pods available", d.Status.AvailableReplicas, d.Status.Replicas), fmt.Errorf("no pod is available")
		}
		return "available", nil
	})
}

func (o Options) manifest(c *cluster.Cluster) ([]byte, error) {
	own := map[string]string{}
	for _, file := range []string{authority.CAKey, authority.CertChain} {
		text, err := os.ReadFile(filepath.Join(o.Dir, c.Name, file))
		if err != nil {
			return nil, fmt.Errorf("read the fleet's authority: %w", err)
		}
		own[file] = string(text)
	}
	certificate, key, err := authority.SignServer(filepath.Join(o.ControlPlane, c.Name), host())
	if err != nil {
		return nil, err
	}
	return fixtures.Render(fixtures.EmulatedCA, map[string]any{
		"Namespace": Namespace, "Port": port, "Image": o.Image, "TrustDomain": o.Intent.TrustDomain, "Audience": o.Used().Audience,
		"Authority": own, "Serving": map[string]string{"tls.crt": certificate, "tls.key": key},
	})
}
