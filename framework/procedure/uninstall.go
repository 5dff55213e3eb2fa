package procedure

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// uninstall removes a control plane that the run brought, with what istiod made, each stage when the one before is gone. istioctl's own
// uninstall leaves the definitions of Istio's kinds and istiod's roots in all namespaces, and who removes from another machine has none.
func (r removal) uninstall(ctx context.Context, c *cluster.Cluster, e ledger.Entry) error {
	if err := mirror.Alone(ctx, c, e.Run); err != nil {
		return err
	}
	others, err := istio.Another(ctx, c)
	if err != nil {
		return err
	}
	shared := len(others) > 0
	if shared {
		r.stays(fmt.Sprintf("another control plane is on cluster %s (%s): what it may use as well stays there, the definitions of Istio's kinds, the ConfigMaps istio-ca-root-cert and istio-ca-crl of all namespaces but %s, and the GatewayClasses",
			c.Name, manifest.Listed(others), istioSystem))
	} else if err := istio.Spare(ctx, c); err != nil {
		return err
	}
	if r.own, err = atHome(ctx, c, e, r.own, !shared); err != nil {
		return err
	}
	for _, stage := range istio.Stages(shared) {
		refs, err := stage(ctx, c)
		if err != nil {
			return err
		}
		if err := r.remove(ctx, c, e, refs); err != nil {
			return err
		}
	}
	return nil
}

// atHome adds to what is the run's own what was made of an entry's in istio-system, or with everywhere of an Istio, since the run made
// istio-system. So what was installed and not marked, or made anew and not marked again, is known from any machine. Where istio-system is
// not of the run's making it adds nothing: there somebody else may have made what goes by the same name.
func atHome(ctx context.Context, c *cluster.Cluster, e ledger.Entry, own whose, everywhere bool) (whose, error) {
	if e.Namespace != istioSystem {
		return own, nil
	}
	home, err := manifest.Find(ctx, c, homeRef())
	if err != nil {
		return nil, err
	}
	return func(e ledger.Entry, o *unstructured.Unstructured) bool {
		return own(e, o) || (everywhere || o.GetNamespace() == istioSystem) && since(home, e, o)
	}, nil
}

// since tells whether an object was made in the time of a home of the run's: there was no Istio when the run made it, which its label
// says, and who else made one meanwhile is looked for before.
func since(home *unstructured.Unstructured, e ledger.Entry, o *unstructured.Unstructured) bool {
	if home == nil || home.GetLabels()[manifest.RunLabel] != e.Run || e.Run == "" {
		return false
	}
	if label := o.GetLabels()[manifest.RunLabel]; label != "" && label != e.Run {
		return false
	}
	made, began := o.GetCreationTimestamp(), home.GetCreationTimestamp()
	return !made.Before(&began)
}
