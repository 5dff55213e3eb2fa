package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/claim"
)

// surroundings are the faults around the mesh, with which nothing can be said of it.
func surroundings() []Fault {
	const closed = "-i eth0 -p tcp --dport 6443 -j DROP"
	return []Fault{
		{
			ID: "dns", Sentence: "east's DNS has no pod", Verdict: claim.Inconclusive, Cause: "dns", Samples: 40,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.east(), "kube-system", "scale deployment coredns --replicas=0"),
					r.in(ctx, r.east(), "kube-system", "delete pod -l k8s-app=kube-dns --grace-period=1 --wait=true"))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.east(), "kube-system", "scale deployment coredns --replicas=1"),
					r.settled(ctx, r.east(), "kube-system", "coredns", "k8s-app=kube-dns"))
			},
		},
		{
			ID: "lb-pool-empty", Sentence: "west's load balancer has no address left for the gateway", Verdict: claim.Inconclusive, Cause: "lb-pool-empty",
			Also: []string{"gateway-without-address"},
			Break: func(ctx context.Context, r *Rig) error {
				if err := r.keepPool(ctx); err != nil {
					return err
				}
				address, err := unused(r.west())
				if err != nil {
					return err
				}
				only := fmt.Sprintf(`{"spec":{"addresses":["%s/32"]}}`, address)
				err = errors.Join(r.patch(ctx, r.west(), system, "service/"+gateway, `{"spec":{"type":"ClusterIP"}}`),
					r.patch(ctx, r.west(), poolNamespace, r.poolName(), only), r.apply(ctx, r.west(), taker),
					r.patch(ctx, r.west(), system, "service/"+gateway, `{"spec":{"type":"LoadBalancer"}}`))
				return errors.Join(err, r.refused(ctx))
			},
			// The gateway asks again only when the pool is whole: else it is given the one address as soon as the taker is gone, and
			// MetalLB refuses a pool without an address that is in use.
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.patch(ctx, r.west(), system, "service/"+gateway, `{"spec":{"type":"ClusterIP"}}`),
					r.remove(ctx, r.west(), taker), r.restorePool(ctx),
					r.patch(ctx, r.west(), system, "service/"+gateway, `{"spec":{"type":"LoadBalancer"}}`), r.addressed(ctx, r.west()), r.crossing(ctx), r.freshClient(ctx, r.east()))
			},
		},
		{
			ID: "api-server-unreachable", Sentence: "west's API server takes no connection from outside its node", Verdict: claim.Inconclusive, Cause: "api-server-unreachable",
			Break: func(ctx context.Context, r *Rig) error { return r.filter(ctx, r.west(), "INPUT", closed) },
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.unfilter(ctx, r.west(), "INPUT", closed), r.answers(ctx), r.freshServer(ctx, r.west()), r.watched(ctx), r.freshClient(ctx, r.east()))
			},
		},
	}
}

const (
	poolNamespace = "metallb-system"
	poolKind      = "ipaddresspools.metallb.io"
)

// taker takes the only address of the pool.
const taker = `apiVersion: v1
kind: Service
metadata: {name: taker, namespace: <sample>}
spec:
  type: LoadBalancer
  selector: {app: nobody}
  ports: [{port: 80}]
`

// keepPool remembers the addresses of west's pool.
func (r *Rig) keepPool(ctx context.Context) error {
	out, err := r.kubectl(ctx, r.west(), "", "-n", poolNamespace, "get", poolKind, "-o", "json")
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec struct {
				Addresses []string `json:"addresses"`
			} `json:"spec"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Items) == 0 {
		return fmt.Errorf("read the address pool of cluster %s: %d pools: %w", r.west().Name, len(list.Items), err)
	}
	addresses, err := json.Marshal(list.Items[0].Spec.Addresses)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saved == nil {
		r.saved = map[string]*corev1.Secret{}
	}
	if r.saved["pool"] == nil { // a note, not a secret: only this package reads it
		r.saved["pool"] = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: list.Items[0].Metadata.Name},
			StringData: map[string]string{"addresses": string(addresses)}}
	}
	return nil
}

func (r *Rig) poolName() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return poolKind + "/" + r.saved["pool"].Name
}

func (r *Rig) restorePool(ctx context.Context) error {
	r.mu.Lock()
	kept := r.saved["pool"]
	r.mu.Unlock()
	if kept == nil {
		return nil // nothing was changed
	}
	return r.patch(ctx, r.west(), poolNamespace, r.poolName(), `{"spec":{"addresses":`+kept.StringData["addresses"]+`}}`)
}

// refused waits until the load balancer has said that it has no address.
func (r *Rig) refused(ctx context.Context) error {
	return r.watch(ctx, "the load balancer refuses an address", func(ctx context.Context) (string, error) {
		events, err := r.west().Kube().CoreV1().Events(system).List(ctx, metav1.ListOptions{FieldSelector: "reason=AllocationFailed"})
		if err != nil {
			return "", err
		}
		if len(events.Items) == 0 {
			return "no event", errors.New("not yet")
		}
		return "", nil
	})
}

// answers waits until west's API server answers again.
func (r *Rig) answers(ctx context.Context) error {
	return r.watch(ctx, "the API server answers", func(ctx context.Context) (string, error) {
		return "", r.west().Ready(ctx, readyLimit)
	})
}
