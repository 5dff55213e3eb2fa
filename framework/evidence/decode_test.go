package evidence

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func page(t *testing.T, name string) json.RawMessage {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	must(t, err)
	return content
}

func sleepProxy(t *testing.T) Proxy {
	t.Helper()
	return Proxy{
		Namespace: "sample", Pod: "sleep-1", Role: RoleSleep,
		Clusters: page(t, "sleep-clusters.json"), ConfigDump: page(t, "sleep-config.json"), Certs: page(t, "sleep-certs.json"),
	}
}

func gatewayProxy(t *testing.T) Proxy {
	t.Helper()
	return Proxy{Namespace: "istio-system", Pod: "gw-1", Role: RoleGateway, Clusters: page(t, "gateway-clusters.json"), ConfigDump: page(t, "gateway-config.json")}
}

// same compares and reports; nil and empty are the same.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.Kind() == reflect.Slice && g.Len() == 0 && w.Len() == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%+v\nwant\n%+v", what, got, want)
	}
}

func TestHosts(t *testing.T) {
	out, sni := OutboundCluster("sample"), SNICluster("sample")
	for _, tc := range []struct {
		name    string
		proxy   Proxy
		cluster string
		want    []Counters
	}{
		{"zero values are left out by Envoy", sleepProxy(t), out, []Counters{
			{Pod: "sleep-1", Role: RoleSleep, Cluster: out, Address: "10.244.0.8:5000", Healthy: true, Weight: 1, RqTotal: 308, RqSuccess: 308, CxTotal: 2, CxActive: 2},
			{Pod: "sleep-1", Role: RoleSleep, Cluster: out, Address: "172.18.252.1:15443", Healthy: true, Weight: 1, RqTotal: 292, RqSuccess: 292, RqError: 20, CxTotal: 22, CxConnectFail: 20, CxActive: 2},
		}},
		{"a pod that is not ready", gatewayProxy(t), sni, []Counters{
			{Pod: "gw-1", Role: RoleGateway, Cluster: sni, Address: "10.244.0.8:5000", Weight: 1, FailedEDSHealth: true},
			{Pod: "gw-1", Role: RoleGateway, Cluster: sni, Address: "10.244.0.9:5000", Healthy: true, Weight: 1, RqTotal: 2, CxTotal: 2, CxActive: 2},
		}},
		{"a cluster that is not there", gatewayProxy(t), out, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.proxy.Hosts(tc.cluster)
			must(t, err)
			same(t, "hosts", got, tc.want)
		})
	}
}

func TestHostWithoutCounterIsAnError(t *testing.T) {
	p := sleepProxy(t)
	p.Clusters = json.RawMessage(strings.ReplaceAll(string(p.Clusters), `"cx_connect_fail"`, `"other"`))
	if got, err := p.Hosts(OutboundCluster("sample")); err == nil || !strings.Contains(err.Error(), "cx_connect_fail") {
		t.Errorf("hosts %+v, error %v: want one that names the counter", got, err)
	}
}

func TestEndpoints(t *testing.T) {
	for cluster, want := range map[string][]Endpoint{
		OutboundCluster("sample"): {
			{Address: "10.244.0.8", Port: 5000, Health: "HEALTHY", Weight: 1, ClusterID: "cn-fleet-global-c1"},
			{Address: "172.18.252.1", Port: 15443, Health: "HEALTHY", Weight: 1, ClusterID: "c2"},
		},
		"outbound|80||failover": {
			{Address: "10.0.0.1", Port: 80, Health: "HEALTHY", Weight: 3, ClusterID: "e"},
			{Address: "10.0.0.2", Port: 80, Health: "UNHEALTHY", Weight: 1, Priority: 1},
		},
		"outbound|80||empty": nil,
		"outbound|80||none":  nil,
	} {
		got, err := sleepProxy(t).Endpoints(cluster)
		must(t, err)
		same(t, "endpoints of "+cluster, got, want)
	}
}

func TestPolicy(t *testing.T) {
	for cluster, want := range map[string]Policy{
		OutboundCluster("sample"): {LB: "LEAST_REQUEST", SNI: SNICluster("sample"), ALPN: []string{"istio"}, SANs: []string{"spiffe://cluster.local/ns/sample/sa/default"}},
		"outbound|80||failover":   {LB: "ROUND_ROBIN", Outlier: true, LocalityWeighted: true},
		"outbound|80||extension":  {LB: "envoy.load_balancing_policies.maglev"},
	} {
		got, err := sleepProxy(t).Policy(cluster)
		must(t, err)
		same(t, "policy of "+cluster, got, want)
	}
	if _, err := sleepProxy(t).Policy("outbound|80||none"); !errors.Is(err, ErrNoCluster) {
		t.Errorf("policy of a cluster that is not there: error %v, want %v", err, ErrNoCluster)
	}
}

func TestListeners(t *testing.T) {
	gw := gatewayProxy(t)
	for port, want := range map[uint32]bool{15443: true, 15090: true, 15012: false, 80: false} {
		got, err := gw.Listens(port)
		must(t, err)
		same(t, "listens", got, want)
	}
	names, err := gw.SNIs(GatewayPort)
	must(t, err)
	same(t, "server names", names, []string{SNICluster("sample"), "outbound_.80_._.sleep.sample.svc.cluster.local"})
}

func TestCertificates(t *testing.T) {
	got, err := sleepProxy(t).Certificates()
	must(t, err)
	same(t, "certificates", got, []Certificate{{
		Serial: "a1", URIs: []string{"spiffe://cluster.local/ns/sample/sa/sleep"}, RootSerials: []string{"5f1c"},
		NotBefore: time.Date(2026, 9, 1, 9, 58, 0, 0, time.UTC), NotAfter: time.Date(2026, 9, 2, 10, 0, 0, 0, time.UTC),
		Roots: []Root{{Serial: "5f1c", NotBefore: time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 8, 29, 9, 0, 0, 0, time.UTC)}},
	}})
}

// Nothing that a page may hold ends the program: it is an error that names the pod.
func TestBrokenPages(t *testing.T) {
	calls := map[string]func(Proxy) error{
		"Hosts":        func(p Proxy) error { _, err := p.Hosts("x"); return err },
		"Endpoints":    func(p Proxy) error { _, err := p.Endpoints("x"); return err },
		"Policy":       func(p Proxy) error { _, err := p.Policy("x"); return err },
		"Targets":      func(p Proxy) error { _, err := p.Targets("x"); return err },
		"SNIs":         func(p Proxy) error { _, err := p.SNIs(1); return err },
		"Certificates": func(p Proxy) error { _, err := p.Certificates(); return err },
	}
	for _, body := range []string{"", "null", "[]", `{"configs":[1]}`, `{"configs":[{"@type":5}]}`, "<html>",
		`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.EndpointsConfigDump","dynamic_endpoint_configs":[{"endpoint_config":3}]}]}`} {
		for name, call := range calls {
			p := Proxy{Namespace: "sample", Pod: "sleep-1", Clusters: json.RawMessage(body), ConfigDump: json.RawMessage(body), Certs: json.RawMessage(body)}
			err := call(p)
			lenient := name == "Certificates" && strings.HasPrefix(body, "{") // unknown keys of a newer Envoy, and no certificate
			if !lenient && (err == nil || !strings.Contains(err.Error(), "sample/sleep-1")) {
				t.Errorf("%s of page %q: error %v, want one that names the pod", name, body, err)
			}
		}
	}
	if _, err := (Proxy{}).Endpoints("x"); !errors.Is(err, ErrNotCollected) {
		t.Errorf("a page that is not there: error %v, want %v", err, ErrNotCollected)
	}
}

func TestIstiodPages(t *testing.T) {
	host := HelloworldHost("sample")
	i := Istiod{Pod: "istiod-a", Pages: map[string]json.RawMessage{
		PageClusterz: json.RawMessage(`[{"id":"cn-fleet-global-c1","secretName":"","syncStatus":"synced"},{"id":"c2","secretName":"istio-system/istio-remote-secret-c2","syncStatus":"timeout"}]`),
		PageNetworkz: json.RawMessage(`[{"Network":"network2","Cluster":"c2","Addr":"172.18.252.1","Port":15443,"HBONEPort":0,"ServiceAccount":{"Namespace":"","Name":""}}]`),
		PageMesh:     json.RawMessage(`{"trustDomain":"cluster.local","defaultConfig":{"meshId":"proj-123","other":1},"localityLbSetting":{"enabled":false},"unknown":true}`),
		PageEndpointShardz: json.RawMessage(`{"` + host + `":{"sample":{"Shards":{
			"Kubernetes/cn-fleet-global-c1":[{"Addresses":["10.244.0.8"],"EndpointPort":5000,"Network":"network1","TLSMode":"istio","WorkloadName":"helloworld-v1"}],
			"Kubernetes/c2":[{"Addresses":["10.244.0.8"],"EndpointPort":5000,"Network":"network2","TLSMode":"istio","WorkloadName":"helloworld-v2"}]},"ServiceAccounts":{}}}}`),
	}}
	remote, err := i.RemoteClusters()
	must(t, err)
	same(t, "remote clusters", remote, []RemoteCluster{{"c2", "istio-system/istio-remote-secret-c2", "timeout"}, {"cn-fleet-global-c1", "", "synced"}})
	networks, err := i.Networks()
	must(t, err)
	same(t, "networks", networks, []Network{{"network2", "c2", "172.18.252.1", 15443}})
	mesh, err := i.Mesh()
	must(t, err)
	same(t, "mesh", mesh, Mesh{TrustDomain: "cluster.local", MeshID: "proj-123"})
	shards, err := i.Shards(host)
	must(t, err)
	same(t, "shards", shards, []Shard{
		{"c2", "network2", "10.244.0.8", 5000, "helloworld-v2", "istio"}, {"cn-fleet-global-c1", "network1", "10.244.0.8", 5000, "helloworld-v1", "istio"},
	})
	if _, err := (Istiod{Pod: "istiod-b"}).Shards(host); !errors.Is(err, ErrNotCollected) || !strings.Contains(err.Error(), "istiod-b") {
		t.Errorf("a page that is not there: error %v", err)
	}
}

func TestLocalityIsOnUnlessSwitchedOff(t *testing.T) {
	mesh, err := Istiod{Pages: map[string]json.RawMessage{PageMesh: json.RawMessage(`{"trustDomain":"x"}`)}}.Mesh()
	must(t, err)
	if !mesh.LocalityLB {
		t.Error("locality load balancing is off without a setting: Istio's default is on")
	}
}

func TestHealth(t *testing.T) {
	for _, tc := range []struct {
		status      string
		healthy, of bool
	}{
		{`{"eds_health_status":"HEALTHY"}`, true, false},
		{`{}`, true, false},
		{`{"eds_health_status":"UNHEALTHY"}`, false, true},
		{`{"eds_health_status":"DRAINING"}`, false, false},
		{`{"eds_health_status":"HEALTHY","pending_dynamic_removal":true}`, false, false},
		{`{"eds_health_status":"HEALTHY","failed_outlier_check":true}`, false, false},
		{`{"eds_health_status":"HEALTHY","failed_active_health_check":true}`, false, false},
	} {
		p := gatewayProxy(t)
		p.Clusters = json.RawMessage(strings.ReplaceAll(string(p.Clusters), `"health_status": {
      "eds_health_status": "UNHEALTHY"
     }`, `"health_status": `+tc.status))
		hosts, err := p.Hosts(SNICluster("sample"))
		must(t, err)
		if hosts[0].Healthy != tc.healthy || hosts[0].FailedEDSHealth != tc.of {
			t.Errorf("status %s: healthy %t, failed by EDS %t; want %t, %t", tc.status, hosts[0].Healthy, hosts[0].FailedEDSHealth, tc.healthy, tc.of)
		}
	}
}
