package preflight

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const allGateways = "/apis/networking.istio.io/v1/gateways"

func TestPorts(t *testing.T) {
	at := func(ns, name string) string {
		return "/apis/networking.istio.io/v1/namespaces/" + ns + "/gateways/" + name
	}
	gateway := func(ns, name, selector, ports string) func(*testing.T, *apitest.Server) {
		return func(t *testing.T, s *apitest.Server) {
			s.Put(t, at(ns, name), "{metadata: {name: "+name+", namespace: "+ns+"}, spec: {selector: "+selector+", servers: "+ports+"}}")
		}
	}
	service := func(kind string) func(*testing.T, *apitest.Server) {
		return func(t *testing.T, s *apitest.Server) {
			s.Put(t, "/api/v1/namespaces/web/services/front", "{metadata: {name: front, namespace: web}, spec: {type: "+kind+", ports: [{port: 80}, {port: 15021}]}}")
		}
	}
	mesh := "[{port: {number: 15443}}, {port: {number: 80}}, {port: {number: 15443}}]"
	for _, tc := range []struct {
		name string
		put  func(*testing.T, *apitest.Server)
		want Ports
	}{
		{"nothing", func(*testing.T, *apitest.Server) {}, Ports{}},
		{"the guide's own", gateway("istio-system", "cross-network-gateway", "{istio: eastwestgateway}", mesh), Ports{Gateways: []Opened{{"istio-system/cross-network-gateway", []int32{15443}}}}},
		{"one that takes all pods", gateway("web", "all", "{}", mesh), Ports{Gateways: []Opened{{"web/all", []int32{15443}}}}},
		{"one of the network", gateway("web", "net", "{topology.istio.io/network: network1, app: istio-eastwestgateway}", mesh), Ports{Gateways: []Opened{{"web/net", []int32{15443}}}}},
		{"one of another network", gateway("web", "net", "{topology.istio.io/network: network2}", mesh), Ports{}},
		{"one of other pods", gateway("web", "in", "{istio: ingressgateway}", mesh), Ports{}},
		{"one of other ports", gateway("web", "in", "{istio: eastwestgateway}", "[{port: {number: 443}}]"), Ports{}},
		{"istiod's", gateway("web", "istiod", "{istio: eastwestgateway}", "[{port: {number: 15017}}, {port: {number: 15012}}]"), Ports{Gateways: []Opened{{"web/istiod", []int32{15012, 15017}}}}},
		{"a load balanced service", service("LoadBalancer"), Ports{Services: []Opened{{"web/front", []int32{15021}}}}},
		{"an inner service", service("ClusterIP"), Ports{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := apitest.New(t)
			tc.put(t, s)
			got, err := ports(t.Context(), s.Cluster(t, "east"), "asm-1232-2", "network1")
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
}

func TestPortsWhereTheUserMayNotLook(t *testing.T) {
	s := apitest.New(t)
	s.Put(t, "/apis/networking.istio.io/v1/namespaces/istio-system/gateways/own", "{metadata: {name: own, namespace: istio-system}, spec: {servers: [{port: {number: 15443}}]}}")
	s.Fail(http.MethodGet, allGateways, http.StatusForbidden)
	got, err := ports(t.Context(), s.Cluster(t, "east"), "asm-1232-2", "network1")
	if err != nil || got.Elsewhere == nil || len(got.Gateways) != 1 {
		t.Errorf("%+v, %v: want what is in istio-system, and why the rest is not known", got, err)
	}
	s.Fail(http.MethodGet, allGateways, http.StatusNotFound) // the kind is not there
	if got, err := ports(t.Context(), s.Cluster(t, "east"), "asm-1232-2", "network1"); err != nil || len(got.Gateways) != 0 {
		t.Errorf("without the kind: %+v, %v", got, err)
	}
	s.Fail(http.MethodGet, "/api/v1/services", http.StatusForbidden)
	if _, err := ports(t.Context(), s.Cluster(t, "east"), "asm-1232-2", "network1"); err == nil {
		t.Error("services that nobody sees are no services")
	}
}
