package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/poll"
)

// routing are the faults in how east shares its calls. The subsets are needed in both clusters: each gateway makes its
// filter chains from its own cluster's rules.
func routing() []Fault {
	shared := func(id string, v1, v2, samples int) Fault {
		service := virtualService(v1, v2)
		return Fault{
			ID: id, Sentence: fmt.Sprintf("a virtual service on east sends %d of 100 calls to v1 and %d to v2", v1, v2),
			Verdict: claim.Failed, Cause: "virtual-service", Samples: samples,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.apply(ctx, r.east(), subsets), r.apply(ctx, r.west(), subsets), r.apply(ctx, r.east(), service), r.ruled(ctx, shares, true))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.remove(ctx, r.east(), service), r.ruled(ctx, shares, false), r.remove(ctx, r.east(), subsets), r.remove(ctx, r.west(), subsets))
			},
		}
	}
	onEast := func(id, sentence, cause, rule, text string) Fault {
		return Fault{
			ID: id, Sentence: sentence, Verdict: claim.Failed, Cause: cause, Samples: 200,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.apply(ctx, r.east(), text), r.ruled(ctx, rule, true))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.remove(ctx, r.east(), text), r.ruled(ctx, rule, false))
			},
		}
	}
	return []Fault{
		shared("split-70-30", 70, 30, 600),
		shared("split-60-40", 60, 40, 2000),
		shared("split-100-0", 100, 0, 200),
		onEast("subset-on-one-side", "a virtual service shares 70/30 between subsets that only east has: what is for west is answered 503, with exit 0",
			"subset-on-one-side", shares, subsets+"---\n"+virtualService(70, 30)),
		onEast("answers-503", "a virtual service on east answers half of the calls with 503, and curl exits 0", "virtual-service", "virtual-service/abort", abort),
		onEast("destination-rule", "a destination rule on east hashes by source address", "destination-rule", "destination-rule/hashing", hashing),
		{
			ID: "failover-priority", Sentence: "locality failover: regions on the nodes, and a destination rule with failover on east",
			Verdict: claim.Failed, Cause: "failover-priority", Samples: 200,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.regions(ctx, "topology.kubernetes.io/region=region"), r.apply(ctx, r.east(), failover),
					r.freshServer(ctx, r.east()), r.freshServer(ctx, r.west()), r.freshClient(ctx, r.east()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.remove(ctx, r.east(), failover), r.unregion(ctx),
					r.freshServer(ctx, r.east()), r.freshServer(ctx, r.west()), r.freshClient(ctx, r.east()))
			},
		},
		{
			ID: "endpoint-ejected", Sentence: "east's outlier detection has ejected west's gateway, which is well again", Verdict: claim.Failed,
			Cause: "endpoint-ejected", Also: []string{"destination-rule"}, Samples: 100, // the rule that ejects is seen, too
			Break: func(ctx context.Context, r *Rig) error {
				if err := errors.Join(r.apply(ctx, r.east(), ejecting), r.remove(ctx, r.west(), crossNetwork), r.freshClient(ctx, r.east())); err != nil {
					return err
				}
				if err := r.call(ctx, r.east(), 40); err != nil {
					return err
				}
				return r.apply(ctx, r.west(), crossNetwork)
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.apply(ctx, r.west(), crossNetwork), r.remove(ctx, r.east(), ejecting), r.freshClient(ctx, r.east()))
			},
		},
		{
			ID: "authorization-denied", Sentence: "an authorization policy on west denies everybody", Verdict: claim.Failed, Cause: "authorization-denied", Samples: 200,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.apply(ctx, r.west(), denyAll), r.refusals(ctx, true))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.remove(ctx, r.west(), denyAll), r.refusals(ctx, false), r.freshClient(ctx, r.east()), r.freshClient(ctx, r.west()))
			},
		},
	}
}

// ruled waits until sleep on east has routes or clusters that come from a rule ("virtual-service/shares"), or has none any
// more: istiod names the rule in their metadata.
func (r *Rig) ruled(ctx context.Context, rule string, want bool) error {
	page := "config_dump?resource=dynamic_route_configs"
	if strings.HasPrefix(rule, "destination-rule/") {
		page = "config_dump?resource=dynamic_active_clusters"
	}
	return r.becomes(ctx, r.east(), "sleep follows "+rule, want, func(ctx context.Context) (bool, error) {
		out, err := r.envoy(ctx, r.east(), r.sample(), "sleep", page)
		return strings.Contains(out, "/"+rule+`"`), err
	})
}

// regions gives each node a region of its own.
func (r *Rig) regions(ctx context.Context, label string) error {
	for i, c := range r.Set {
		if err := r.do(ctx, c, "label", "node", "--all", "--overwrite", fmt.Sprintf("%s%d", label, i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rig) unregion(ctx context.Context) error {
	return r.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		return r.do(ctx, c, "label", "node", "--all", "topology.kubernetes.io/region-")
	})
}

// refusals waits until calls from both clusters are refused by Envoy's RBAC filter, or none of them is any more: a sidecar
// takes a policy in a moment after it was applied.
func (r *Rig) refusals(ctx context.Context, want bool) error {
	return r.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		w := poll.Wait{What: fmt.Sprintf("calls are refused: %t", want), Where: "from cluster " + c.Name, Limit: r.limits().Notice}
		return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
			out, err := r.kubectl(ctx, c, "", "-n", r.sample(), "exec", "deploy/sleep", "-c", "sleep", "--", "curl", "-s", "-w", "|%{http_code}\n",
				evidence.HelloworldURL(r.sample())+"?policy-[1-20]")
			refused := strings.Contains(out, "|403")
			if err == nil && refused != want {
				err = errors.New("not yet")
			}
			return fmt.Sprintf("refused: %t", refused), err
		})
	})
}

// call makes calls from sleep, whatever comes of them.
func (r *Rig) call(ctx context.Context, c *cluster.Cluster, n int) error {
	return r.do(ctx, c, "-n", r.sample(), "exec", "deploy/sleep", "-c", "sleep", "--", "curl", "-s", "-o", "/dev/null",
		fmt.Sprintf("%s?warm-[1-%d]", evidence.HelloworldURL(r.sample()), n))
}

const subsets = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: versions, namespace: <sample>}
spec:
  host: helloworld.<sample>.svc.cluster.local
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
`

// shares is the rule of virtualService.
const shares = "virtual-service/shares"

func virtualService(v1, v2 int) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shares, namespace: <sample>}
spec:
  hosts: [helloworld.<sample>.svc.cluster.local]
  http:
  - route:
    - {destination: {host: helloworld.<sample>.svc.cluster.local, subset: v1}, weight: %d}
    - {destination: {host: helloworld.<sample>.svc.cluster.local, subset: v2}, weight: %d}
`, v1, v2)
}

const abort = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: abort, namespace: <sample>}
spec:
  hosts: [helloworld.<sample>.svc.cluster.local]
  http:
  - fault: {abort: {percentage: {value: 50}, httpStatus: 503}}
    route:
    - {destination: {host: helloworld.<sample>.svc.cluster.local}}
`

const hashing = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hashing, namespace: <sample>}
spec:
  host: helloworld.<sample>.svc.cluster.local
  trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}
`

const failover = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: failover, namespace: <sample>}
spec:
  host: helloworld.<sample>.svc.cluster.local
  trafficPolicy:
    outlierDetection: {consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 10s}
    loadBalancer: {localityLbSetting: {enabled: true, failover: [{from: region1, to: region2}]}}
`

const ejecting = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ejecting, namespace: <sample>}
spec:
  host: helloworld.<sample>.svc.cluster.local
  trafficPolicy:
    outlierDetection: {consecutiveGatewayErrors: 1, consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 600s, maxEjectionPercent: 100}
`

const denyAll = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-all, namespace: <sample>}
spec: {selector: {matchLabels: {app: helloworld}}}
`
