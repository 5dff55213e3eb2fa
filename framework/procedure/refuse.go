package procedure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// The gateway's installation in the ledger: everything that istioctl marks as owned by the IstioOperator which
// gen-eastwest-gateway.sh prints.
const (
	operatorKind = "IstioOperator"
	operatorName = istio.GatewayOperator
	ownedBy      = istio.OwnerLabel + "=" + operatorName
)

// Home is the ledger's entry for istio-system on a cluster to which the run brings a control plane, ControlPlane the one for that.
func Home(c, run string) ledger.Entry {
	return ledger.Entry{Kind: "Namespace", Cluster: c, Name: istioSystem, Run: run}
}

// ControlPlane is everything that istioctl marks as owned by the IstioOperator of the control plane, and what istiod makes.
func ControlPlane(c, run string) ledger.Entry {
	return ledger.Entry{Kind: operatorKind, Cluster: c, Namespace: istioSystem, Name: istio.OperatorName, Run: run}
}

func homeRef() manifest.Ref { return manifest.Ref{Kind: kinds()["Namespace"], Name: istioSystem} }

func isHome(e ledger.Entry) bool { return e.Kind == "Namespace" && e.Name == istioSystem }

func isControlPlane(e ledger.Entry) bool {
	return e.Kind == operatorKind && e.Namespace == istioSystem && e.Name == istio.OperatorName
}

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
var ErrInTheWay = errors.New(evidence.InTheWay)

// Refuse names everything on the clusters that the guide's steps would overwrite or fail on, and the further namespaces that
// are there already: a run must not touch what it did not make. What steps would make that the run leaves out is somebody's,
// and none of its business. It changes nothing.
func Refuse(ctx context.Context, set cluster.Set, in intent.Intent, namespaces ...string) error {
	return set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		var wanted []manifest.Ref
		if in.Skips(intent.StepGateway) == "" {
			wanted = append(wanted, gatewayRefs()...)
		}
		if in.Skips(intent.StepExpose) == "" {
			wanted = append(wanted, exposureRef())
		}
		for i, peer := range set {
			if peer.Name != c.Name && in.Skips(intent.StepJoin) == "" {
				wanted = append(wanted, secretRef(remoteName(in, set, i)))
				if id := in.Clusters[i].ID; id != remoteName(in, set, i) { // as who joins without asmcli names it
					wanted = append(wanted, secretRef(id))
				}
			}
		}
		meshWide := len(wanted)
		for _, name := range append([]string{in.Namespace()}, namespaces...) {
			wanted = append(wanted, manifest.Ref{Kind: kinds()["Namespace"], Name: name})
		}
		sample := wanted[meshWide].String()
		found, later, err := existing(ctx, c, wanted, meshWide)
		errs := []error{err}
		if in.Skips(intent.StepGateway) == "" {
			owned, err := manifest.Labelled(ctx, c, istioSystem, ownedBy, gatewayKinds()...)
			errs = append(errs, err)
			for _, r := range owned {
				if name := r.String(); !slices.Contains(found, name) {
					found, later = append(found, name), true
				}
			}
		}
		if len(found) > 0 {
			errs = append(errs, fmt.Errorf("%w: %s: %s", ErrInTheWay, strings.Join(found, ", "), instead(later, slices.Contains(found, sample))))
		}
		return errors.Join(errs...)
	})
}

// intend notes what a step is about to make, unless somebody has made it since the run looked: an entry of something that is not the
// run's would have it removed.
func (p *Procedure) intend(ctx context.Context, makes []ledger.Entry) error {
	if p.o.Ledger == nil || !p.supplied() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.Limits.Command, fmt.Errorf("the limit of %s for a look at what is there already has passed", p.o.Limits.Command))
	defer cancel()
	noted := p.o.Ledger.Remaining()
	for _, e := range makes {
		same := func(n ledger.Entry) bool {
			return n.Kind == e.Kind && n.Cluster == e.Cluster && n.Namespace == e.Namespace && n.Name == e.Name
		}
		if slices.ContainsFunc(noted, same) { // an earlier command of the run may have made it
			continue
		}
		if err := vacantFor(ctx, p.o.Set.Named(e.Cluster), e); err != nil {
			return err
		}
	}
	return p.tell(makes, Ledger.Intend)
}

// vacantFor gives ErrInTheWay when anything of what an entry stands for is there.
func vacantFor(ctx context.Context, c *cluster.Cluster, e ledger.Entry) error {
	refs, err := objects(ctx, c, e)
	if err != nil {
		return fmt.Errorf("look whether %s is there already: %w", e, err)
	}
	if e.Kind == operatorKind {
		refs = append(gatewayRefs(), refs...)
	}
	for _, r := range refs {
		there, err := manifest.Exists(ctx, c, r)
		switch {
		case err != nil:
			return fmt.Errorf("look whether %s is there already: %w", e, err)
		case there:
			return fmt.Errorf("%w: %s on cluster %s was not there when the run began, so that somebody else has made it: see whose it is, remove it or wait until it is gone, and run again",
				ErrInTheWay, r, c.Name)
		}
	}
	return nil
}

// instead says what to do about what is in the way: later tells that some of it is what a run can begin after, and sample that
// the namespace of the guide's sample is among it.
func instead(later, sample bool) string {
	ways := []string{"remove it", "use clusters on which the guide was not followed yet"}
	if later {
		ways = append(ways, "begin after it with --from expose, join or verify (--read-only deploys nothing at all)")
	}
	if sample {
		ways = append(ways, "give the guide's sample another namespace with --namespace NAME")
	}
	last := len(ways) - 1
	return strings.Join(ways[:last], ", ") + ", or " + ways[last]
}

// existing gives those that are there, and tells whether one of the first so many is.
func existing(ctx context.Context, c *cluster.Cluster, wanted []manifest.Ref, first int) (found []string, among bool, err error) {
	var errs []error
	for i, r := range wanted {
		there, err := manifest.Exists(ctx, c, r)
		errs = append(errs, err)
		if there {
			found, among = append(found, r.String()), among || i < first
		}
	}
	return found, among, errors.Join(errs...)
}

// gatewayRefs are what S6 makes under names that the guide's commands imply.
func gatewayRefs() []manifest.Ref {
	return []manifest.Ref{
		{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Namespace: istioSystem, Name: gatewayName},
		{Kind: schema.GroupKind{Kind: "Service"}, Namespace: istioSystem, Name: gatewayName},
	}
}

// secretRef is what S8 makes for a cluster that goes by that name.
func secretRef(name string) manifest.Ref {
	return manifest.Ref{Kind: kinds()["Secret"], Namespace: istioSystem, Name: remotePrefix + name}
}

// exposureRef is what S7 makes.
func exposureRef() manifest.Ref {
	return manifest.Ref{Kind: kinds()["Gateway"], Namespace: istioSystem, Name: crossNetwork}
}
