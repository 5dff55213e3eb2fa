package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// istioctl puts the revision that it installed last on what all revisions share, so that the account behind the remote secrets
	// goes by the other's label: deleted with it, the remote clusters would read west until their watches end, and never again.
	gone := func(ctx context.Context, r *Rig) error {
		return errors.Join(
			r.in(ctx, r.west(), system, "delete deployment,service,configmap,poddisruptionbudget,horizontalpodautoscaler -l istio.io/rev="+otherRevision+" --ignore-not-found"),
			r.in(ctx, r.west(), system, "delete serviceaccount istiod-"+otherRevision+" --ignore-not-found"),
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
				return errors.Join(r.do(ctx, r.west(), "label", "namespace", r.sample(), "--overwrite", "istio.io/rev="+otherRevision), r.freshServer(ctx, r.west()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.do(ctx, r.west(), "label", "namespace", r.sample(), "--overwrite", "istio.io/rev="+r.Intent.Revision),
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
	return errors.Join(
		r.freshIstiod(ctx, r.west()),
		r.gatewayNetwork(ctx, name),
		r.settled(ctx, r.west(), system, gateway, "istio=eastwestgateway"),
		r.freshServer(ctx, r.west()), r.freshClient(ctx, r.west()), r.crossing(ctx), r.freshClient(ctx, r.east()))
}

// gatewayNetwork names the network of west's gateway anew, as gen-eastwest-gateway.sh with another --network would: the name
// stands in the deployment's selector, which cannot be changed, so that it is deleted and made anew.
func (r *Rig) gatewayNetwork(ctx context.Context, name string) error {
	for _, object := range []string{"deployment", "service"} {
		text, err := r.kubectl(ctx, r.west(), "", "-n", system, "get", object, gateway, "-o", "json")
		if err != nil {
			return err
		}
		for _, c := range r.Intent.Clusters {
			text = strings.ReplaceAll(text, `"`+c.Network+`"`, `"`+name+`"`)
		}
		fresh, err := recreatable(text)
		if err != nil {
			return fmt.Errorf("read the gateway's %s on cluster %s: %w", object, r.west().Name, err)
		}
		if object == "deployment" {
			if err := r.in(ctx, r.west(), system, "delete deployment "+gateway+" --cascade=foreground --wait=true"); err != nil {
				return err
			}
		}
		if err := r.apply(ctx, r.west(), fresh); err != nil {
			return err
		}
	}
	return nil
}

// recreatable strips an object, as kubectl prints it in JSON, of what only the API server may say.
func recreatable(text string) (string, error) {
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return "", err
	}
	delete(object, "status")
	if meta, ok := object["metadata"].(map[string]any); ok {
		for _, key := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"} {
			delete(meta, key)
		}
	}
	stripped, err := json.Marshal(object)
	return string(stripped), err
}
