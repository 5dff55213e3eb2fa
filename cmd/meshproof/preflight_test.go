package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// ready gives both clusters what preflight looks for besides the mesh, and puts a kubectl on the PATH.
func (w *world) ready() {
	w.t.Helper()
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("one root")}))
	for _, name := range []string{"east", "west"} {
		put := func(path, text string) { w.farm.Server(name).Put(w.t, path, text) }
		put(system+"/configmaps/istio-ca-root-cert", "{metadata: {name: istio-ca-root-cert}, data: {root-cert.pem: "+quoted(root)+"}}")
		put(system+"/configmaps/istio-sidecar-injector-asm-1232-2", `{metadata: {name: istio-sidecar-injector-asm-1232-2}, data: {values: '{"pilot":{"cni":{"enabled":false}}}'}}`)
		put("/api/v1/namespaces/web/services/front", "{metadata: {name: front, namespace: web}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}")
	}
	w.write("bin/kubectl", "#!/bin/sh\necho '{\"clientVersion\":{\"gitVersion\":\""+apitest.Version+"\"}}'\n")
	w.t.Setenv("PATH", w.dir+"/bin:/usr/bin:/bin")
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"` }

func (w *world) preflight(args string) (out string, code int, err error) {
	var printed bytes.Buffer
	c := preflightCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetOut(&printed)
	c.SetArgs(strings.Fields(args))
	err = c.ExecuteContext(context.Background())
	return printed.String(), codeOf(err), err
}

func TestPreflight(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*world)
		args  string
		code  int
		says  []string
	}{
		{"all is there", nil, released, 0, []string{
			"ok       -           bash: bash ", "ok       -           gen-eastwest-gateway.sh: it prints an IstioOperator",
			"ok       cluster-1   API server: https://east.example.com answers, v1.36.1", "ok       cluster-2   istioctl: istioctl 1.23.2-asm.2, istiod 1.23.2-asm.2",
			"ok       cluster-1   load balancer: 1 services have an address, such as web/front", "ok       cluster-2   permissions: ",
			"ok       -           networks: cluster-1 on network1, cluster-2 on network2", "ok       -           common root: all have "}},
		{"a root of its own", put(system+"/configmaps/istio-ca-root-cert", `{metadata: {name: istio-ca-root-cert}, data: {root-cert.pem: "-----BEGIN CERTIFICATE-----\nMDA=\n-----END CERTIFICATE-----\n"}}`),
			released, 1, []string{"failed   -           common root: ", "do: give all clusters"}},
		{"no root", put(system+"/configmaps/istio-ca-root-cert", `{metadata: {name: istio-ca-root-cert}, data: {}}`), released, 3, []string{"unknown  -           common root: ", "no certificate"}},
		{"may not exec", func(w *world) { w.farm.Server("west").Deny("create", "pods") }, released, 1,
			[]string{"failed   cluster-2   permissions: the user may not create pods/exec in istio-system", "meshproof rbac"}},
		{"a level for every namespace", put("/api/v1/namespaces/sample", "{metadata: {name: sample, labels: {pod-security.kubernetes.io/enforce: restricted}}}"),
			released, 1, []string{"failed   cluster-2   admission: ", "sample is restricted"}},
		{"an address that nobody reaches", func(w *world) { w.edit("west.yaml", "https://west.example.com", "https://gone.example.com") }, released, 3,
			[]string{"unknown  cluster-2   API server: ", "see that https://gone.example.com can be reached"}},
		{"refused credentials", func(w *world) { w.farm.Server("west").Fail(http.MethodGet, "/version", http.StatusUnauthorized) }, released, 1, []string{"failed   cluster-2   API server: ", "401", "log in again"}},
		{"no release directory", nil, both, 3, []string{"unknown  cluster-1   istioctl: ", "--release-dir"}},
		{"one cluster", nil, "--kubeconfig east.yaml", 2, nil},
		{"one cluster given twice", nil, "--kubeconfig west.yaml --kubeconfig west.yaml --release-dir asm", 1,
			[]string{"failed   -           different clusters: cluster-1 and cluster-2 are one and the same", "do: give kubeconfigs of different clusters"}},
		{"a look", func(w *world) { w.farm.Server("west").Deny("create", "namespaces") }, both + " --read-only", 0, []string{"ok       cluster-2   permissions: "}},
		{"more than a look", func(w *world) { w.farm.Server("west").Deny("create", "namespaces") }, both + " --from verify", 1, []string{"failed   cluster-2   permissions: the user may not create namespaces"}},
		{"before an installation", vacant, released + " --from install", 0, []string{"ok       cluster-2   control plane: no Istio is there", "ok       cluster-1   load balancer: "}},
		{"before an installation where Istio is", nil, released + " --from install", 1, []string{"failed   cluster-1   control plane: an Istio is there already: Namespace istio-system"}},
		{"before an installation by who may not", func(w *world) { vacant(w); w.farm.Server("west").Deny("escalate", "clusterroles") }, released + " --from install", 1,
			[]string{"failed   cluster-2   permissions: the user may not escalate clusterroles.rbac.authorization.k8s.io", "meshproof rbac"}},
		{"a look at clusters of its own", nil, "--read-only", 2, nil},
		{"an old topology", func(w *world) { w.edit("topology.yaml", "ca: istio-ca", "ca: vault") }, topology, 2, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.ready()
			if tc.spoil != nil {
				tc.spoil(w)
			}
			before := w.tree()
			out, code, err := w.preflight(tc.args)
			w.unchanged(before)
			// The servers are behind a proxy, which is a row of its own that says so.
			if tc.code == 0 {
				w.onlyProxied(out)
				var told exitError
				if !errors.As(err, &told) || int(told) != exitCouldNot {
					t.Errorf("%v: %s", err, out)
				}
			} else if code != tc.code {
				t.Errorf("exit code %d, want %d: %v: %s", code, tc.code, err, out)
			}
			for _, want := range tc.says {
				if !strings.Contains(out, want) {
					t.Errorf("it does not say %q: %s", want, out)
				}
			}
		})
	}
}

// onlyProxied sees that no other row is open.
func (w *world) onlyProxied(out string) {
	w.t.Helper()
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "ok ") && !strings.Contains(line, "do: ") && !strings.Contains(line, "through the kubeconfig's proxy") {
			w.t.Errorf("open: %s", line)
		}
	}
}
