package main

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	eastSecret = system + "/secrets/istio-remote-secret-ctx-east-a-b-c"
	westSecret = system + "/secrets/istio-remote-secret-west"
)

// joined has both clusters hold what S6 to S8 make, but for the objects at these paths.
func joined(but ...string) func(*world) {
	return func(w *world) {
		for _, name := range []string{"east", "west"} {
			secret := map[string]string{"east": westSecret, "west": eastSecret}[name]
			for path, text := range map[string]string{
				gatewayService: "{metadata: {name: istio-eastwestgateway}}", gatewayDeployment: "{metadata: {name: istio-eastwestgateway}}",
				exposure: "{metadata: {name: cross-network-gateway}}", secret: "{metadata: {name: " + filepath.Base(secret) + ", labels: {istio/multiCluster: 'true'}}}",
			} {
				if !slices.Contains(but, path) {
					w.farm.Server(name).Put(w.t, path, text)
				}
			}
		}
	}
}

const (
	gatewayService    = system + "/services/istio-eastwestgateway"
	gatewayDeployment = "/apis/apps/v1/namespaces/istio-system/deployments/istio-eastwestgateway"
	exposure          = "/apis/networking.istio.io/v1/namespaces/istio-system/gateways/cross-network-gateway"
)

const (
	definitions  = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
	webhooks     = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
	clusterRoles = "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
)

// vacant takes the mesh off both clusters.
func vacant(w *world) {
	for _, name := range []string{"east", "west"} {
		s := w.farm.Server(name)
		for _, path := range s.Paths() {
			if strings.Contains(path, "istio-system") {
				s.Remove(path)
			}
		}
	}
}

// all does one after the other.
func all(each ...func(*world)) func(*world) {
	return func(w *world) {
		for _, one := range each {
			one(w)
		}
	}
}

func badBeginnings() []badInput {
	expose, join, verify, look := both+" --from expose", both+" --from join", both+" --from verify", both+" --read-only"
	install := both + " --from install"
	sample := put("/api/v1/namespaces/sample", "{metadata: {name: sample}}")
	foreign := put(system+"/secrets/istio-remote-secret-cn-fleet-global-east", "{metadata: {name: istio-remote-secret-cn-fleet-global-east, labels: {istio/multiCluster: 'true'}}}")
	return []badInput{
		{name: "a beginning that is none", bad: both + " --from gatway", good: both + " --from gateway", says: []string{"--from gatway", "[install gateway expose join verify]"}},
		{name: "an installation where Istio is", bad: install, good: both, says: []string{"--from install", "cluster-2: an Istio is there already: Namespace istio-system", "--from gateway"}},
		{name: "an installation beside definitions", bad: install, good: install, twin: vacant,
			spoil: all(vacant, put(definitions+"gateways.networking.istio.io", "{metadata: {name: gateways.networking.istio.io}}")),
			says:  []string{"cluster-2: an Istio is there already: CustomResourceDefinition gateways.networking.istio.io", "leave --from out", "remove what is there"}},
		{name: "an installation beside a webhook", bad: install, good: install, twin: all(vacant, put(webhooks+"cert-manager", "{metadata: {name: cert-manager}}")),
			spoil: all(vacant, put(webhooks+"istio-revision-tag-default", "{metadata: {name: istio-revision-tag-default}}")),
			says:  []string{"cluster-2: an Istio is there already: MutatingWebhookConfiguration istio-revision-tag-default"}},
		{name: "an installation beside a role", bad: install, good: install, twin: all(vacant, put(clusterRoles+"meshproof", "{metadata: {name: meshproof}}")),
			spoil: all(vacant, put(clusterRoles+"istiod-clusterrole-x", "{metadata: {name: istiod-clusterrole-x}}")),
			says:  []string{"cluster-2: an Istio is there already: ClusterRole istiod-clusterrole-x"}},
		{name: "an installation over another's roots", bad: install, good: install, twin: vacant,
			spoil: all(vacant, put("/api/v1/namespaces/web/configmaps/istio-ca-root-cert", "{metadata: {name: istio-ca-root-cert, namespace: web, labels: {istio.io/config: 'true'}}}")),
			says:  []string{"cluster-2: an Istio is there already: ConfigMap web/istio-ca-root-cert"}},
		{name: "an installation with a CA of the fleet", bad: install + " --platform gke-vmware --ca mesh-ca", good: install + " --platform gke-vmware --ca istio-ca", spoil: vacant, twin: vacant,
			says: []string{"--from install with the CA mesh-ca", "istio-ca"}},
		{name: "an installation beside a real asmcli", bad: install + " --release-dir asm --asmcli tools/asmcli --gcloud tools/gcloud", good: install + " --release-dir asm", spoil: vacant, twin: vacant,
			says: []string{"--from install with --asmcli", "leave one of them out"}},
		{name: "an installation without a change", bad: install + " --read-only", good: install, spoil: vacant, twin: vacant, says: []string{"--from install", "--read-only", "leave one of them out"}},
		{name: "a beginning on clusters of its own", bad: "--from gateway --disruptive=false", good: "--from install", says: []string{"--from gateway", "given clusters", "--kubeconfig"}},
		{name: "only reading clusters of its own", bad: "--read-only --disruptive=false", good: look, says: []string{"--read-only", "given clusters", "--kubeconfig"}},
		{name: "no gateway to expose", bad: expose, good: expose, twin: joined(exposure, eastSecret, westSecret),
			says: []string{"cluster-2", "no Deployment istio-system/istio-eastwestgateway", "no Service istio-system/istio-eastwestgateway", "--from expose"}},
		{name: "no exposure to join", bad: join, good: join, spoil: joined(exposure, eastSecret, westSecret), twin: joined(eastSecret, westSecret),
			says: []string{"cluster-2", "no Gateway istio-system/cross-network-gateway", "--from join"}},
		{name: "no remote secret to verify", bad: verify, good: verify, spoil: joined(eastSecret), twin: joined(),
			says: []string{"cluster-2", "no Secret with the label istio/multiCluster=true in istio-system for cluster cluster-1", "--from verify"}},
		{name: "a sample namespace beside a joined mesh", bad: verify, good: verify, spoil: all(joined(), sample), twin: joined(),
			says: []string{"cluster-2", "Namespace sample", "remove it"}},
		{name: "a remote secret where it is to be made", bad: join, good: look, spoil: joined(), twin: all(joined(), sample),
			says: []string{"cluster-2", "Secret istio-system/istio-remote-secret-ctx-east-a-b-c", "--from expose, join or verify"}},
		{name: "a remote secret under the mesh's own name", bad: join, good: verify, spoil: all(joined(eastSecret, westSecret), foreign), twin: all(joined(eastSecret), foreign),
			says: []string{"cluster-2", "Secret istio-system/istio-remote-secret-cn-fleet-global-east", "remove it"}},
		{name: "reading and performing", bad: both + " --read-only --from join", good: both + " --read-only --from verify", spoil: joined(), twin: joined(),
			says: []string{"--from join", "--read-only", "leave one of them out"}},
		{name: "reading and disrupting", bad: both + " --read-only --disruptive", good: look, says: []string{"--disruptive", "--read-only", "leave one of them out"}},
		{name: "reading what is printed", bad: both + " --read-only --mode literal", good: look, says: []string{"--mode literal", "--read-only", "leave one of them out"}},
		{name: "disrupting what is not ours", bad: join + " --disruptive", good: join, spoil: joined(), twin: joined(eastSecret, westSecret),
			says: []string{"--disruptive with --from join", "somebody else", "leave one of them out"}},
		{name: "the printed text without its gateway", bad: expose + " --mode literal", good: expose, spoil: joined(), twin: joined(exposure, eastSecret, westSecret),
			says: []string{"--mode literal with --from expose", "leave one of them out"}},
	}
}

// worked is a lease of another run's on west, renewed so long ago.
func worked(ago time.Duration) func(*world) {
	return func(w *world) {
		at := time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05.000000Z")
		put("/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshproof", `{metadata: {name: meshproof}, spec: {holderIdentity: run r9 of ann@there,
leaseDurationSeconds: 180, acquireTime: "2026-11-25T08:00:00.000000Z", renewTime: "`+at+`"}}`)(w)
	}
}

// left gives cluster-2 the copy of the ledger of a run of that id.
func left(run string) func(*world) {
	return put(system+"/configmaps/meshproof-run-"+run, "{metadata: {name: meshproof-run-"+run+", labels: {meshproof.dev/run: "+run+"}}, data: {who: ann@there, ledger.json: '[]'}}")
}

func badHolders() []badInput {
	unasked := func(w *world) {
		w.farm.Server("west").Fail("GET", "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshproof", 403)
	}
	return []badInput{
		{name: "another run on a cluster", spoil: worked(time.Second), twin: worked(time.Hour),
			says: []string{"another run works on this cluster", "cluster-2", "run r9 of ann@there since 2026-11-25T08:00:00Z", "wait until it has ended"}},
		{name: "a run id that another has left something under", good: both + " --run-id r1", bad: both + " --run-id r1", spoil: left("r1"), twin: left("r2"),
			says: []string{"another run of this id has left something", "cluster-2", "run r1 of ann@there", "meshproof-run-r1", "another --run-id", "meshproof cleanup"}},
		{name: "a user who may not ask for the lease", spoil: unasked, twin: unasked, good: both + " --read-only", says: []string{"cluster-2", "read Lease istio-system/meshproof", "meshproof rbac"}},
	}
}
