package evidence

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestSyncz(t *testing.T) {
	page := `[{"cluster_id":"c1","proxy":"sleep-1.sample","istio_version":"1.31","resources":{
		"type.googleapis.com/envoy.config.cluster.v3.Cluster":{"sent":"a","acked":"a"},
		"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment":{"sent":"b","acked":"a","lastError":"no"}}},
		{"cluster_id":"c1","proxy":"gw-1.istio-system","cluster_sent":"a","cluster_acked":"a","listener_sent":"b","endpoint_sent":"c","endpoint_acked":"c"}]`
	got, err := Istiod{Pages: map[string]json.RawMessage{PageSyncz: json.RawMessage(page)}}.Proxies()
	must(t, err)
	same(t, "proxies", got, []ProxySync{
		{Proxy: "gw-1.istio-system", Cluster: "c1", Resources: map[string]ResourceSync{
			TypeClusters: {Sent: "a", Acked: "a"}, TypeListeners: {Sent: "b"}, TypeRoutes: {}, TypeEndpoints: {Sent: "c", Acked: "c"}}},
		{Proxy: "sleep-1.sample", Cluster: "c1", Version: "1.31", Resources: map[string]ResourceSync{
			TypeClusters: {Sent: "a", Acked: "a"}, TypeEndpoints: {Sent: "b", Acked: "a", Error: "no"}}},
	})
	for r, want := range map[ResourceSync]bool{{Sent: "a", Acked: "a"}: true, {Sent: "b", Acked: "a"}: false, {}: false, {Sent: "a", Acked: "a", Error: "no"}: false} {
		if r.Synced() != want {
			t.Errorf("%+v: synced %t, want %t", r, r.Synced(), want)
		}
	}
	if _, err := (Istiod{}).Proxies(); !errors.Is(err, ErrNotCollected) {
		t.Errorf("without the page: %v", err)
	}
}

func TestSum(t *testing.T) {
	i := Istiod{Metrics: []Metric{
		{Name: MetricSecretEvents, Labels: map[string]string{"event": "add"}, Value: 2}, {Name: MetricSecretEvents, Labels: map[string]string{"event": "delete"}, Value: 3},
	}}
	if sum, there := i.Sum(MetricSecretEvents, "", ""); sum != 5 || !there {
		t.Errorf("sum %g, %t, want 5", sum, there)
	}
	if sum, there := i.Sum(MetricSecretEvents, "event", "add"); sum != 2 || !there {
		t.Errorf("sum of the additions %g, %t, want 2", sum, there)
	}
	if _, there := i.Sum(MetricTimeouts, "", ""); there {
		t.Error("a metric that is not there is there")
	}
}
