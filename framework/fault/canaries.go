package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/cluster"
)

// PlantCanary puts a text wherever a person may keep a secret, in the namespaces of both clusters that a run looks into:
// annotations of every kind of object, environment variables, a secret, a configuration map, a header that a policy asks
// for. The mesh goes on as before.
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
  selector: {matchLabels: {app: nobody}}
  action: DENY
  rules: [{when: [{key: "request.headers[authorization]", values: [%[2]s]}]}]
`, sample, canary)
	return r.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		note := func(kinds string) string {
			return "annotate --overwrite --all " + kinds + " example.com/canary=" + canary
		}
		err := r.apply(ctx, c, objects)
		for _, namespace := range []string{sample, system} {
			err = errors.Join(err, r.in(ctx, c, namespace, note("deployments,services,serviceaccounts,secrets,configmaps,endpointslices")),
				r.in(ctx, c, namespace, "annotate --overwrite namespace "+namespace+" example.com/canary="+canary))
		}
		err = errors.Join(err, r.in(ctx, c, system, note("gateways.networking.istio.io")),
			r.in(ctx, c, sample, "set env deployment --all CANARY_TOKEN="+canary), r.in(ctx, c, system, "set env deployment/"+gateway+" CANARY_TOKEN="+canary))
		if err != nil {
			return err
		}
		return errors.Join(r.settled(ctx, c, sample, "sleep", "app=sleep"), r.settled(ctx, c, sample, r.helloworld(c), "app=helloworld"),
			r.settled(ctx, c, system, gateway, "istio=eastwestgateway"),
			r.in(ctx, c, sample, note("pods")), r.in(ctx, c, system, note("pods")))
	})
}

// Secrets gives what is secret on the clusters, by a name for each: private keys, tokens, passwords. What every client of the
// mesh is shown (certificates) is none.
func Secrets(ctx context.Context, r *Rig) (map[string]string, error) {
	all := map[string]string{}
	for _, c := range r.Set {
		out, err := r.kubectl(ctx, c, "", "get", "secrets", "--all-namespaces", "-o", "json")
		if err != nil {
			return nil, err
		}
		var list corev1.SecretList
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			return nil, fmt.Errorf("read the secrets of cluster %s: %w", c.Name, err)
		}
		for _, s := range list.Items {
			for key, value := range s.Data {
				if secret := core(string(value)); secret != "" {
					all[fmt.Sprintf("%s %s/%s %s", c.Name, s.Namespace, s.Name, key)] = secret
				}
			}
		}
	}
	return all, nil
}

// leastSecret is the length below which a value may stand anywhere by chance.
const leastSecret = 16

// core gives the part of a secret's value that is secret whole, in a form that may be searched for; "" when there is none: a
// line of a private key, the token of a kubeconfig, else the value itself.
func core(value string) string {
	if _, key, is := strings.Cut(value, "PRIVATE KEY-----\n"); is {
		body, _, _ := strings.Cut(key, "-----END")
		lines := strings.Fields(body)
		switch {
		case len(lines) == 0:
			return ""
		case len(lines) < 5:
			return lines[0] // of an elliptic curve: its number, and then the public key
		}
		return lines[len(lines)-2] // of RSA: its numbers, the public ones first
	}
	if strings.Contains(value, "BEGIN CERTIFICATE") {
		return token(value)
	}
	if len(value) < leastSecret || strings.ContainsAny(value, "\n ") {
		return token(value)
	}
	return value
}

// token gives the token of the first user of a kubeconfig; "" when the text is none.
func token(text string) string {
	var config struct {
		Users []struct {
			User struct {
				Token string `json:"token"`
			} `json:"user"`
		} `json:"users"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil || len(config.Users) == 0 {
		return ""
	}
	return config.Users[0].User.Token
}
