package procedure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
)

// The gateway's installation in the ledger: everything that istioctl marks as owned by the IstioOperator which
// gen-eastwest-gateway.sh prints.
const (
	operatorKind = "IstioOperator"
	operatorName = "eastwest"
	ownedBy      = "install.operator.istio.io/owning-resource=" + operatorName
)

// kinds of single objects that the guide makes, by the ledger's word for them.
func kinds() map[string]schema.GroupKind {
	return map[string]schema.GroupKind{
		"Namespace": {Kind: "Namespace"},
		"Secret":    {Kind: "Secret"},
		"Gateway":   {Group: "networking.istio.io", Kind: "Gateway"},
	}
}

// gatewayKinds are what the gateway's chart makes, all in the gateway's namespace.
func gatewayKinds() []schema.GroupKind {
	return []schema.GroupKind{
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, {Group: "policy", Kind: "PodDisruptionBudget"},
		{Group: "apps", Kind: "Deployment"}, {Kind: "Service"}, {Kind: "ServiceAccount"},
		{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}, {Group: "rbac.authorization.k8s.io", Kind: "Role"},
	}
}

// ErrInTheWay is wrapped when clusters hold what the guide's steps would make.
var ErrInTheWay = errors.New("the guide's steps would overwrite what is there already")

// Refuse names everything on the clusters that the guide's steps would overwrite or fail on, and the further namespaces that
// are there already: a run must not touch what it did not make. It changes nothing.
func Refuse(ctx context.Context, set cluster.Set, in intent.Intent, namespaces ...string) error {
	return set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		wanted := []manifest.Ref{
			{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Namespace: istioSystem, Name: gatewayName},
			{Kind: schema.GroupKind{Kind: "Service"}, Namespace: istioSystem, Name: gatewayName},
			{Kind: kinds()["Gateway"], Namespace: istioSystem, Name: crossNetwork},
			{Kind: kinds()["Namespace"], Name: sampleNamespace},
		}
		for _, name := range namespaces {
			wanted = append(wanted, manifest.Ref{Kind: kinds()["Namespace"], Name: name})
		}
		for i, peer := range set {
			if peer.Name != c.Name {
				wanted = append(wanted, manifest.Ref{Kind: kinds()["Secret"], Namespace: istioSystem, Name: remotePrefix + remoteName(in, set, i)})
			}
		}
		var found []string
		var errs []error
		for _, r := range wanted {
			there, err := manifest.Exists(ctx, c, r)
			errs = append(errs, err)
			if there {
				found = append(found, r.String())
			}
		}
		owned, err := manifest.Labelled(ctx, c, istioSystem, ownedBy, gatewayKinds()...)
		errs = append(errs, err)
		for _, r := range owned {
			if name := r.String(); !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
		if len(found) > 0 {
			errs = append(errs, fmt.Errorf("%w: %s: remove it, or use clusters on which the guide was not followed yet",
				ErrInTheWay, strings.Join(found, ", ")))
		}
		return errors.Join(errs...)
	})
}
