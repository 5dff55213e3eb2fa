package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// Ports of the service that gen-eastwest-gateway.sh has istioctl make.
const (
	meshPort      = 15443
	readinessPort = 15021
	istiodPort    = 15012
	webhookPort   = 15017
)

func gatewayPorts() []int32 { return []int32{readinessPort, meshPort, istiodPort, webhookPort} }

// Ports are what shares ports with the gateway that S6 makes.
type Ports struct {
	// Gateways are objects Gateway that take the gateway's pods, with those of its ports that they open there.
	Gateways []Opened
	// Services are those of type LoadBalancer, with those of its ports that they have.
	Services []Opened
	// Elsewhere is why Gateways are known in istio-system only; nil = everywhere.
	Elsewhere error
}

// Opened are the gateway's ports that an object, "namespace/name", has too.
type Opened struct {
	Name  string
	Ports []int32
}

// ports looks for what shares ports with the gateway, which will be on the network.
func ports(ctx context.Context, c *cluster.Cluster, revision, network string) (Ports, error) {
	var p Ports
	pods := labels.Set{"istio": "eastwestgateway", "app": "istio-eastwestgateway", istio.NetworkLabel: network, "istio.io/rev": revision}
	gateways, err := p.gateways(ctx, c)
	if err != nil {
		return p, err
	}
	for _, g := range gateways {
		one, err := opened(g, pods)
		if err != nil {
			return p, fmt.Errorf("read Gateway %s/%s: %w", g.GetNamespace(), g.GetName(), err)
		}
		p.Gateways = one.among(p.Gateways)
	}
	services, err := balanced(ctx, c)
	if err != nil {
		return p, err
	}
	for _, s := range services {
		one := Opened{Name: s.Namespace + "/" + s.Name}
		for _, port := range s.Spec.Ports {
			one.Ports = append(one.Ports, port.Port)
		}
		p.Services = one.among(p.Services)
	}
	return p, nil
}

// gateways lists them everywhere or, where the user may not, where the run itself looks. Without Istio's kinds, as before an installation,
// there are none, whoever may look.
func (p *Ports) gateways(ctx context.Context, c *cluster.Cluster) ([]unstructured.Unstructured, error) {
	kind := schema.GroupKind{Group: networking, Kind: "Gateway"}
	all, err := manifest.List(ctx, c, kind, metav1.NamespaceAll, "")
	if apierrors.IsForbidden(err) {
		p.Elsewhere = err
		all, err = manifest.List(ctx, c, kind, istio.Namespace, "")
	}
	return all, err
}

// opened gives the ports that a Gateway opens on pods with these labels; none where it does not take them.
func opened(g unstructured.Unstructured, pods labels.Set) (Opened, error) {
	o := Opened{Name: g.GetNamespace() + "/" + g.GetName()}
	var gateway struct {
		Spec struct {
			Selector map[string]string
			Servers  []struct{ Port struct{ Number int32 } }
		}
	}
	text, err := g.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, &gateway)
	}
	if err != nil {
		return o, err
	}
	if !labels.SelectorFromSet(gateway.Spec.Selector).Matches(pods) {
		return o, nil
	}
	for _, s := range gateway.Spec.Servers {
		o.Ports = append(o.Ports, s.Port.Number)
	}
	return o, nil
}

// among adds what has any of the gateway's ports, with these alone.
func (o Opened) among(all []Opened) []Opened {
	o.Ports = slices.DeleteFunc(o.Ports, func(port int32) bool { return !slices.Contains(gatewayPorts(), port) })
	if len(o.Ports) == 0 {
		return all
	}
	slices.Sort(o.Ports)
	o.Ports = slices.Compact(o.Ports)
	return append(all, o)
}
