package collect

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/leak"
)

func rootPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("root")}))
}

func rootSum() string {
	sum := sha256.Sum256([]byte("root"))
	return hex.EncodeToString(sum[:])
}

// dump is a config dump with a canary in every section that must go.
func dump() string {
	const prefix = "type.googleapis.com/envoy.admin.v3."
	secret := func(name, body string) string { return fmt.Sprintf(`{"name":%q,"secret":{%s}}`, name, body) }
	return fmt.Sprintf(`{"configs":[
		{"@type":"%[1]sBootstrapConfigDump","bootstrap":{"node":{"metadata":{"TOKEN":%[2]q}}}},
		{"@type":"%[1]sEcdsConfigDump","ecds_filters":[%[2]q]},
		{"@type":"%[1]sEndpointsConfigDump","dynamic_endpoint_configs":[]},
		{"@type":"%[1]sSecretsConfigDump","dynamic_active_secrets":[%[3]s,%[4]s]}]}`, prefix, canary,
		secret("default", `"tls_certificate":{"private_key":{"inline_bytes":"`+canary+`"}}`),
		secret("ROOTCA", `"validation_context":{"trusted_ca":{"inline_bytes":"`+base64.StdEncoding.EncodeToString([]byte(rootPEM()))+`"}}`))
}

func fullAPI() *apiServer {
	secretMeta := func(annotations string) string {
		return fmt.Sprintf(`"metadata":{"namespace":"istio-system","name":"istio-remote-secret-c2","labels":{"istio/multiCluster":"true"},"annotations":{%s}}`, annotations)
	}
	annotations := fmt.Sprintf(`"networking.istio.io/cluster":"c2","kubectl.kubernetes.io/last-applied-configuration":%q,"tool.istio.io/copy":%q`, canary, canary)
	return &apiServer{objects: map[string]string{
		"/version": `{"gitVersion":"v1.37.2"}`,
		"/api/v1/namespaces/istio-system/secrets": list(`{` + secretMeta(annotations) + `,"data":{"c2":"` + base64.StdEncoding.EncodeToString([]byte(kubeconfig("https://10.9.9.9:6443/k8s?x=1"))) + `"}}`),
		"metadata of /api/v1/namespaces/istio-system/secrets": `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",` +
			secretMeta(annotations) + `}]}`,
		"/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert": fmt.Sprintf(`{"metadata":{"name":"istio-ca-root-cert"},"data":{"root-cert.pem":%q}}`, rootPEM()),
		"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",
			"metadata":{"name":"istio-sidecar-injector-asm-1232-2","labels":{"app":"sidecar-injector","istio.io/rev":"asm-1232-2"}}}]}`,
		"/apis/authorization.k8s.io/v1/subjectaccessreviews": `{"status":{"allowed":true}}`,
		"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": list(`{"metadata":{"namespace":"default","name":"kubernetes","labels":{"kubernetes.io/service-name":"kubernetes"}},
			"addressType":"IPv4","ports":[{"port":6443}],"endpoints":[{"addresses":["172.18.0.3"]}]}`),
		"/api/v1/namespaces/istio-system/pods/istiod-a/log": istiodLog,
		"/apis/networking.istio.io/v1/namespaces/istio-system/destinationrules": istioList("DestinationRule", `"host":"helloworld.sample.svc.cluster.local","subsets":[{"name":"v1","labels":{"version":"v1"}}],
			"trafficPolicy":{"tls":{"mode":"DISABLE","credentialName":"`+canary+`"},"outlierDetection":{"consecutive5xxErrors":1},"loadBalancer":{"simple":"ROUND_ROBIN","localityLbSetting":{"enabled":true}}}`),
		"/apis/networking.istio.io/v1/namespaces/istio-system/virtualservices": istioList("VirtualService", `"hosts":["helloworld"],"http":[{"headers":{"request":{"add":{"token":"`+canary+`"}}},
			"route":[{"destination":{"host":"helloworld","subset":"v1"},"weight":70},{"destination":{"host":"helloworld","subset":"v2"},"weight":30}]}]`),
		"/apis/security.istio.io/v1/namespaces/istio-system/authorizationpolicies": istioList("AuthorizationPolicy", `"action":"DENY","selector":{"matchLabels":{"version":"v2"}},"rules":[{"when":[{"key":"request.headers[x]","values":["`+canary+`"]}]}]`),
		"/api/v1/namespaces/istio-system":                                          `{"metadata":{"name":"istio-system","labels":{"topology.istio.io/network":"network1"}}}`,
		"/api/v1/namespaces/istio-system/pods": list(podJSON("istio-system", "istiod-a", "app=istiod", "discovery"),
			podJSON("istio-system", "gw-1", "istio=eastwestgateway", "istio-proxy", `{"name":"ISTIO_META_NETWORK","value":"network1"}`,
				`{"name":"API_TOKEN","value":"`+canary+`"}`, `{"name":"ISTIO_META_X","value":"`+canary+`","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}`)),
		"/api/v1/namespaces/istio-system/services": list(`{"metadata":{"namespace":"istio-system","name":"istio-eastwestgateway","labels":{"istio":"eastwestgateway"}},
			"spec":{"type":"LoadBalancer","clusterIP":"10.96.0.9","ports":[{"port":15021},{"port":15443}]},"status":{"loadBalancer":{"ingress":[{"ip":"172.18.0.9"},{"hostname":"gw.example"}]}}}`),
		"/api/v1/namespaces/istio-system/events":            list(`{"metadata":{"namespace":"istio-system","name":"e1"},"involvedObject":{"kind":"Pod","name":"gw-1"},"reason":"Pulled","lastTimestamp":"2026-09-01T10:00:00Z"}`),
		"/apis/apps/v1/namespaces/istio-system/deployments": list(`{"metadata":{"namespace":"istio-system","name":"istiod"},"spec":{"template":{"spec":{"containers":[{"name":"discovery","image":"pilot:1"}]}}},"status":{"availableReplicas":1}}`),
		"/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices": list(`{"metadata":{"namespace":"istio-system","name":"gw"},"addressType":"IPv4",
			"endpoints":[{"addresses":["10.244.0.8"]},{"addresses":["10.244.0.9"],"conditions":{"ready":false}}]}`),
		"/apis/networking.istio.io/v1beta1/namespaces/istio-system/gateways": `{"apiVersion":"networking.istio.io/v1beta1","kind":"GatewayList","metadata":{},"items":[{"apiVersion":"networking.istio.io/v1beta1","kind":"Gateway","metadata":{"namespace":"istio-system","name":"cross-network-gateway"},
			"spec":{"selector":{"istio":"eastwestgateway"},"unknown":1,"servers":[{"port":{"number":15443,"name":"tls","protocol":"TLS"},"tls":{"mode":"AUTO_PASSTHROUGH"},"hosts":["*.local"]}]}}]}`,
	}}
}

func fullAnswers() map[string]string {
	request := "istiod-a pilot-discovery request GET debug/"
	return map[string]string{
		"istiod-a pilot-discovery request GET version":         "1.31-dev\n",
		"istiod-a pilot-discovery request GET metrics":         "# HELP x y\n" + evidence.MetricManaged + "{cluster_type=\"remote\"} 1\npilot_xds{version=\"" + canary + "\"} 3\n",
		request + "clusterz":                                   `[{"id":"c1","syncStatus":"synced"}]`,
		request + "networkz":                                   `[]`,
		request + "endpointShardz":                             `{"helloworld.sample.svc.cluster.local":{"sample":{"Shards":{}}},"other.elsewhere.svc.cluster.local":{"elsewhere":{"Shards":{}}}}`,
		request + "syncz":                                      `<html>` + canary,
		request + "mesh":                                       `{"trustDomain":"cluster.local","defaultConfig":{"meshId":"proj-1","tracing":"` + canary + `"},"extensionProviders":[{"headers":"` + canary + `"}]}`,
		"gw-1 pilot-agent request GET clusters?format=json":    `{"cluster_statuses": []}`,
		"gw-1 pilot-agent request GET config_dump?include_eds": dump(),
		"gw-1 pilot-agent request GET certs":                   `{"certificates":[]}`,
		"gw-1 pilot-agent request GET stats?format=json":       `{"stats": []}`,
		"probe probe --made-from ab dial --timeout 5s 172.18.0.9:15443 gw.example:15443 10.9.9.9:15443": `{"address":"172.18.0.9:15443","connected":true,"seconds":0.002}` + "\nnoise\n" + `{"address":"gw.example:15443","connected":false,"seconds":5,"error":"no route"}`,
	}
}

func TestSnapshot(t *testing.T) {
	api := fullAPI()
	for _, ns := range []string{"sample", "meshproof"} {
		api.objects["/api/v1/namespaces/"+ns+"/pods"] = list()
	}
	api.objects["/api/v1/namespaces/meshproof/pods"] = list(podJSON("meshproof", "probe", "app=probe", "probe"))
	s := open(t, api, fullAnswers())
	targets := func(context.Context) ([]Target, error) {
		return []Target{{"west", "172.18.0.9:15443"}, {"west", "gw.example:15443"}, {"west", "10.9.9.9:15443"}}, errors.New("north is gone")
	}
	c := snapshot(t.Context(), s, targets, Options{Probe: ProbeRef{"meshproof", "app=probe", "ab"}}.withDefaults())

	checkKubernetes(t, c.Kubernetes)
	if len(c.Istiods) != 1 || c.Istiods[0].Revision != "asm-1232-2" || c.Istiods[0].Version != "1.31-dev" || len(c.Istiods[0].Pages) != 4 {
		t.Errorf("istiods %+v", c.Istiods)
	} else if got := string(c.Istiods[0].Pages[evidence.PageEndpointShardz]); strings.Contains(got, "elsewhere") || !strings.Contains(got, "helloworld") {
		t.Errorf("endpointShardz is not cut to the run's namespaces: %s", got)
	}
	if len(c.Proxies) != 1 || c.Proxies[0].RootSHA256 != rootSum() || !slices.Equal(c.Proxies[0].Roots, []string{rootSum()}) || string(c.Proxies[0].Clusters) != `{"cluster_statuses":[]}` || !strings.Contains(string(c.Proxies[0].ConfigDump), "EndpointsConfigDump") {
		t.Errorf("proxies %+v", c.Proxies)
	}
	if len(c.Dials) != 2 || !c.Dials[0].Connected || c.Dials[1].Error != "no route" || c.Dials[1].To != "west" || c.Dials[0].Pod != "probe" {
		t.Errorf("dials %+v", c.Dials)
	}
	checkProblems(t, c.Problems, "read page debug/syncz of istiod istio-system/istiod-a on cluster east: the answer of 19 bytes is not JSON", "north is gone", "no answer for [10.9.9.9:15443]",
		"read services in sample on cluster east", "read gateways in meshproof on cluster east")
	checkRemote(t, c)
	checkRules(t, c.Kubernetes)
	checkNoCanary(t, c)
}

func checkKubernetes(t *testing.T, k *evidence.Kubernetes) {
	t.Helper()
	if k.Version != "v1.37.2" || k.MeshRoot != rootSum() || !slices.Equal(k.MeshRoots, []string{rootSum()}) || len(k.Deployments) != 1 || k.Deployments[0].Available != 1 || len(k.Events) != 1 {
		t.Errorf("kubernetes %+v", k)
	}
	if len(k.Namespaces) != 1 || k.Namespaces[0].Labels["topology.istio.io/network"] != "network1" {
		t.Errorf("namespaces %+v: want istio-system alone, the others are not there", k.Namespaces)
	}
	if len(k.RemoteSecrets) != 1 || !reflect.DeepEqual(k.RemoteSecrets[0].Annotations, map[string]string{"networking.istio.io/cluster": "c2"}) {
		t.Errorf("remote secrets %+v", k.RemoteSecrets)
	}
	if len(k.Services) != 1 || !reflect.DeepEqual(k.Services[0].Addresses, []string{"172.18.0.9", "gw.example"}) || !reflect.DeepEqual(k.Services[0].Ports, []int32{15021, 15443}) {
		t.Errorf("services %+v", k.Services)
	}
	if len(k.EndpointSlices) != 1 || !reflect.DeepEqual(k.EndpointSlices[0].Ready, []string{"10.244.0.8"}) || !reflect.DeepEqual(k.EndpointSlices[0].NotReady, []string{"10.244.0.9"}) {
		t.Errorf("endpoint slices %+v", k.EndpointSlices)
	}
	if len(k.Gateways) != 1 || !reflect.DeepEqual(k.Gateways[0].Servers, []evidence.GatewayServer{{Port: 15443, TLSMode: "AUTO_PASSTHROUGH", Hosts: []string{"*.local"}}}) {
		t.Errorf("gateways %+v", k.Gateways)
	}
	if len(k.Pods) != 3 || k.Pods[0].Name != "gw-1" {
		t.Fatalf("pods %+v", k.Pods)
	}
	gw := k.Pods[0]
	if !reflect.DeepEqual(gw.Env, map[string]string{"ISTIO_META_NETWORK": "network1"}) || !reflect.DeepEqual(gw.Annotations, map[string]string{"sidecar.istio.io/inject": "true"}) {
		t.Errorf("the gateway's variables %v, annotations %v", gw.Env, gw.Annotations)
	}
	if want := []evidence.Container{{Name: "istio-proxy", Image: "hub/pilot:1.31", Restarts: 2, Waiting: "Crash: again"}}; !reflect.DeepEqual(gw.Containers, want) {
		t.Errorf("containers %+v, want %+v", gw.Containers, want)
	}
}

func checkProblems(t *testing.T, problems []evidence.Problem, want ...string) {
	t.Helper()
	for _, w := range want {
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.Error, w) && p.What != "" && !p.At.IsZero()
		}
		if !found {
			t.Errorf("no problem says %q: %+v", w, problems)
		}
	}
}

// checkNoCanary saves the snapshot and looks into every file.
func checkNoCanary(t *testing.T, c *evidence.Cluster) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "evidence")
	f, err := evidence.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.SaveCluster(evidence.Joined, "east", c), f.Seal()); err != nil {
		t.Fatal(err)
	}
	leaks, files, err := leak.Search(dir, map[string]string{"the canary": canary})
	for _, l := range leaks {
		t.Errorf("%s holds %s (%s)", l.File, l.Secret, l.Encoding)
	}
	if err != nil || files < 5 {
		t.Errorf("looked into %d files, error %v", files, err)
	}
}

func TestNothingThere(t *testing.T) {
	s := open(t, &apiServer{}, nil)
	c := snapshot(t.Context(), s, nil, Options{}.withDefaults())
	if c.Kubernetes == nil || c.Dials != nil {
		t.Errorf("snapshot %+v", c)
	}
	checkProblems(t, c.Problems, "read the version on cluster east", "list pods \"app=istiod\" in namespace istio-system on cluster east")
}

func TestUninjectedPodIsAProblem(t *testing.T) {
	api := fullAPI()
	going := strings.Replace(podJSON("sample", "sleep-0", "app=sleep", "istio-proxy"), `"creationTimestamp"`, `"deletionTimestamp":"2026-09-01T10:01:00Z","creationTimestamp"`, 1)
	waiting := strings.Replace(podJSON("sample", "sleep-2", "app=sleep", "istio-proxy"), "Running", "Pending", 1)
	api.objects["/api/v1/namespaces/sample/pods"] = list(going, podJSON("sample", "sleep-1", "app=sleep", "sleep"), waiting)
	proxies, err := open(t, api, nil).proxies(t.Context(), Options{}.withDefaults(), allPages, evidence.RoleSleep)
	if len(proxies) != 1 || err == nil || !strings.Contains(err.Error(), "was not injected") {
		t.Errorf("proxies %+v, error %v", proxies, err)
	}
}

func TestCounters(t *testing.T) {
	api, answers := fullAPI(), fullAnswers()
	api.objects["/api/v1/namespaces/sample/pods"] = list(podJSON("sample", "sleep-1", "app=sleep", "istio-proxy"))
	host := `{"address":{"socket_address":{"address":"10.0.0.1","port_value":5000}},"weight":1,"stats":[{"name":"rq_total","value":"7"},{"name":"rq_success"},{"name":"rq_error"},{"name":"cx_total"},{"name":"cx_connect_fail"},{"name":"cx_active"}]}`
	page := func(name string) string {
		return fmt.Sprintf(`{"cluster_statuses":[{"name":%q,"host_statuses":[%s]}]}`, name, host)
	}
	answers["gw-1 pilot-agent request GET clusters?format=json"] = page(evidence.SNICluster("sample"))
	if got, err := open(t, api, answers).counters(t.Context(), Options{}.withDefaults()); err == nil || got != nil || !strings.Contains(err.Error(), `it said "no such page"`) {
		t.Errorf("a sidecar that does not answer: counters %+v, error %v", got, err)
	}
	answers["sleep-1 pilot-agent request GET clusters?format=json"] = page(evidence.OutboundCluster("sample"))
	got, err := open(t, api, answers).counters(t.Context(), Options{}.withDefaults())
	if err != nil || len(got) != 2 || got[0].Role != evidence.RoleGateway || got[1].Role != evidence.RoleSleep || got[1].RqTotal != 7 {
		t.Errorf("counters %+v, error %v", got, err)
	}
}

func TestGatewayTargets(t *testing.T) {
	c := openCluster(t, fullAPI())
	got, err := GatewayTargets(t.Context(), cluster.Set{c}, Options{})
	if want := []Target{{"east", "172.18.0.9:15443"}, {"east", "gw.example:15443"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("targets %+v, error %v, want %+v", got, err, want)
	}
}
