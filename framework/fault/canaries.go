package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshproof/meshproof/framework/cluster"
)

// PlantCanary puts a text wherever a person may keep a secret, in the namespaces of both clusters that a run looks into:
// annotations of every kind of object, environment variables, a secret, a configuration map, a header that helloworld's policy
// asks for, and one that the routes of sleep's own service ask for and set, which nobody calls. The mesh goes on as before.
func PlantCanary(ctx context.Context, r *Rig, canary string) error {
	objects := fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: canary, namespace: %[1]s, annotations: {example.com/canary: %[2]s}}
stringData: {token: %[2]s}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: canary, namespace: %[1]s, labels: {example.com/canary: %[2]s}}
data: {token: %[2]s}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: canary, namespace: %[1]s, annotations: {example.com/canary: %[2]s}}
spec:
  selector: {matchLabels: {app: helloworld}}
  action: DENY
  rules: [{when: [{key: "request.headers[authorization]", values: [%[2]s]}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: canary, namespace: %[1]s, annotations: {example.com/canary: %[2]s}}
spec:
  hosts: [sleep]
  http:
  - match: [{headers: {x-api-key: {exact: %[2]s}}}]
    headers: {request: {set: {authorization: %[2]s}}}
    route: [{destination: {host: sleep}}]
  - route: [{destination: {host: sleep}}]
`, r.sample(), canary)
	return r.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		note := func(kinds string) string {
			return "annotate --overwrite --all " + kinds + " example.com/canary=" + canary
		}
		err := r.apply(ctx, c, objects)
		for _, namespace := range []string{r.sample(), system} {
			err = errors.Join(err, r.in(ctx, c, namespace, note("deployments,services,serviceaccounts,secrets,configmaps,endpointslices")),
				r.in(ctx, c, namespace, "annotate --overwrite namespace "+namespace+" example.com/canary="+canary))
		}
		err = errors.Join(err, r.in(ctx, c, system, note("gateways.networking.istio.io")),
			r.in(ctx, c, r.sample(), "set env deployment --all CANARY_TOKEN="+canary), r.in(ctx, c, system, "set env deployment/"+gateway+" CANARY_TOKEN="+canary))
		if err != nil {
			return err
		}
		return errors.Join(r.settled(ctx, c, r.sample(), "sleep", "app=sleep"), r.settled(ctx, c, r.sample(), r.helloworld(c), "app=helloworld"),
			r.settled(ctx, c, system, gateway, "istio=eastwestgateway"),
			r.in(ctx, c, r.sample(), note("pods")), r.in(ctx, c, system, note("pods")))
	})
}
