package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/mesh/preinstalled"
)

// Options say what is looked at.
type Options struct {
	// Set are the given clusters; none = the run would make its own on this machine.
	Set cluster.Set
	// CA is the mesh's certificate authority, Platform the guide's ("" = nobody says), Revision that of the control planes.
	CA, Platform, Revision string
	// ReleaseDir is a release directory; "" = the run puts one together.
	ReleaseDir string
	// Asm says which real asmcli the run would drive, nil = none; Literal that it would be called as the guide prints it.
	Asm     *asm.Options
	Literal bool
	// ByID tells that the built-in join would name clusters after their ids.
	ByID bool
	// ProbeImage is that of the suite's own pods; PullSecret are the registries of which a pull secret is given, nil = none is.
	ProbeImage string
	PullSecret []string
	// Ask asks registries for images, AskForRun for those of a run on kind clusters; nil = they are not asked.
	Ask       func(ctx context.Context, refs []string) []images.Asked
	AskForRun func(ctx context.Context) ([]images.Asked, error)
	// Installs gives the images of the control planes that the run would bring; it is asked only where it would.
	Installs func(ctx context.Context) ([]string, error)
	// Asked decides the permissions, and what else is looked at.
	Asked Asked
	// Place is a directory on the disk that will hold images and evidence.
	Place string
	// Looking does each look, and tells somebody what is looked at; nil = nobody is told.
	Looking func(what string, look func() error) error
}

// looking does a look, and tells of it.
func (o Options) looking(what string, look func() error) error {
	if o.Looking == nil {
		return look()
	}
	return o.Looking(what, look)
}

// clusterLimit bounds the looks at one cluster, about two hundred short requests; answerLimit the first of them, without which
// the others are not made.
const (
	clusterLimit = time.Minute
	answerLimit  = 10 * time.Second
)

// Read looks at this machine and at all clusters at once. What cannot be seen is in the facts, with the reason. The API servers
// are asked for nothing that stays: objects are got and listed, access is reviewed, and a namespace is created as a dry run.
func Read(ctx context.Context, o Options) Facts {
	f := Facts{ProbeImage: o.ProbeImage, PullSecret: o.PullSecret, Platform: o.Platform, Kind: len(o.Set) == 0, Asked: o.Asked, ByID: o.ByID, CA: o.CA, Clusters: make([]Cluster, len(o.Set))}
	at := map[*cluster.Cluster]int{} // two may have one name, by mistake
	for i, c := range o.Set {
		at[c] = i
	}
	_ = o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error { // every reason is in its fact
		return o.looking("look at cluster "+c.Name, func() error {
			f.Clusters[at[c]] = look(ctx, c, o)
			return nil
		})
	})
	_ = o.looking("look at this machine", func() error {
		f.Host = readHost(ctx, o, f.Clusters)
		return nil
	})
	return f
}

func look(ctx context.Context, c *cluster.Cluster, o Options) Cluster {
	ctx, cancel := context.WithTimeoutCause(ctx, clusterLimit, fmt.Errorf("looking took longer than %s", clusterLimit))
	defer cancel()
	config := c.Resources().GetConfig()
	found := Cluster{Name: c.Name, Server: c.Server(), Context: c.Context, Kubeconfig: c.Kubeconfig, Local: c.Local(), Proxied: config.Proxy != nil}
	if found.Answer = seen(answer(ctx, config)); found.Answer.Err != nil {
		return found // nothing else answers either
	}
	found.UID = seen(c.UID(ctx))
	if o.Asked.installs() {
		found.Vacant = istio.Refuse(ctx, c)
	} else {
		mesh, err := preinstalled.Read(ctx, c, o.Revision)
		found.Mesh = Seen[Mesh]{Mesh{Network: mesh.Network, Version: mesh.Version}, err}
		found.Root = seen(root(ctx, c))
	}
	found.Denied = seen(denied(ctx, c, Permissions(o.Asked)))
	nodes := nodesOf(ctx, c)
	if !o.Asked.ReadOnly {
		found.Pulls, found.Admission, found.Ports = seen(pulls(ctx, c, o, nodes)), seen(admitted(ctx, c, o)), seen(ports(ctx, c, o.Revision, found.Mesh.Value.Network))
		if !o.Asked.installs() {
			found.Secrets = seen(pullSecretsOf(ctx, c, o.Revision))
		}
	}
	if o.Asm != nil {
		found.Member = seen(manifest.Exists(ctx, c, asm.Membership()))
	}
	found.Balancer = seen(balancer(ctx, c, nodes))
	return found
}

func seen[T any](value T, err error) Seen[T] { return Seen[T]{value, err} }

// answer asks for the server's version, and compares its clock with this machine's at the middle of the question.
func answer(ctx context.Context, config *rest.Config) (Answer, error) {
	var a Answer
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerLimit, fmt.Errorf("no answer within %s", answerLimit))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(config.Host, "/")+"/version", nil)
	if err != nil {
		return a, err
	}
	asked := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return a, cluster.Access(err)
	}
	defer response.Body.Close()
	middle := asked.Add(time.Since(asked) / 2)
	if response.StatusCode == http.StatusUnauthorized {
		return a, cluster.Access(apierrors.NewUnauthorized(response.Status))
	}
	var version struct{ GitVersion string }
	if err := json.NewDecoder(response.Body).Decode(&version); err != nil || response.StatusCode != http.StatusOK {
		return a, errors.Join(fmt.Errorf("ask for the version: %s", response.Status), err)
	}
	a.Version = version.GitVersion
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		a.Ahead = date.Sub(middle)
	}
	return a, nil
}

// root gives the digest of the root that istiod hands out. The secret cacerts holds it too, beside a key that nobody is to read.
func root(ctx context.Context, c *cluster.Cluster) (string, error) {
	m, err := c.Kube().CoreV1().ConfigMaps(istio.Namespace).Get(ctx, "istio-ca-root-cert", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	digest := collect.RootDigest([]byte(m.Data["root-cert.pem"]))
	if digest == "" {
		return "", errors.New("ConfigMap istio-ca-root-cert holds no certificate in root-cert.pem")
	}
	return digest[:16], nil
}

// admitted asks what would become of the namespaces that the run makes, and what of the gateway in istio-system. A dry run goes through
// admission and is kept nowhere.
func admitted(ctx context.Context, c *cluster.Cluster, o Options) (Admission, error) {
	const enforce = "pod-security.kubernetes.io/enforce"
	a := Admission{Enforced: map[string]string{}}
	for _, name := range o.Asked.absent() {
		client := c.Kube().CoreV1().Namespaces()
		ns, err := client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if apierrors.IsAlreadyExists(err) {
			ns, err = client.Get(ctx, name, metav1.GetOptions{})
		}
		if err != nil {
			return a, fmt.Errorf("create namespace %s as a dry run: %w", name, err)
		}
		a.Enforced[name] = ns.Labels[enforce]
	}
	if o.Asked.installs() {
		return a, nil // no network plugin of Istio's is installed
	}
	if !o.Asked.From.Skips(intent.StepGateway) {
		ns, err := c.Kube().CoreV1().Namespaces().Get(ctx, istio.Namespace, metav1.GetOptions{})
		if err != nil {
			return a, err
		}
		a.Enforced[istio.Namespace] = ns.Labels[enforce]
	}
	values, err := readInjection(ctx, c, o.Revision)
	if err != nil {
		return a, err
	}
	a.CNI = values.Pilot.CNI.Enabled || values.IstioCNI.Enabled
	return a, nil
}

// balancer looks for services that a load balancer has served, and for what else hints at one.
func balancer(ctx context.Context, c *cluster.Cluster, nodes []corev1.Node) (Balancer, error) {
	b := Balancer{Clouds: clouds(nodes)}
	services, err := balanced(ctx, c)
	if err != nil {
		return b, err
	}
	for _, s := range services {
		list := &b.Pending
		if len(s.Status.LoadBalancer.Ingress) > 0 {
			list = &b.Addressed
		}
		*list = append(*list, s.Namespace+"/"+s.Name)
	}
	// The user may well not see them; then they hint at nothing.
	pools := schema.GroupVersionResource{Group: "metallb.io", Version: "v1beta1", Resource: "ipaddresspools"}
	if list, err := c.Dynamic().Resource(pools).List(ctx, metav1.ListOptions{Limit: 1}); err == nil {
		b.Pools = len(list.Items) > 0
	}
	return b, nil
}

// balanced gives the services of type LoadBalancer in all namespaces.
func balanced(ctx context.Context, c *cluster.Cluster) ([]corev1.Service, error) {
	all, err := c.Kube().CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	return slices.DeleteFunc(all.Items, func(s corev1.Service) bool { return s.Spec.Type != corev1.ServiceTypeLoadBalancer }), nil
}

// clouds are the providers that nodes name, each once.
func clouds(nodes []corev1.Node) []string {
	var all []string
	for _, n := range nodes {
		if cloud, _, ok := strings.Cut(n.Spec.ProviderID, "://"); ok && !slices.Contains(all, cloud) {
			all = append(all, cloud)
		}
	}
	slices.Sort(all)
	return all
}

// manyNodes are more than hints need, and keep the list of a large cluster, with the images of each, small.
const manyNodes = 100

// nodesOf gives nodes, which are hints only: a user who may not see them sees none.
func nodesOf(ctx context.Context, c *cluster.Cluster) []corev1.Node {
	nodes, err := c.Kube().CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: manyNodes})
	if err != nil {
		return nil
	}
	return nodes.Items
}
