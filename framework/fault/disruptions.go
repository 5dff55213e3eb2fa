package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// Disruption is something that is done to a joined mesh as part of a run. What must be seen then is a claim's
// (framework/claim: Disruptions): it only acts.
type Disruption struct {
	// ID is the claim's name for it, Sentence what is done.
	ID, Sentence string
	// KindOnly tells that it reaches into what only a run on clusters of its own has made, the control plane, or that it is
	// shown by callers with certificates of the mesh's root, which only such a run can sign.
	KindOnly bool
	// GuideCalls tells that the guide's own calls show it, and are made; NoCalls that the measured ones would each wait for
	// 10 s, and are left out: what they would show, the endpoints show.
	GuideCalls, NoCalls bool
	// NewBalancer tells that its repair has the cloud make a new load balancer.
	NewBalancer   bool
	Break, Repair func(context.Context, *Rig) error
}

// Disruptions gives those of a run, in the order of the claims.
func Disruptions() []Disruption {
	// What is applied here is shown by callers with certificates, or by those whom a policy tells apart by them.
	applied := func(id, sentence, text string) Disruption {
		return Disruption{ID: id, Sentence: sentence, KindOnly: true,
			Break:  func(ctx context.Context, r *Rig) error { return r.apply(ctx, r.west(), text) },
			Repair: func(ctx context.Context, r *Rig) error { return r.remove(ctx, r.west(), text) }}
	}
	// then adds the wait until something is in force, and until it is gone.
	then := func(d Disruption, broken, repaired func(context.Context, *Rig) error) Disruption {
		do, undo := d.Break, d.Repair
		d.Break = func(ctx context.Context, r *Rig) error {
			if err := do(ctx, r); err != nil {
				return err
			}
			return broken(ctx, r)
		}
		d.Repair = func(ctx context.Context, r *Rig) error {
			if err := undo(ctx, r); err != nil {
				return err
			}
			return repaired(ctx, r)
		}
		return d
	}
	behind := func(want bool) func(context.Context, *Rig) error {
		return func(ctx context.Context, r *Rig) error {
			return errors.Join(r.behind(ctx, want), r.freshClient(ctx, r.east()))
		}
	}
	// A connection that was open before a policy came keeps the filters that it began with, until the sidecar has drained it.
	sleepRefused := func(want bool) func(context.Context, *Rig) error {
		return func(ctx context.Context, r *Rig) error {
			return errors.Join(r.refusals(ctx, want), r.freshClient(ctx, r.east()), r.freshClient(ctx, r.west()))
		}
	}
	sameNetwork, serviceDeleted := of("same-network", "same-network", true), of("service-deleted", "service-missing", false)
	sameNetwork.NoCalls, serviceDeleted.GuideCalls = true, true
	denySleep, allowSleep := policy("deny-sleep", "DENY"), policy("allow-sleep", "ALLOW")
	return []Disruption{
		then(applied("identity-denied", "west's v2 denies the identity of sleep", denySleep), sleepRefused(true), sleepRefused(false)),
		then(applied("identity-allowed", "west's v2 allows the identity of sleep alone", allowSleep),
			func(ctx context.Context, r *Rig) error { return r.policed(ctx, true) }, func(ctx context.Context, r *Rig) error { return r.policed(ctx, false) }),
		then(Disruption{ID: "service-private", Sentence: "west's service helloworld is exported to its own namespace only", KindOnly: true,
			Break: func(ctx context.Context, r *Rig) error {
				return r.in(ctx, r.west(), r.sample(), "annotate service helloworld --overwrite networking.istio.io/exportTo=.")
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return r.in(ctx, r.west(), r.sample(), "annotate service helloworld networking.istio.io/exportTo-")
			},
		}, behind(false), behind(true)),
		then(applied("mtls-disabled", "west's sample has mutual TLS disabled", plaintext), behind(false), behind(true)),
		of("not-injected", "not-injected", false),
		of("gateway-scaled-to-zero", "gateway-not-running", false),
		of("gateway-unexposed", "gateway-without-listener", false),
		of("remote-secret-deleted", "remote-secret-missing", false),
		of("remote-secret-unreachable", "remote-secret-wrong-address", true), // istiod must be restarted after it
		{
			ID: "gateway-service-deleted", Sentence: "the service of west's gateway is deleted", NoCalls: true, NewBalancer: true,
			Break: func(ctx context.Context, r *Rig) error {
				if err := r.keepService(ctx); err != nil {
					return err // it could not be made anew
				}
				return errors.Join(r.in(ctx, r.west(), system, "delete service "+gateway), r.holds(ctx, false))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.restoreService(ctx), r.addressed(ctx, r.west()), r.holds(ctx, true), r.crossing(ctx), r.freshClient(ctx, r.east()))
			},
		},
		of("different-roots", "different-roots", true),
		{
			ID: "wrong-revision", Sentence: "west's sample has the label of a revision that is not there",
			Break: func(ctx context.Context, r *Rig) error { return r.relabel(ctx, "not-there") },
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.relabel(ctx, r.Intent.Revision), r.behind(ctx, true), r.freshClient(ctx, r.east()))
			},
		},
		sameNetwork,
		serviceDeleted,
	}
}

// of makes a disruption of a fault.
func of(id, fault string, kindOnly bool) Disruption {
	f, _ := Get(fault)
	return Disruption{ID: id, Sentence: f.Sentence, KindOnly: kindOnly, Break: f.Break, Repair: f.Repair}
}

// policy is about the identity of sleep, at helloworld.
func policy(name, action string) string {
	return fmt.Sprintf(`apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: %s, namespace: <sample>}
spec:
  selector: {matchLabels: {app: helloworld}}
  action: %s
  rules: [{from: [{source: {principals: ["*/ns/<sample>/sa/sleep"]}}]}]
`, name, action)
}

const plaintext = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: plaintext, namespace: <sample>}
spec: {mtls: {mode: DISABLE}}
`

// relabel gives west's sample another revision, and makes its helloworld anew.
func (r *Rig) relabel(ctx context.Context, revision string) error {
	return errors.Join(r.do(ctx, r.west(), "label", "namespace", r.sample(), "--overwrite", "istio.io/rev="+revision), r.freshServer(ctx, r.west()))
}

// policed waits until helloworld's sidecar on west has the policy, or has it no more.
func (r *Rig) policed(ctx context.Context, want bool) error {
	return r.becomes(ctx, r.west(), "helloworld's sidecar has a policy", want, func(ctx context.Context) (bool, error) {
		out, err := r.envoy(ctx, r.west(), r.sample(), r.helloworld(r.west()), "config_dump?resource=dynamic_listeners")
		return strings.Contains(out, "policy[allow-sleep]"), err
	})
}

// behind waits until west's gateway has a helloworld to pass on to, or has none.
func (r *Rig) behind(ctx context.Context, want bool) error {
	return r.becomes(ctx, r.west(), "the gateway has a helloworld to pass on to", want, func(ctx context.Context) (bool, error) {
		out, err := r.envoy(ctx, r.west(), system, gateway, "clusters")
		return hasHost(out, evidence.SNICluster(r.sample()), appPort), err
	})
}

// holds waits until east's sleep has west's gateway for helloworld, or has it no more.
func (r *Rig) holds(ctx context.Context, want bool) error {
	return r.becomes(ctx, r.east(), "sleep holds the gateway", want, func(ctx context.Context) (bool, error) {
		out, err := r.envoy(ctx, r.east(), r.sample(), "sleep", "clusters")
		return hasHost(out, evidence.OutboundCluster(r.sample()), gatewayPort), err
	})
}

// hasHost tells whether Envoy's page clusters, as text, lists a host with that port in one of its clusters, of either address family.
func hasHost(page, name string, port int) bool {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, name+"::") && strings.Contains(line, fmt.Sprintf(":%d::", port)) {
			return true
		}
	}
	return false
}

func (r *Rig) serviceFile() string { return filepath.Join(r.Dir, "gateway-service.json") }

// keepService remembers the service of west's gateway as it can be made anew.
func (r *Rig) keepService(ctx context.Context) error {
	out, err := r.kubectl(ctx, r.west(), "", "-n", system, "get", "service", gateway, "-o", "json")
	if err != nil {
		return err
	}
	kept, err := recreatable(out)
	if err != nil {
		return fmt.Errorf("read the gateway's service on cluster %s: %w", r.west().Name, err)
	}
	return os.WriteFile(r.serviceFile(), []byte(kept), 0o600)
}

func (r *Rig) restoreService(ctx context.Context) error {
	kept, err := os.ReadFile(r.serviceFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil // nothing was changed
	}
	if err != nil {
		return fmt.Errorf("read the gateway's service as it was: %w", err)
	}
	return r.apply(ctx, r.west(), string(kept))
}
