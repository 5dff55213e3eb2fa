package istio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/manifest"
)

// ErrThere is wrapped when a cluster that is to get a control plane holds an Istio, or what one has left.
var ErrThere = errors.New("an Istio is there already")

const (
	// OwnerLabel is the label in which istioctl writes the name of the IstioOperator that it installed something for.
	OwnerLabel = "install.operator.istio.io/owning-resource"
	// GatewayOperator is the name of the one that gen-eastwest-gateway.sh prints.
	GatewayOperator = "eastwest"
)

// ownedBy selects by istioctl's label what it has installed for the IstioOperator of Install, or for the gateway's: that one's
// installation may take the webhooks of the default revision over.
const (
	ownedBy = OwnerLabel + " in (" + ours + ")"
	others  = OwnerLabel + " notin (" + ours + ")"
	ours    = OperatorName + ", " + GatewayOperator
)

// spreadLabel is on the ConfigMaps that istiod keeps in every namespace.
const (
	spreadLabel = "istio.io/config=true"
	controller  = "istio.io/"
	ofIstio     = ".istio.io" // at the end of a definition's name
)

var (
	configMap    = schema.GroupKind{Kind: "ConfigMap"}
	deployment   = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	definition   = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	gatewayClass = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "GatewayClass"}
)

// spread names the ConfigMaps that istiod keeps in every namespace: its root, and its list of revoked certificates.
func spread() []string { return []string{"istio-ca-root-cert", "istio-ca-crl"} }

// clusterKinds are what the charts make that is in no namespace, besides the definitions of Istio's kinds.
func clusterKinds() []schema.GroupKind {
	const admission, rbac = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
	return []schema.GroupKind{
		{Group: admission, Kind: "MutatingWebhookConfiguration"}, {Group: admission, Kind: "ValidatingWebhookConfiguration"},
		{Group: rbac, Kind: "ClusterRoleBinding"}, {Group: rbac, Kind: "ClusterRole"},
	}
}

// Refuse says ErrThere, with names, when a cluster holds an Istio of any revision and installer, or what one has left: an
// installation would take it over or overwrite it, and its removal would take it away. It changes nothing.
func Refuse(ctx context.Context, c *cluster.Cluster) error {
	found, err := there(ctx, c)
	if err != nil {
		return fmt.Errorf("look for an Istio: %w", cluster.Access(err))
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrThere, manifest.Listed(found))
}

// there gives what an Istio has that is in no namespace, istio-system, and what istiod makes in other namespaces.
func there(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	var found []manifest.Ref
	home := manifest.Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: Namespace}
	exists, err := manifest.Exists(ctx, c, home)
	if err != nil {
		return nil, err
	}
	if exists {
		found = append(found, home)
	}
	for _, look := range []struct {
		kind  schema.GroupKind
		names func(string) bool
	}{
		{definition, func(name string) bool { return strings.HasSuffix(name, ofIstio) }},
		{clusterKinds()[0], named}, {clusterKinds()[1], named}, {clusterKinds()[2], named}, {clusterKinds()[3], named},
	} {
		all, err := manifest.Labelled(ctx, c, "", "", look.kind)
		if err != nil {
			return nil, err
		}
		found = append(found, slices.DeleteFunc(all, func(r manifest.Ref) bool { return !look.names(r.Name) })...)
	}
	maps, err := roots(ctx, c)
	if err != nil {
		return nil, err
	}
	own, others, err := classes(ctx, c)
	return slices.Concat(found, maps, own, others), err
}

// named tells whether an object in no namespace goes by a name as Istio's charts give: istiod-..., istio-....
func named(name string) bool { return strings.HasPrefix(name, "istio") }

// Stages give, in the order of their removal, what an installation leaves on a cluster besides what is in istio-system: istiod and
// what the charts make in no namespace; then what istiod made, which it would make again while it runs; then the definitions. Where
// another control plane is there, the last two are left out: it uses them as well.
func Stages(shared bool) []func(context.Context, *cluster.Cluster) ([]manifest.Ref, error) {
	all := []func(context.Context, *cluster.Cluster) ([]manifest.Ref, error){installed, traces, definitions}
	if shared {
		return all[:1]
	}
	return all
}

// Another gives what shows that a control plane is there that the run did not install: an istiod, or a webhook that injects for one. An
// istiod in another namespace is another's whatever its labels say.
func Another(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	var found []manifest.Ref
	for _, look := range []struct {
		kind     schema.GroupKind
		selector string
	}{{deployment, "app=istiod"}, {clusterKinds()[0], "app=sidecar-injector"}} { // as the chart labels them
		all, err := manifest.List(ctx, c, look.kind, "", look.selector)
		if err != nil {
			return nil, fmt.Errorf("look for another control plane: %w", err)
		}
		for _, o := range all {
			elsewhere := o.GetNamespace() != "" && o.GetNamespace() != Namespace
			if elsewhere || !charted(&o) {
				found = append(found, manifest.Ref{Kind: look.kind, Namespace: o.GetNamespace(), Name: o.GetName()})
			}
		}
	}
	return found, nil
}

// Spare is an error while somebody's objects would go with the definitions of Istio's kinds, or are classes of gateways for its
// controller. It is for the look before the first stage, after which there is no istiod for them.
func Spare(ctx context.Context, c *cluster.Cluster) error {
	_, err := traces(ctx, c)
	_, more := definitions(ctx, c)
	return errors.Join(err, more)
}

// Installed gives what istioctl has installed and labelled, but for what is only in istio-system and goes with it.
func Installed(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	all, err := installed(ctx, c)
	if err != nil {
		return nil, err
	}
	kinds, err := manifest.Labelled(ctx, c, "", ownedBy, definition)
	return append(all, kinds...), err
}

func installed(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	all, err := manifest.Labelled(ctx, c, Namespace, ownedBy, deployment)
	if err != nil {
		return nil, err
	}
	wide, err := manifest.Labelled(ctx, c, "", ownedBy, clusterKinds()...)
	return append(all, wide...), err
}

// traces are what istiod makes where no installer looks: ConfigMaps in every namespace, and where the cluster knows the Gateway API,
// classes of gateways. A class of another name, for Istio's controller too, is somebody's.
func traces(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	maps, err := roots(ctx, c)
	if err != nil {
		return nil, err
	}
	own, others, err := classes(ctx, c)
	errs := []error{err}
	for _, r := range others {
		errs = append(errs, fmt.Errorf("%s on cluster %s is of Istio's controller, and istiod makes none of that name: move or remove it", r, c.Name))
	}
	return append(maps, own...), errors.Join(errs...)
}

// roots are the ConfigMaps that istiod keeps in every namespace (pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go), but
// for those in istio-system.
func roots(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	var all []manifest.Ref
	maps, err := manifest.List(ctx, c, configMap, "", spreadLabel)
	for _, o := range maps {
		if slices.Contains(spread(), o.GetName()) && o.GetNamespace() != Namespace {
			all = append(all, manifest.Ref{Kind: configMap, Namespace: o.GetNamespace(), Name: o.GetName()})
		}
	}
	return all, err
}

// classes are those of gateways that Istio's controllers serve: those that istiod makes (pilot/pkg/config/kube/gatewaycommon/classinfo.go,
// AllClasses), and others.
func classes(ctx context.Context, c *cluster.Cluster) (own, others []manifest.Ref, err error) {
	builtIn := []string{"istio", "istio-remote", "istio-waypoint", "istio-east-west", "istio-agentgateway", "istio-agentgateway-waypoint"}
	all, err := manifest.List(ctx, c, gatewayClass, "", "")
	for _, o := range all {
		r := manifest.Ref{Kind: gatewayClass, Name: o.GetName()}
		switch by, _, _ := unstructured.NestedString(o.Object, "spec", "controllerName"); {
		case !strings.HasPrefix(by, controller):
		case slices.Contains(builtIn, r.Name):
			own = append(own, r)
		default:
			others = append(others, r)
		}
	}
	return own, others, err
}

// kindOf is the kind that a definition is of.
func kindOf(d *unstructured.Unstructured) schema.GroupKind {
	group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
	name, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
	return schema.GroupKind{Group: group, Kind: name}
}

// definitions are those of Istio's kinds. With a definition go all objects of its kind, so that there must be none any more but what
// istioctl has installed with them: what is there is somebody's.
func definitions(ctx context.Context, c *cluster.Cluster) ([]manifest.Ref, error) {
	all, err := manifest.List(ctx, c, definition, "", ownedBy)
	if err != nil {
		return nil, err
	}
	var refs []manifest.Ref
	var errs []error
	for _, d := range all {
		kind := kindOf(&d)
		objects, err := manifest.List(ctx, c, kind, "", others)
		errs = append(errs, err)
		for _, o := range objects {
			errs = append(errs, fmt.Errorf("%s on cluster %s would go with the definition of its kind, and the run did not make it: move or remove it",
				manifest.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}, c.Name))
		}
		refs = append(refs, manifest.Ref{Kind: definition, Name: d.GetName()})
	}
	return refs, errors.Join(errs...)
}
