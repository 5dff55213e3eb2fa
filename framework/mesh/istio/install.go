// Package istio installs a revisioned Istio control plane the way ASM configures it: mesh ID, cluster name and network
// of the guide's form, locality load balancing off, and a certificate authority plugged in before istiod starts, with
// one root for all clusters. It uses the istioctl of the release directory.
package istio

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/authority"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/shell"
)

// Namespace is where the control plane and the gateways are.
const Namespace = "istio-system"

// NetworkLabel on Namespace tells istiod which network its cluster is on.
const NetworkLabel = "topology.istio.io/network"

// OperatorName is the IstioOperator's name. Without one, running the same installation again would delete the east-west
// gateway and report success (finding F6). istioctl labels everything that it installs with it.
const OperatorName = "control-plane"

// Options are what an installation needs.
type Options struct {
	Intent  intent.Intent
	Release *release.Dir
	// Hub and Tag of the images pilot and proxyv2; "" = those of the release's istioctl.
	Hub, Tag string
	// UpstreamEnvoy is true when the proxy image holds an Envoy without Istio's own filters; istiod is then told not to
	// configure them.
	UpstreamEnvoy bool
	// Replicas of istiod; 0 = ASM's 2.
	Replicas int
	// CADir is a private directory in which authority.Make made what istiod signs with.
	CADir string
	// FleetCA is another authority than istiod that signs for the workloads; nil = istiod signs.
	FleetCA *FleetCA
	// Env is what istioctl gets besides a PATH and an empty home: on somebody's cluster a kubeconfig's login plugin may need any of it.
	Env []string
	// Limit bounds the installation on one cluster; 0 = 5 min.
	Limit time.Duration
}

// FleetCA is a certificate authority outside the control plane.
type FleetCA struct {
	// Address is its HOST:PORT, as a pod of the mesh reaches it.
	Address string
	// Audience is whom the tokens of proxies are for.
	Audience string
	// Aliases are the trust domains that count as the mesh's own.
	Aliases []string
}

// asmReplicas is the number of istiod replicas that ASM installs.
const asmReplicas = 2

const defaultLimit = 5 * time.Minute

// Install brings istio-system with its network label, the secret cacerts and then the control plane to a cluster, and
// returns when istiod is ready. It needs no more than an API server that answers when it begins.
func Install(ctx context.Context, c *cluster.Cluster, o Options) error {
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Limit, fmt.Errorf("the limit of %s has passed", o.Limit))
	defer cancel()
	operator, err := o.operator(c)
	if err != nil {
		return fmt.Errorf("configure the control plane of cluster %s: %w", c.Name, err)
	}
	if err := o.prepare(ctx, c); err != nil {
		return fmt.Errorf("prepare namespace %s on cluster %s: %w", Namespace, c.Name, err)
	}
	_, err = shell.Run(ctx, shell.Command{
		Args: []string{o.Release.Istioctl, "--kubeconfig", c.Kubeconfig, "--context", c.Context, "install", "-y", "-f", "-",
			"--readiness-timeout", (o.Limit - o.Limit/10).String()},
		Dir: o.Release.Path, Stdin: bytes.NewReader(operator),
		Env: shell.Bare(o.CADir, o.Env...),
	})
	if err != nil {
		return fmt.Errorf("install the control plane istiod-%s on cluster %s: %w: look at the pods and events of namespace %s there",
			o.Intent.Revision, c.Name, err, Namespace)
	}
	return nil
}

// prepare makes the namespace and the secret with the certificate authority, which istiod reads only when it starts.
func (o Options) prepare(ctx context.Context, c *cluster.Cluster) error {
	member, err := o.member(c)
	if err != nil {
		return err
	}
	secret := corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "cacerts", Namespace: Namespace},
		Data: map[string][]byte{},
	}
	for _, name := range authority.Files() {
		if secret.Data[name], err = os.ReadFile(filepath.Join(o.CADir, c.Name, name)); err != nil {
			return fmt.Errorf("read the CA that was made for the run: %w", err)
		}
	}
	namespace := corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: Namespace, Labels: map[string]string{NetworkLabel: member.Network}},
	}
	for _, object := range []any{namespace, secret} {
		text, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		if err := manifest.Apply(ctx, c, text, manifest.Owner(o.Intent.RunID)); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) member(c *cluster.Cluster) (intent.Cluster, error) {
	member, ok := o.Intent.Cluster(c.Name)
	if !ok {
		return member, fmt.Errorf("the intent has no cluster %s", c.Name)
	}
	return member, nil
}

type object = map[string]any

// operator gives the IstioOperator of one cluster as YAML. Access logs are not part of it: they are turned on for the
// sample alone, later.
func (o Options) operator(c *cluster.Cluster) ([]byte, error) {
	member, err := o.member(c)
	if err != nil {
		return nil, err
	}
	pilot := object{
		"autoscaleEnabled": false, "replicaCount": cmp.Or(o.Replicas, asmReplicas),
		// Requests for two clusters on one small machine; ASM asks for 500m and 2 GiB.
		"resources": object{"requests": object{"cpu": "10m", "memory": "100Mi"}},
	}
	global := object{
		"meshID": o.Intent.MeshID, "network": member.Network, "multiCluster": object{"clusterName": member.ID},
		"imagePullPolicy": "IfNotPresent",
	}
	values := object{"global": global, "pilot": pilot}
	env := object{}
	if o.UpstreamEnvoy {
		env["PILOT_ENABLE_ALPN_FILTER"], env["PILOT_ENABLE_METADATA_EXCHANGE"] = "false", "false"
		values["telemetry"] = object{"v2": object{"prometheus": object{"enabled": false}}}
	}
	meshConfig := object{"trustDomain": o.Intent.TrustDomain, "localityLbSetting": object{"enabled": false}}
	if ca := o.FleetCA; ca != nil {
		global["caAddress"], global["sds"] = ca.Address, object{"token": object{"aud": ca.Audience}}
		meshConfig["trustDomainAliases"] = ca.Aliases
		env["TOKEN_AUDIENCES"] = istioctlAudience + "," + ca.Audience
	}
	if len(env) > 0 {
		pilot["env"] = env
	}
	spec := object{
		"profile": "minimal", "revision": o.Intent.Revision,
		"meshConfig": meshConfig,
		"values":     values,
		"components": object{"pilot": object{"k8s": object{"overlays": []object{o.probeOverlay()}}}},
	}
	if o.Hub != "" {
		spec["hub"] = o.Hub
	}
	if o.Tag != "" {
		spec["tag"] = o.Tag
	}
	return yaml.Marshal(object{
		"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
		"metadata": object{"name": OperatorName, "namespace": Namespace},
		"spec":     spec,
	})
}

// istioctlAudience is whom the tokens are for with which istioctl asks istiod; it has no way to ask with another.
const istioctlAudience = "istio-ca"

// probeOverlay has istiod asked every second whether it is ready. It is so within a second of its start, but the chart's
// period of 3 s lets the first answers come at 1 s, which is too early, and 4 s.
func (o Options) probeOverlay() object {
	return object{
		"apiVersion": "apps/v1", "kind": "Deployment", "name": "istiod-" + o.Intent.Revision,
		"patches": []object{{"path": "spec.template.spec.containers.[name:discovery].readinessProbe.periodSeconds", "value": 1}},
	}
}
