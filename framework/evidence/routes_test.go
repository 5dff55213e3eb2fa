package evidence

import (
	"encoding/json"
	"testing"
)

func TestTargets(t *testing.T) {
	weighted := Proxy{ConfigDump: json.RawMessage(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","dynamic_route_configs":[{"route_config":{
		"@type":"type.googleapis.com/envoy.config.route.v3.RouteConfiguration","name":"5000","virtual_hosts":[
		{"name":"other","domains":["other.sample"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"outbound|80||other"}}]},
		{"name":"h","domains":["helloworld.sample"],"routes":[{"match":{"prefix":"/"},"route":{"weighted_clusters":{"clusters":[
		{"name":"outbound|5000|v1|h","weight":70},{"name":"outbound|5000|v2|h","weight":30}]}}}]}]}}]}]}`)}
	got, err := weighted.Targets("helloworld.sample")
	must(t, err)
	same(t, "targets", got, []Target{{"outbound|5000|v1|h", 70}, {"outbound|5000|v2|h", 30}})
	none, err := weighted.Targets("nobody")
	if err != nil || len(none) != 0 {
		t.Errorf("targets of a host without a route: %+v, %v", none, err)
	}
	for name, want := range map[string]string{"outbound|5000|v1|h": "v1", "outbound|5000||h": "", "PassthroughCluster": ""} {
		if got := SubsetOf(name); got != want {
			t.Errorf("subset of %s: %q, want %q", name, got, want)
		}
	}
}
