package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
)

// crossNetwork is the guide's Gateway object (S7).
const crossNetwork = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network-gateway, namespace: istio-system, labels: {}}
spec:
  selector: {istio: eastwestgateway}
  servers:
  - port: {number: 15443, name: tls, protocol: TLS}
    tls: {mode: AUTO_PASSTHROUGH}
    hosts: ["*.local"]
`

// exposed is crossNetwork as the run made it: on given clusters it has the run's label from the moment that it is there again, so that
// a run that is killed then knows it for its own.
func (r *Rig) exposed() string {
	if r.Intent.Provision != intent.Supplied {
		return crossNetwork
	}
	return strings.Replace(crossNetwork, "labels: {}", fmt.Sprintf("labels: {%s: %q}", manifest.RunLabel, r.Intent.RunID), 1)
}

// gateways are the faults in west's east-west gateway.
func gateways() []Fault {
	restore := func(ctx context.Context, r *Rig) error {
		return errors.Join(r.apply(ctx, r.west(), r.exposed()), r.freshClient(ctx, r.east()))
	}
	return []Fault{
		{
			ID: "gateway-without-listener", Sentence: "west's Gateway object is deleted", Verdict: claim.Failed, Cause: "gateway-without-listener",
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.remove(ctx, r.west(), crossNetwork), r.freshClient(ctx, r.east()))
			},
			Repair: restore,
		},
		{
			ID: "gateway-wrong-mode", Sentence: "west's gateway serves plaintext on 15443", Verdict: claim.Failed, Cause: "gateway-wrong-mode",
			Break: func(ctx context.Context, r *Rig) error {
				const plain = `{"spec":{"servers":[{"port":{"number":15443,"name":"http","protocol":"HTTP"},"hosts":["*.local"]}]}}`
				return errors.Join(r.patch(ctx, r.west(), system, "gateways.networking.istio.io/cross-network-gateway", plain), r.freshClient(ctx, r.east()))
			},
			Repair: restore,
		},
		{
			ID: "control-plane-exposed", Sentence: "a Gateway object opens 15012 and 15017 on west's gateway", Verdict: claim.Passed, Cause: "control-plane-exposed",
			Break:  func(ctx context.Context, r *Rig) error { return r.apply(ctx, r.west(), exposeIstiod) },
			Repair: func(ctx context.Context, r *Rig) error { return r.remove(ctx, r.west(), exposeIstiod) },
		},
		{
			ID: "gateway-without-address", Sentence: "west's gateway service is no load balancer any more", Verdict: claim.Failed, Cause: "gateway-without-address",
			Break: func(ctx context.Context, r *Rig) error {
				return r.patch(ctx, r.west(), system, "service/"+gateway, `{"spec":{"type":"ClusterIP"}}`)
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.patch(ctx, r.west(), system, "service/"+gateway, `{"spec":{"type":"LoadBalancer"}}`), r.addressed(ctx, r.west()))
			},
		},
		{
			ID: "gateway-wrong-address", Sentence: "a second gateway service on west has an address at which nobody is", Verdict: claim.Failed, Cause: "gateway-wrong-address",
			Also: []string{"packets-dropped", "remote-connections-failing", "gateway-unreachable"},
			Break: func(ctx context.Context, r *Rig) error {
				text, err := secondGateway(r)
				if err != nil {
					return err
				}
				return errors.Join(r.apply(ctx, r.west(), text), r.freshClient(ctx, r.east()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				text, err := secondGateway(r)
				if err != nil {
					return err
				}
				return errors.Join(r.remove(ctx, r.west(), text), r.freshClient(ctx, r.east()))
			},
		},
		{
			ID: "gateway-not-running", Sentence: "west's gateway is scaled to zero", Verdict: claim.Failed, Cause: "gateway-not-running", Samples: 40,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.west(), system, "scale deployment "+gateway+" --replicas=0"),
					r.in(ctx, r.west(), system, "delete pod -l istio=eastwestgateway --grace-period=1 --wait=true"), r.freshClient(ctx, r.east()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.west(), system, "scale deployment "+gateway+" --replicas=1"),
					r.settled(ctx, r.west(), system, gateway, "istio=eastwestgateway"), r.crossing(ctx), r.freshClient(ctx, r.east()))
			},
		},
	}
}

// exposeIstiod is what Istio's samples/multicluster/expose-istiod.yaml opens, and the guide does not want.
const exposeIstiod = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: istiod-gateway, namespace: istio-system}
spec:
  selector: {istio: eastwestgateway}
  servers:
  - port: {number: 15012, name: tls-istiod, protocol: tls}
    tls: {mode: PASSTHROUGH}
    hosts: ["*"]
  - port: {number: 15017, name: tls-istiodwebhook, protocol: tls}
    tls: {mode: PASSTHROUGH}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: istiod-vs, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [istiod-gateway]
  tls:
  - match: [{port: 15012, sniHosts: ["*"]}]
    route: [{destination: {host: kubernetes.default.svc.cluster.local, port: {number: 443}}}]
  - match: [{port: 15017, sniHosts: ["*"]}]
    route: [{destination: {host: kubernetes.default.svc.cluster.local, port: {number: 443}}}]
`

// secondGateway is a service that istiod takes for a gateway of west's network, with an address of its own choice.
func secondGateway(r *Rig) (string, error) {
	address, err := unused(r.west())
	member, _ := r.Intent.Cluster(r.west().Name)
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: second-gateway
  namespace: istio-system
  labels: {topology.istio.io/network: %s}
spec:
  type: ClusterIP
  externalIPs: [%s]
  selector: {istio: eastwestgateway}
  ports: [{name: tls, port: 15443, targetPort: 15443}]
`, member.Network, address), err
}
