package fault

import (
	"context"
	"errors"
	"time"
)

// Injection is a failure from which a mesh must recover, with load on it throughout.
type Injection struct {
	// ID is the claim's name for it, Sentence what is done.
	ID, Sentence string
	// KindOnly tells that it reaches into a kind node or the control plane.
	KindOnly bool
	// Hold is how long it lasts before it is undone; 0 = it undoes itself.
	Hold          time.Duration
	Break, Repair func(context.Context, *Rig) error
}

// Injections gives those of a run, in the order of the claims. All are done to west.
func Injections() []Injection {
	const apiServer = "-i eth0 -p tcp --dport 6443 -j DROP"
	// What leaves the node and what comes in from other hosts; the node's own programs speak with each other on its bridge and
	// its loopback.
	cut := []struct{ chain, rule string }{{"INPUT", "-i eth0 -j DROP"}, {"OUTPUT", "-o eth0 -j DROP"}, {"FORWARD", "-i eth0 -j DROP"}, {"FORWARD", "-o eth0 -j DROP"}}
	return []Injection{
		{
			ID: "gateway-pod-deleted", Sentence: "the pod of west's gateway is deleted",
			Break: func(ctx context.Context, r *Rig) error {
				return r.in(ctx, r.west(), system, "delete pod -l istio=eastwestgateway --wait=false")
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return r.settled(ctx, r.west(), system, gateway, "istio=eastwestgateway")
			},
		},
		{
			ID: "istiod-restarted", Sentence: "west's istiod is deleted and comes back", KindOnly: true,
			Break: func(ctx context.Context, r *Rig) error {
				return r.in(ctx, r.west(), system, "delete pod -l app=istiod --wait=false")
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return r.settled(ctx, r.west(), system, "istiod-"+r.Intent.Revision, "app=istiod")
			},
		},
		{
			ID: "api-server-unreachable", Sentence: "west's API server cannot be reached from outside its node for a minute", KindOnly: true, Hold: time.Minute,
			Break: func(ctx context.Context, r *Rig) error { return r.filter(ctx, r.west(), "INPUT", apiServer) },
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.unfilter(ctx, r.west(), "INPUT", apiServer), r.answers(ctx))
			},
		},
		{
			ID: "workload-scaled-to-zero", Sentence: "west's helloworld is scaled to zero for ten seconds", Hold: 10 * time.Second,
			Break:  func(ctx context.Context, r *Rig) error { return r.scale(ctx, r.west(), 0) },
			Repair: func(ctx context.Context, r *Rig) error { return r.comesBack(ctx, r.west()) },
		},
		{
			ID: "node-cut-off", Sentence: "west's node is cut off from the network for twenty seconds", KindOnly: true, Hold: 20 * time.Second,
			Break: func(ctx context.Context, r *Rig) error {
				var errs []error
				for _, c := range cut {
					errs = append(errs, r.filter(ctx, r.west(), c.chain, c.rule))
				}
				return errors.Join(errs...)
			},
			Repair: func(ctx context.Context, r *Rig) error {
				var errs []error
				for _, c := range cut {
					errs = append(errs, r.unfilter(ctx, r.west(), c.chain, c.rule))
				}
				return errors.Join(append(errs, r.answers(ctx))...)
			},
		},
	}
}
