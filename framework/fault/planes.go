package fault

import (
	"context"
	"errors"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// otherRevision is one that the mesh is not to have.
const otherRevision = "asm-other"

// planes are the faults in how west's control plane and networks were set up.
func planes() []Fault {
	second := func(ctx context.Context, r *Rig) error {
		other := r.Mesh
		other.Intent.Revision, other.Replicas = otherRevision, 1
		return istio.Install(ctx, r.west(), other)
	}
	gone := func(ctx context.Context, r *Rig) error {
		return errors.Join(
			r.in(ctx, r.west(), system, "delete deployment,service,serviceaccount,configmap,poddisruptionbudget,horizontalpodautoscaler -l istio.io/rev="+otherRevision+" --ignore-not-found"),
			r.do(ctx, r.west(), "delete", "mutatingwebhookconfiguration,validatingwebhookconfiguration", "-l", "istio.io/rev="+otherRevision, "--ignore-not-found"),
			r.ended(ctx, r.west(), system, "app=istiod"))
	}
	return []Fault{
		{
			ID: "same-network", Sentence: "west's network has the name of east's, as the guide's literal text gives it", Verdict: claim.Failed, Cause: "same-network", Samples: 40,
			Break: func(ctx context.Context, r *Rig) error { return r.network(ctx, r.Intent.Clusters[0].Network) },
			Repair: func(ctx context.Context, r *Rig) error {
				return r.network(ctx, r.Intent.Clusters[1].Network)
			},
		},
		{
			ID: "two-revisions", Sentence: "west has a second control plane of another revision", Verdict: claim.Failed, Cause: "two-revisions",
			Break: second, Repair: gone,
		},
		{
			ID: "injected-by-another-revision", Sentence: "helloworld on west was injected by a second control plane's revision", Verdict: claim.Failed,
			Cause: "injected-by-another-revision", Also: []string{"two-revisions"},
			Break: func(ctx context.Context, r *Rig) error {
				if err := second(ctx, r); err != nil {
					return err
				}
				return errors.Join(r.do(ctx, r.west(), "label", "namespace", sample, "--overwrite", "istio.io/rev="+otherRevision), r.freshServer(ctx, r.west()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.do(ctx, r.west(), "label", "namespace", sample, "--overwrite", "istio.io/rev="+r.Intent.Revision),
					r.freshServer(ctx, r.west()), gone(ctx, r))
			},
		},
	}
}

// network names west's network anew: for istiod, for its gateway and for its workloads. istioctl keeps what else it
// installed there.
func (r *Rig) network(ctx context.Context, name string) error {
	other := r.Mesh
	other.Intent.Clusters = append(other.Intent.Clusters[:0:0], other.Intent.Clusters...)
	other.Intent.Clusters[1].Network = name
	if err := istio.Install(ctx, r.west(), other); err != nil {
		return err
	}
	gatewayTemplate := strings.ReplaceAll(`{"metadata":{"labels":{"topology.istio.io/network":"N"}},"spec":{"template":{"metadata":{"labels":{"topology.istio.io/network":"N"}},`+
		`"spec":{"containers":[{"name":"istio-proxy","env":[{"name":"ISTIO_META_REQUESTED_NETWORK_VIEW","value":"N"},{"name":"REQUESTED_NETWORK_VIEW","value":"N"}]}]}}}}`, "N", name)
	return errors.Join(
		r.freshIstiod(ctx, r.west()),
		r.do(ctx, r.west(), "-n", system, "patch", "deployment/"+gateway, "--type=strategic", "-p", gatewayTemplate),
		r.do(ctx, r.west(), "-n", system, "label", "service", gateway, "--overwrite", "topology.istio.io/network="+name),
		r.settled(ctx, r.west(), system, gateway, "istio=eastwestgateway"),
		r.freshServer(ctx, r.west()), r.freshClient(ctx, r.west()), r.crossing(ctx), r.freshClient(ctx, r.east()))
}
