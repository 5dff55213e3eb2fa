package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/session"
)

// world is a working directory with the kubeconfigs of two clusters that hold the mesh, east.yaml and west.yaml, with a
// topology, with a release directory, asm, and with a real asmcli and gcloud in tools.
type world struct {
	t    *testing.T
	farm *apitest.Farm
	dir  string
	// limit is how long the gateway's script may take; 0 = as long as for everybody.
	limit time.Duration
}

const topologyText = `clusters:
- {name: east, network: network1, platform: attached-eks, ca: istio-ca, revision: asm-1232-2, kubeconfig: east.yaml, context: ctx_east@a.b:c}
- {name: west, network: network2, platform: attached-eks, ca: istio-ca, revision: asm-1232-2, kubeconfig: west.yaml}
`

const (
	istioctlText = "#!/bin/sh\n[ \"$1\" != manifest ] || exec echo 'image: example.com/pilot:1.23.2-asm.2'\nprintf '{\"clientVersion\":{\"version\":\"1.23.2-asm.2\"}}'\n"
	scriptText   = "#!/bin/bash\nprintf 'kind: IstioOperator\\nnetwork: %s\\n' \"$6\"\n"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "meshproof-world-") // not the test's own, which no other user may enter
	w := &world{t: t, farm: apitest.NewFarm(t, "east", "west"), dir: dir}
	w.must(err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.must(os.Chmod(dir, 0o755))
	t.Chdir(dir)
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("KUBECONFIG", "")
	w.write("east.yaml", w.farm.Kubeconfig("east", "ctx_east@a.b:c"))
	w.write("west.yaml", w.farm.Kubeconfig("west", "west"))
	w.write("topology.yaml", topologyText)
	w.write("asm/"+release.Istioctl, istioctlText)
	w.write("asm/"+release.GatewayScript, scriptText)
	for _, name := range []string{release.ExposeServices, "samples/helloworld/helloworld.yaml", "samples/sleep/sleep.yaml"} {
		w.write("asm/"+name, "kind: List\n")
	}
	w.write("tools/asmcli", "#!/bin/sh\necho 1.23.2-asm.2+config1\n")
	w.write("tools/gcloud", "#!/bin/sh\nexit 97\n") // nothing calls it before a change is made
	w.mesh("east", "network1")
	w.mesh("west", "network2")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(name), 0o755))
	w.must(os.WriteFile(name, []byte(text), 0o755))
}

// edit replaces a text in a file, which must be there.
func (w *world) edit(name, from, to string) {
	w.t.Helper()
	text, err := os.ReadFile(name)
	w.must(err)
	if !bytes.Contains(text, []byte(from)) {
		w.t.Fatalf("%s does not hold %q: %s", name, from, text)
	}
	w.must(os.WriteFile(name, bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o755))
}

const (
	system     = "/api/v1/namespaces/istio-system"
	membership = "/apis/hub.gke.io/v1/memberships/membership"
)

// mesh puts a control plane on a cluster.
func (w *world) mesh(name, network string) {
	put := func(path, text string) { w.farm.Server(name).Put(w.t, path, text) }
	put(membership, "{metadata: {name: membership}}")
	put("/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-"+name+"}}")
	put(system, "{metadata: {name: istio-system, labels: {topology.istio.io/network: "+network+"}}}")
	put("/apis/apps/v1/namespaces/istio-system/deployments/istiod-asm-1232-2", `{metadata: {name: istiod-asm-1232-2}, spec: {template: {spec: {containers: [
{name: discovery, image: "example.com/pilot:1.23.2-asm.2", env: [{name: CLUSTER_ID, value: cn-fleet-global-`+name+`}]}]}}}}`)
	w.istiod(name, "asm-1232-2")
	put(system+"/configmaps/istio-asm-1232-2", "{metadata: {name: istio-asm-1232-2}, data: {mesh: '{trustDomain: cluster.local, defaultConfig: {meshId: proj-123}}'}}")
}

// istiod puts a pod of a revision on a cluster.
func (w *world) istiod(name, revision string) {
	w.farm.Server(name).Put(w.t, system+"/pods/istiod-"+revision, "{metadata: {name: istiod-"+revision+", labels: {app: istiod, istio.io/rev: "+revision+"}}}")
}

// dryRun runs the command line, and gives what it printed and how it ended.
func (w *world) dryRun(args string) (out string, code int, err error) {
	limits := session.DefaultLimits()
	limits.Script = cmp.Or(w.limit, limits.Script)
	c := runWith(session.Options{Limits: limits})
	c.SilenceErrors, c.SilenceUsage = true, true
	var printed bytes.Buffer
	c.SetOut(&printed)
	c.SetErr(&printed)
	c.SetArgs(append([]string{"--dry-run", "--quiet"}, strings.Fields(args)...))
	err = c.ExecuteContext(context.Background())
	return printed.String(), codeOf(err), err
}

// tree gives the paths of all files and directories.
func (w *world) tree() []string {
	w.t.Helper()
	var all []string
	w.must(filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	}))
	slices.Sort(all)
	return all
}

// unchanged sees that no file was made and nothing was written to a cluster.
func (w *world) unchanged(before []string) {
	w.t.Helper()
	if after := w.tree(); !slices.Equal(before, after) {
		w.t.Errorf("files before %q, after %q", before, after)
	}
	for _, name := range []string{"east", "west"} {
		if calls := w.farm.Server(name).Calls(); len(calls) != 0 {
			w.t.Errorf("%s was written to: %q", name, calls)
		}
	}
}

// certified gives east's kubeconfig a client certificate that is valid in that time, in files beside it.
func (w *world) certified(from, to time.Time) {
	w.t.Helper()
	signed := apitest.SelfSigned(w.t, &x509.Certificate{NotBefore: from, NotAfter: to})
	own, err := x509.MarshalPKCS8PrivateKey(signed.PrivateKey)
	w.must(err)
	w.write("pki/client.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed.Certificate[0]})))
	w.write("pki/client.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: own})))
	w.edit("east.yaml", "token: "+apitest.Canary+"-east", "client-certificate: pki/client.crt, client-key: pki/client.key")
}

// otherCA gives west's kubeconfig a certificate authority that did not sign its server's certificate.
func (w *world) otherCA() {
	w.t.Helper()
	w.certified(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	text, err := os.ReadFile("pki/client.crt")
	w.must(err)
	w.edit("west.yaml", w.farm.CA, base64.StdEncoding.EncodeToString(text))
}
