package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/release"
)

// Pulls are the images of the pods that the run makes on a cluster, and what is known of where they are.
type Pulls struct {
	// Wanted are all of them; Samples tells that those of the guide's samples are among them.
	Wanted  []string
	Samples bool
	// Proxy is the one of the mesh's proxies; "" = none is installed yet.
	Proxy string
	// There are those that a node holds.
	There []string
	// Asked is what registries said of the others; nil = none was asked.
	Asked []images.Asked
}

// Secrets are those with which the mesh has its pods pull, and those of them that are not in istio-system.
type Secrets struct{ Named, Lacking []string }

// injection are the values with which istiod injects a proxy.
type injection struct {
	Global struct {
		Hub, Variant     string
		Tag              any // 1.28 may be written as a number
		Proxy            struct{ Image string }
		ImagePullSecrets []string
	}
	Pilot    struct{ CNI struct{ Enabled bool } }
	IstioCNI struct{ Enabled bool } `json:"istio_cni"` // before Istio 1.24
}

func readInjection(ctx context.Context, c *cluster.Cluster, revision string) (injection, error) {
	var values injection
	injector, err := c.Kube().CoreV1().ConfigMaps(istio.Namespace).Get(ctx, "istio-sidecar-injector-"+revision, metav1.GetOptions{})
	if err != nil {
		return values, err
	}
	if err := json.Unmarshal([]byte(injector.Data["values"]), &values); err != nil {
		return values, fmt.Errorf("decode the injector's values: %w", err)
	}
	return values, nil
}

// proxy names the image as istiod does (pkg/kube/inject: ProxyImage, imageURL); "" when the values do not say it.
func (i injection) proxy() string {
	g := i.Global
	name := g.Proxy.Image
	switch {
	case strings.Contains(name, "/"):
		return name
	case g.Hub == "" || g.Tag == nil:
		return ""
	case name == "":
		name = "proxyv2"
	}
	tag := fmt.Sprint(g.Tag)
	if g.Variant != "" {
		tag = strings.TrimSuffix(strings.TrimSuffix(tag, "-distroless"), "-debug")
		if g.Variant != "default" {
			tag += "-" + g.Variant
		}
	}
	return g.Hub + "/" + name + ":" + tag
}

// proxyOf reads the image of the mesh's proxies.
func proxyOf(ctx context.Context, c *cluster.Cluster, revision string) (string, error) {
	values, err := readInjection(ctx, c, revision)
	if err != nil {
		return "", err
	}
	proxy := values.proxy()
	if proxy == "" {
		return "", fmt.Errorf("ConfigMap istio-sidecar-injector-%s does not say the proxy's image", revision)
	}
	return proxy, nil
}

// pulls looks which images the run's pods have on the cluster, and where they are. Nothing is pulled.
func pulls(ctx context.Context, c *cluster.Cluster, o Options, nodes []corev1.Node) (Pulls, error) {
	var p Pulls
	var err error
	if o.Asked.installs() { // nothing injects yet
		p.Wanted, err = o.Installs(ctx)
	} else {
		p.Proxy, err = proxyOf(ctx, c, o.Revision)
		p.Wanted = []string{p.Proxy}
	}
	if err != nil {
		return p, err
	}
	p.Wanted = append(p.Wanted, o.ProbeImage)
	if rel, err := release.Open(o.ReleaseDir); o.ReleaseDir != "" && err == nil { // a row of its own says what is wrong there
		samples, err := rel.Images()
		if err != nil {
			return p, err
		}
		p.Samples, p.Wanted = true, append(p.Wanted, samples...)
	}
	var open []string
	for _, ref := range p.Wanted {
		if held(nodes, ref) {
			p.There = append(p.There, ref)
		} else if !slices.Contains(open, ref) {
			open = append(open, ref)
		}
	}
	if o.Ask != nil && len(open) > 0 {
		p.Asked = o.Ask(ctx, open)
	}
	return p, nil
}

// held tells whether a node has the image. A node names 50 of its images at most.
func held(nodes []corev1.Node, ref string) bool {
	return slices.ContainsFunc(nodes, func(n corev1.Node) bool {
		return slices.ContainsFunc(n.Status.Images, func(i corev1.ContainerImage) bool {
			return slices.ContainsFunc(i.Names, func(name string) bool { return images.Same(name, ref) })
		})
	})
}

// pullSecretsOf looks for the secrets that the mesh names; their metadata alone is asked for.
func pullSecretsOf(ctx context.Context, c *cluster.Cluster, revision string) (Secrets, error) {
	var s Secrets
	values, err := readInjection(ctx, c, revision)
	if s.Named = values.Global.ImagePullSecrets; err != nil || len(s.Named) == 0 {
		return s, err
	}
	client, err := metadata.NewForConfig(c.Resources().GetConfig())
	if err != nil {
		return s, fmt.Errorf("make a metadata client for cluster %s: %w", c.Name, err)
	}
	list, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(istio.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return s, fmt.Errorf("look for the pull secrets that the mesh names (%s): %w", strings.Join(s.Named, ", "), err)
	}
	s.Lacking = slices.DeleteFunc(slices.Clone(s.Named), func(name string) bool {
		return slices.ContainsFunc(list.Items, func(o metav1.PartialObjectMetadata) bool { return o.Name == name })
	})
	return s, nil
}
