package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/session"
)

// ready gives both clusters what preflight looks for besides the mesh, and puts a kubectl on the PATH.
func (w *world) ready() {
	w.t.Helper()
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("one root")}))
	for _, name := range []string{"east", "west"} {
		put := func(path, text string) { w.farm.Server(name).Put(w.t, path, text) }
		put(system+"/configmaps/istio-ca-root-cert", "{metadata: {name: istio-ca-root-cert}, data: {root-cert.pem: "+quoted(root)+"}}")
		put(system+"/configmaps/istio-sidecar-injector-asm-1232-2", `{metadata: {name: istio-sidecar-injector-asm-1232-2}, data: {values: '{"global":{"hub":"example.com","tag":"1.23.2-asm.2"},"pilot":{"cni":{"enabled":false}}}'}}`)
		w.farm.Server(name).Know("v1", "nodes", "Node")
		put("/api/v1/nodes/one", "{metadata: {name: one}, spec: {providerID: 'aws:///zone/one'}, status: {images: [{names: [example.com/proxyv2:1.23.2-asm.2]}, {names: ["+images.ProbeRef()+"]}, {names: [example.com/pilot:1.23.2-asm.2]}, {names: [docker.io/hello/world:1]}]}}")
		put("/api/v1/namespaces/web/services/front", "{metadata: {name: front, namespace: web}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}")
	}
	w.write("bin/kubectl", "#!/bin/sh\necho '{\"clientVersion\":{\"gitVersion\":\""+apitest.Version+"\"}}'\n")
	w.write("bin/kpt", "#!/bin/sh\necho 0.39.3\n")
	w.write("asm/samples/helloworld/helloworld.yaml", "spec: {template: {spec: {containers: [{name: a, image: hello/world:1}]}}}\n")
	for _, name := range asm.Needs(true) {
		w.write("spare/"+name, "#!/bin/sh\n") // behind this machine's own
	}
	w.t.Setenv("PATH", w.dir+"/bin:/usr/bin:/bin:"+w.dir+"/spare")
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

func restrictedSystem(w *world) {
	put(system, "{metadata: {name: istio-system, labels: {topology.istio.io/network: network2, pod-security.kubernetes.io/enforce: restricted}}}")(w)
}

// emptyRegistry is a registry that holds nothing.
func emptyRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
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
		{"before an installation", vacant, released + " --from install", 0, []string{"ok       cluster-2   control plane: no Istio is there", "ok       cluster-1   load balancer: ", "ok       cluster-2   ports: nothing has 15443 yet", "ok       cluster-1   images: ", "ok       -           platform: "}},
		{"before an installation with an image that no node names", vacant, released + " --from install --probe-image registry.example/probe:1", 3,
			[]string{"ok       cluster-2   control plane: no Istio", "unknown  cluster-2   images: no node names them among its images, and nothing was pulled: registry.example/probe:1\n"}},
		{"a level of the sample's namespace", put("/api/v1/namespaces/ours", "{metadata: {name: ours, labels: {pod-security.kubernetes.io/enforce: restricted}}}"), released + " --namespace ours", 1,
			[]string{"failed   cluster-2   admission: ", "ours is restricted"}},
		{"a level of a namespace that is not the sample's", put("/api/v1/namespaces/sample", "{metadata: {name: sample, labels: {pod-security.kubernetes.io/enforce: restricted}}}"), released + " --namespace ours", 0, nil},
		{"before an installation with images that no node names", all(vacant, put("/api/v1/nodes/one", "{metadata: {name: one}}")), released + " --from install", 3,
			[]string{"unknown  cluster-2   images: no node names them among its images, and nothing was pulled: example.com/pilot:1.23.2-asm.2; example.com/proxyv2:1.23.2-asm.2; "}},
		{"before an installation with another namespace", vacant, released + " --from install --namespace ours", 0, nil},
		{"a namespace into which no sample goes", nil, released + " --namespace kube-system", 2, nil},
		{"before an installation into a restricted namespace", all(vacant, restrictedSystem), released + " --from install", 1, []string{"failed   cluster-2   admission: ", "istio-system is restricted"}},
		{"an installation beside a real asmcli", vacant, tooled + " --from install", 2, nil},
		{"an installation with a CA of the fleet", vacant, released + " --from install --platform gke-vmware --ca mesh-ca", 2, nil},
		{"before an installation where Istio is", nil, released + " --from install", 1, []string{"failed   cluster-1   control plane: an Istio is there already: Namespace istio-system"}},
		{"before an installation by who may not", func(w *world) { vacant(w); w.farm.Server("west").Deny("escalate", "clusterroles") }, released + " --from install", 1,
			[]string{"failed   cluster-2   permissions: the user may not escalate clusterroles.rbac.authorization.k8s.io", "meshproof rbac"}},
		{"a look at clusters of its own", nil, "--read-only", 2, nil},
		{"real tools", nil, tooled, 0, []string{"ok       -           asmcli: asmcli 1.23.2-asm.2+config1", "ok       -           asmcli's tools: all are on the PATH", "ok       cluster-2   fleet: it is registered"}},
		{"real tools without jq", func(w *world) { w.t.Setenv("PATH", w.dir+"/bin") }, tooled, 1, []string{"failed   -           asmcli's tools: not on the PATH: awk, csplit, ", ", jq, "}},
		{"a member of no fleet", unregistered, tooled, 1, []string{"failed   cluster-2   fleet: there is no Membership membership", "do: register it first"}},
		{"an asmcli of another machine", func(w *world) { w.write("tools/asmcli", "#!/bin/sh\nexit 3\n") }, tooled, 1, []string{"failed   -           asmcli: ", "--version"}},
		{"may not list members", func(w *world) { w.farm.Server("west").Deny("list", "memberships") }, tooled, 1, []string{"failed   cluster-2   permissions: the user may not list memberships.hub.gke.io"}},
		{"asmcli alone", nil, released + " --asmcli tools/asmcli", 2, nil},
		{"a context that S8 cannot name", renamed("admin/east"), released, 1, []string{"failed   cluster-1   context: S8 makes the name admin/east"}},
		{"a context that needs no name", renamed("admin/east"), released + " --remote-names cluster-id", 0, nil},
		{"another Gateway", put("/apis/networking.istio.io/v1/namespaces/web/gateways/ew", "{metadata: {name: ew, namespace: web}, spec: {selector: {istio: eastwestgateway}, servers: [{port: {number: 15443}}]}}"),
			released, 1, []string{"failed   cluster-2   ports: Gateway web/ew opens 15443"}},
		{"a cell that the guide has not", nil, released + " --platform attached-eks --ca ca-service", 2, nil},
		{"images that no node names", put("/api/v1/nodes/one", "{metadata: {name: one}}"), released, 3, []string{"unknown  cluster-2   images: no node names them", "; hello/world:1", "give an image that the nodes can pull with --probe-image", "--registry HOST/PREFIX"}},
		{"an image that no node names", nil, released + " --probe-image registry.example/probe:1", 3, []string{"unknown  cluster-2   images: no node names them among its images, and nothing was pulled: registry.example/probe:1"}},
		{"images of a mirror that lacks them", put("/api/v1/nodes/one", "{metadata: {name: one}}"), released + " --registry " + emptyRegistry(t) + "/p", 1, []string{"failed   cluster-2   images: the registry does not hold example.com/proxyv2:1.23.2-asm.2, "}},
		{"a pull secret", func(w *world) { w.write("pull.json", `{"auths": {"https://registry.example/v2/": {"auth": "YTpi"}}}`) }, released + " --image-pull-secret pull.json --probe-image registry.example/probe:1", 3,
			[]string{"ok       -           image pull secret: the file has credentials for registry.example"}},
		{"a pull secret for another registry", func(w *world) { w.write("pull.json", `{"auths": {"registry.example": {"auth": "YTpi"}}}`) }, released + " --image-pull-secret pull.json", 1,
			[]string{"failed   -           image pull secret: the file has credentials for registry.example, and " + images.ProbeRef()}},
		{"a pull secret that is not there", nil, released + " --image-pull-secret pull.json", 2, nil},
		{"a pull secret of the mesh", func(w *world) {
			put(system+"/configmaps/istio-sidecar-injector-asm-1232-2", `{metadata: {name: istio-sidecar-injector-asm-1232-2}, data: {values: '{"global":{"hub":"example.com","tag":"1.23.2-asm.2","imagePullSecrets":["own"]}}'}}`)(w)
		}, released, 1, []string{"failed   cluster-2   pull secrets: the mesh has its pods pull with own, and istio-system has no own"}},
		{"another provider", put("/api/v1/nodes/two", "{metadata: {name: two}, spec: {providerID: 'azure:///two'}}"), released, 1, []string{"failed   -           platform: the nodes are of several providers: cluster-1 of aws, cluster-2 of aws and azure"}},
		{"a restricted istio-system", restrictedSystem, released, 1, []string{"failed   cluster-2   admission: ", "istio-system is restricted"}},
		{"a restricted istio-system with its gateway", restrictedSystem, released + " --from expose", 0, nil},
		{"a probe that deploys nothing", nil, released + " --probe --read-only", 2, nil},
		{"a probe of clusters of its own", nil, "--probe", 2, nil},
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
				if !errors.As(err, &told) || int(told) != exitcode.CouldNotTell {
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

// TestPreflightProbe: what --probe makes is gone when it ends, and a pod that a cluster refuses is a row that says so.
func TestPreflightProbe(t *testing.T) {
	w := newWorld(t)
	w.ready()
	const pod = "/api/v1/namespaces/meshproof/pods/probe"
	for _, name := range []string{"east", "west"} {
		w.farm.Server(name).Fail(http.MethodPatch, pod, http.StatusForbidden)
	}
	before := slices.Concat(w.farm.Server("east").Paths(), w.farm.Server("west").Paths())
	out, code, err := w.preflight(released + " --probe")
	if code != exitcode.CouldNotTell {
		t.Errorf("exit code %d: %v", code, err)
	}
	for _, name := range []string{"cluster-1", "cluster-2"} {
		if want := "unknown  " + name + "   API server from the peers' pods: from cluster-"; !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
	for _, name := range []string{"east", "west"} {
		if calls := w.farm.Server(name).Calls(); !slices.Contains(calls, "PATCH "+pod) || !slices.Contains(calls, "DELETE /api/v1/namespaces/meshproof") {
			t.Errorf("%s: %q", name, calls)
		}
	}
	if after := slices.Concat(w.farm.Server("east").Paths(), w.farm.Server("west").Paths()); !slices.Equal(before, after) {
		t.Errorf("before %q, after %q", before, after)
	}
	if left, err := session.Runs(""); err != nil || len(left) != 0 {
		t.Errorf("left %+v, %v", left, err)
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
