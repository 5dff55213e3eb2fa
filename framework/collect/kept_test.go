package collect

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
	"github.com/meshproof/meshproof/framework/evidence"
)

// secretive is a config dump in which a canary stands wherever a rule of the mesh, an EnvoyFilter or a provider puts a secret.
func secretive() json.RawMessage {
	const filters = "type.googleapis.com/envoy.extensions.filters."
	header := `{"header":{"key":"authorization","value":"CANARY"}}`
	http := `"name":"envoy.filters.network.http_connection_manager","typed_config":{"@type":"` + filters + `network.http_connection_manager.v3.HttpConnectionManager",
		"stat_prefix":"in","tracing":{"custom_tags":[{"tag":"t","literal":{"value":"CANARY"}}],"provider":{"name":"otel","typed_config":{"@type":"type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
			"grpc_service":{"initial_metadata":[{"key":"api-key","value":"CANARY"}]}}}},
		"access_log":[{"name":"file","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","log_format":{"text_format_source":{"inline_string":"CANARY"}}}}],
		"http_filters":[{"name":"envoy.filters.http.rbac","typed_config":{"@type":"` + filters + `http.rbac.v3.RBAC","rules":{"policies":{"p":{"permissions":[{"header":{"name":"authorization","string_match":{"exact":"CANARY"}}}]}}}}},
			{"name":"envoy.filters.http.ext_authz","typed_config":{"@type":"` + filters + `http.ext_authz.v3.ExtAuthz","http_service":{"authorization_request":{"headers_to_add":[{"key":"k","value":"CANARY"}]}}}}],
		"route_config":{"name":"inbound","request_headers_to_add":[` + header + `],"virtual_hosts":[{"name":"inbound","domains":["*"],"routes":[{"route":{"cluster":"inbound|5000||"},"request_headers_to_add":[` + header + `]}]}]}}`
	route := `{"name":"r","match":{"prefix":"/CANARY","headers":[{"name":"x-api-key","string_match":{"exact":"CANARY"}}]},"request_headers_to_add":[` + header + `],
		"metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/sample/virtual-service/shares"},"other":{"token":"CANARY"}}},
		"route":{"weighted_clusters":{"clusters":[{"name":"outbound|5000|v1|h","weight":70,"request_headers_to_add":[` + header + `]},{"name":"outbound|5000|v2|h","weight":30}]},"hash_policy":[{"cookie":{"name":"CANARY"}}]}}`
	return json.RawMessage(strings.ReplaceAll(`{"configs":[
	{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[{"error_state":{"details":"CANARY"},"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"c","lb_policy":"ROUND_ROBIN",
		"outlier_detection":{"consecutive_5xx":5,"interval":"10s"},"common_lb_config":{"locality_weighted_lb_config":{}},"health_checks":[{"http_health_check":{"request_headers_to_add":[`+header+`]}}],
		"transport_socket_matches":[{"name":"tlsMode-istio","transport_socket":{"name":"envoy.transport_sockets.tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
			"sni":"s","common_tls_context":{"alpn_protocols":["istio"],"tls_certificates":[{"private_key":{"inline_string":"CANARY"}}],"combined_validation_context":{"default_validation_context":{"match_typed_subject_alt_names":[{"san_type":"URI","matcher":{"exact":"spiffe://a"}}]}}}}}}]}}]},
	{"@type":"type.googleapis.com/envoy.admin.v3.EndpointsConfigDump","dynamic_endpoint_configs":[{"endpoint_config":{"@type":"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment","cluster_name":"c",
		"endpoints":[{"priority":1,"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":15443}}},"health_status":"HEALTHY","load_balancing_weight":2,"metadata":{"filter_metadata":{"istio":{"workload":"w;ns;;;east"},"envoy.lb":{"token":"CANARY"}}}}]}]}}]},
	{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","dynamic_listeners":[{"name":"l","error_state":{"details":"CANARY"},"active_state":{"listener":{"@type":"type.googleapis.com/envoy.config.listener.v3.Listener","name":"l",
		"address":{"socket_address":{"address":"0.0.0.0","port_value":15443}},"filter_chains":[{"filter_chain_match":{"server_names":["outbound_.5000_._.h"]},
			"filters":[{`+http+`},{"name":"other","typed_config":{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"token":"CANARY"}}},
				{"name":"tcp","typed_config":{"@type":"`+filters+`network.tcp_proxy.v3.TcpProxy","cluster":"outbound_.5000_._.h"}}]}]}}}]},
	{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","dynamic_route_configs":[{"route_config":{"@type":"type.googleapis.com/envoy.config.route.v3.RouteConfiguration","name":"5000","response_headers_to_add":[`+header+`],
		"virtual_hosts":[{"name":"h:5000","domains":["h"],"request_headers_to_add":[`+header+`],"routes":[`+route+`]}]}}]}]}`, "CANARY", canary))
}

// TestNoSecretOfTheConfigurationIsKept: the mesh's rules may hold tokens, and all of them reach an Envoy's listeners and routes.
func TestNoSecretOfTheConfigurationIsKept(t *testing.T) {
	kept, _, err := cleanDump(secretive())
	if err != nil {
		t.Fatal(err)
	}
	if at := strings.Index(string(kept), canary); at >= 0 {
		t.Errorf("a secret is kept: %s", kept[max(0, at-200):at+len(canary)])
	}
	for _, want := range []string{`"cluster":"outbound_.5000_._.h"`, "virtual-service/shares", "envoy.filters.http.rbac", `"cluster":"inbound|5000||"`, `"domains":["*"]`} {
		if !strings.Contains(string(kept), want) {
			t.Errorf("a person misses %s: %s", want, kept)
		}
	}
	p := evidence.Proxy{ConfigDump: kept}
	policy, err := p.Policy("c")
	if want := (evidence.Policy{LB: "ROUND_ROBIN", Outlier: true, LocalityWeighted: true, SNI: "s", ALPN: []string{"istio"}, SANs: []string{"spiffe://a"}}); err != nil || !reflect.DeepEqual(policy, want) {
		t.Errorf("policy %+v, error %v, want %+v", policy, err, want)
	}
	endpoints, err := p.Endpoints("c")
	if want := []evidence.Endpoint{{Address: "10.0.0.1", Port: 15443, Health: "HEALTHY", Weight: 2, Priority: 1, ClusterID: "east"}}; err != nil || !slices.Equal(endpoints, want) {
		t.Errorf("endpoints %+v, error %v, want %+v", endpoints, err, want)
	}
	names, err := p.SNIs(evidence.GatewayPort)
	if err != nil || !slices.Equal(names, []string{"outbound_.5000_._.h"}) {
		t.Errorf("server names %q, error %v", names, err)
	}
	targets, err := p.Targets("h")
	if want := []evidence.Target{{Cluster: "outbound|5000|v1|h", Weight: 70}, {Cluster: "outbound|5000|v2|h", Weight: 30}}; err != nil || !slices.Equal(targets, want) {
		t.Errorf("targets %+v, error %v, want %+v", targets, err, want)
	}
}

// TestWhatIsKeptIsJudgedTheSame: cutting takes nothing away that a claim, a cause or the page reads. The oldest recording holds whole
// dumps; those that were recorded since are cut already, and cutting them again changes nothing.
func TestWhatIsKeptIsJudgedTheSame(t *testing.T) {
	for _, name := range []string{"healthy", "three", "older"} {
		run, err := evidence.Load("../claim/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		want := cause.Apply(run, claim.Judge(run))
		cut := 0
		for _, epoch := range run.Epochs {
			for _, c := range epoch.Clusters {
				for _, replica := range c.Istiods {
					page, err := cutPage(evidence.PageSyncz, replica.Pages[evidence.PageSyncz], Options{})
					if err != nil {
						t.Fatalf("%s: %s: %v", name, replica.Pod, err)
					}
					replica.Pages[evidence.PageSyncz] = page
				}
				for i, p := range c.Proxies {
					kept, _, err := cleanDump(p.ConfigDump)
					if err != nil {
						t.Fatalf("%s: %s: %v", name, p.Pod, err)
					}
					if whole := name == "older"; whole && len(kept) >= len(p.ConfigDump) {
						t.Errorf("%s: nothing of %s was cut", name, p.Pod)
					} else if again, _, err := cleanDump(kept); err != nil || !bytes.Equal(again, kept) {
						t.Errorf("%s: the dump of %s, cut twice, is another (error %v)", name, p.Pod, err)
					}
					c.Proxies[i].ConfigDump = kept
					cut++
				}
			}
		}
		if got := cause.Apply(run, claim.Judge(run)); cut == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, after %d dumps were cut, is judged %+v, want %+v", name, cut, got, want)
		}
	}
}

// TestAnUnusualFilterCostsNothingElse: an EnvoyFilter may add any filter, whose fields have the names of others and another shape.
func TestAnUnusualFilterCostsNothingElse(t *testing.T) {
	const dubbo = `{"name":"dubbo","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.dubbo_proxy.v3.DubboProxy",
		"stat_prefix":"d","route_config":[{"name":"CANARY","routes":[]}]}}`
	const before = `"filters":[`
	dump := strings.Replace(string(secretive()), before, before+strings.ReplaceAll(dubbo, "CANARY", canary)+",", 1)
	kept, _, err := cleanDump(json.RawMessage(dump))
	if err != nil || strings.Contains(string(kept), canary) {
		t.Fatalf("error %v, kept %s", err, kept)
	}
	want := strings.Replace(string(mustClean(t, secretive())), before,
		before+`{"name":"dubbo","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.dubbo_proxy.v3.DubboProxy"}},`, 1)
	if string(kept) != want {
		t.Errorf("kept %s\nwant %s", kept, want)
	}
	names, err := evidence.Proxy{ConfigDump: kept}.SNIs(evidence.GatewayPort)
	if err != nil || !slices.Equal(names, []string{"outbound_.5000_._.h"}) {
		t.Errorf("server names %q, error %v", names, err)
	}
}

// TestASectionThatCannotBeCutCostsItselfAlone: the others and the root are kept, and the error says which it was.
func TestASectionThatCannotBeCutCostsItselfAlone(t *testing.T) {
	var page struct {
		Configs []json.RawMessage `json:"configs"`
	}
	if err := json.Unmarshal(secretive(), &page); err != nil {
		t.Fatal(err)
	}
	page.Configs[2] = json.RawMessage(`{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","dynamic_listeners":[{"name":["l"]}]}`)
	secrets := strings.Replace(string(trusting("ROOTCA="+certPEM("root"))), "{", `{"@type":"type.googleapis.com/envoy.admin.v3.SecretsConfigDump",`, 1)
	dump, err := json.Marshal(map[string]any{"configs": append(page.Configs, json.RawMessage(secrets))})
	if err != nil {
		t.Fatal(err)
	}
	kept, root, err := cleanDump(dump)
	if err == nil || !strings.Contains(err.Error(), "ListenersConfigDump") || root.set != rootSum() {
		t.Errorf("root %q, error %v", root.set, err)
	}
	whole, err := evidence.Sections(mustClean(t, secretive()))
	if err != nil {
		t.Fatal(err)
	}
	delete(whole, "ListenersConfigDump")
	if got, err := evidence.Sections(kept); err != nil || !reflect.DeepEqual(got, whole) {
		t.Errorf("kept %s, error %v", kept, err)
	}
}

func mustClean(t *testing.T, dump json.RawMessage) json.RawMessage {
	t.Helper()
	kept, _, err := cleanDump(dump)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// TestARefusalRepeatsNoResource: Envoy may say what it refused.
func TestARefusalRepeatsNoResource(t *testing.T) {
	page := `[{"cluster_id":"c","proxy":"sleep-1.sample","istio_version":"1.31","resources":{"type.googleapis.com/envoy.config.route.v3.RouteConfiguration":
		{"sent":"n2","acked":"n1","lastError":"Proto constraint validation failed (HeaderValue.Value: value does not match): key: \"authorization\" value: \"` + canary + `\""}}}]`
	cut, err := cutPage(evidence.PageSyncz, json.RawMessage(page), Options{})
	if err != nil || strings.Contains(string(cut), canary) {
		t.Errorf("error %v, kept %s", err, cut)
	}
	proxies, err := evidence.Istiod{Pages: map[string]json.RawMessage{evidence.PageSyncz: cut}}.Proxies()
	if err != nil || len(proxies) != 1 || proxies[0].Proxy != "sleep-1.sample" || proxies[0].Cluster != "c" || proxies[0].Version != "1.31" {
		t.Fatalf("proxies %+v, error %v", proxies, err)
	}
	if r := proxies[0].Resources[evidence.TypeRoutes]; r.Sent != "n2" || r.Acked != "n1" || !strings.HasPrefix(r.Error, "Proto constraint validation failed") {
		t.Errorf("routes %+v", r)
	}
}
