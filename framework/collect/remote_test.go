package collect

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/evidence"
)

// kubeconfig is one with a canary wherever a person may keep a secret.
func kubeconfig(server string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","contexts":[{"name":"x","context":{"cluster":"x","user":"%[1]s"}}],
		"clusters":[{"name":"x","cluster":{"server":%[2]q,"certificate-authority-data":"Y2FuYXJ5LTVlMWYwYQ=="}}],"users":[{"name":"%[1]s","user":{"token":"%[1]s"}}]}`, canary, server)
}

// istiodLog names a cluster's troubles, beside a canary that it must not bring along.
const istiodLog = `2026-09-01T10:00:01.5Z	error	kube	watch error in cluster c2: failed to list *v1.Namespace: Get "https://10.9.9.9:6443/x?token=` + canary + `": dial tcp 10.9.9.9:6443: connect: no route to host
2026-09-01T10:00:31.5Z	error	kube	watch error in cluster c2: failed to list *v1.Node: dial tcp 10.9.9.9:6443: connect: no route to host
2026-09-01T10:00:32Z	info	ads	Push debounce stable ` + canary + `
`

func istioList(kind, spec string) string {
	return fmt.Sprintf(`{"apiVersion":"x/v1","kind":"%[1]sList","metadata":{},"items":[{"apiVersion":"x/v1","kind":%[1]q,"metadata":{"namespace":"istio-system","name":"one"},"spec":{%[2]s}}]}`, kind, spec)
}

func checkRemote(t *testing.T, c *evidence.Cluster) {
	t.Helper()
	k := c.Kubernetes
	if want := []evidence.RemoteServer{{Secret: "istio-system/istio-remote-secret-c2", Cluster: "c2", Server: "https://10.9.9.9:6443"}}; !reflect.DeepEqual(k.RemoteServers, want) {
		t.Errorf("remote servers %+v, want %+v", k.RemoteServers, want)
	}
	if !reflect.DeepEqual(k.APIServers, []string{"172.18.0.3:6443"}) {
		t.Errorf("API servers %v", k.APIServers)
	}
	if want := map[string]bool{"list services": true, "list endpointslices": true, "create services": true}; !reflect.DeepEqual(k.ReaderMay, want) {
		t.Errorf("the reader may %v, want %v", k.ReaderMay, want)
	}
	if len(k.Webhooks) != 1 || k.Webhooks[0].Labels["istio.io/rev"] != "asm-1232-2" {
		t.Errorf("webhooks %+v", k.Webhooks)
	}
	i := c.Istiods[0]
	if want := []evidence.Metric{{Name: evidence.MetricManaged, Labels: map[string]string{"cluster_type": "remote"}, Value: 1}}; !reflect.DeepEqual(i.Metrics, want) {
		t.Errorf("metrics %+v, want %+v", i.Metrics, want)
	}
	last := time.Date(2026, 9, 1, 10, 0, 31, 500_000_000, time.UTC)
	if want := []evidence.Complaint{{Cluster: "c2", Trouble: evidence.Unreached, Count: 2, Last: last}}; !reflect.DeepEqual(i.Complaints, want) {
		t.Errorf("complaints %+v, want %+v", i.Complaints, want)
	}
}

func checkRules(t *testing.T, k *evidence.Kubernetes) {
	t.Helper()
	o := evidence.Object{Namespace: "istio-system", Name: "one"}
	for _, tc := range []struct{ got, want any }{
		{k.DestinationRules, []evidence.DestinationRule{{Object: o, Host: "helloworld.sample.svc.cluster.local", LB: "ROUND_ROBIN", Outlier: true, Locality: true, TLSMode: "DISABLE",
			Subsets: []evidence.Subset{{Name: "v1", Labels: map[string]string{"version": "v1"}}}}}},
		{k.VirtualServices, []evidence.VirtualService{{Object: o, Hosts: []string{"helloworld"}, Destinations: []evidence.Destination{
			{Host: "helloworld", Subset: "v1", Weight: 70}, {Host: "helloworld", Subset: "v2", Weight: 30}}}}},
		{k.AuthorizationPolicies, []evidence.AuthorizationPolicy{{Object: o, Action: "DENY", Selector: map[string]string{"version": "v2"}}}},
	} {
		if !reflect.DeepEqual(tc.got, tc.want) {
			t.Errorf("rules %+v, want %+v", tc.got, tc.want)
		}
	}
}

func TestServersOf(t *testing.T) {
	for _, tc := range []struct{ name, kubeconfig, server, problem string }{
		{"loopback", kubeconfig("https://127.0.0.1:6443"), "https://127.0.0.1:6443", ""},
		{"with a user in the URL", kubeconfig("https://" + canary + ":x@10.9.9.9/path"), "https://10.9.9.9", ""},
		{"no YAML", "clusters: [" + canary, "", "cannot be read"},
		{"another type", "clusters: " + canary, "", "cannot be read"},
		{"empty", "", "", "cannot be read"},
		{"no context", `{"current-context":"` + canary + `"}`, "", "no current context"},
		{"no server", kubeconfig(""), "", "names no server"},
		{"no URL", kubeconfig(canary), "", "no URL"},
	} {
		secret := &corev1.Secret{Data: map[string][]byte{"c2": []byte(tc.kubeconfig)}}
		got := serversOf(secret)
		if len(got) != 1 || got[0].Server != tc.server || !strings.Contains(got[0].Problem, tc.problem) || (tc.problem == "") != (got[0].Problem == "") || strings.Contains(fmt.Sprint(got), canary) {
			t.Errorf("%s: %+v, want server %q, problem %q", tc.name, got, tc.server, tc.problem)
		}
	}
	if got := serversOf(&corev1.Secret{}); len(got) != 1 || got[0].Problem != "it holds no kubeconfig" {
		t.Errorf("an empty secret: %+v", got)
	}
}

func TestComplaints(t *testing.T) {
	for line, want := range map[string]evidence.Complaint{
		`error	kube	watch error in cluster c2: failed to list *v1.Namespace: namespaces is forbidden: User "system:serviceaccount:a:b" cannot list resource`: {Cluster: "c2", Trouble: evidence.Forbidden},
		`watch error in cluster c2: failed to list *v1.Pod: Unauthorized`:                                                                                    {Cluster: "c2", Trouble: evidence.Unauthorized},
		`watch error in cluster a_b.c: Get "https://x": tls: failed to verify certificate: x509: certificate signed by unknown authority`:                    {Cluster: "a_b.c", Trouble: evidence.Untrusted},
		`watch error in cluster c2: dial tcp 127.0.0.1:6443: connect: connection refused`:                                                                    {Cluster: "c2", Trouble: evidence.Unreached},
		`watch error in cluster c2: something else`:                                                                                                          {Cluster: "c2", Trouble: evidence.Unread},
		"2026-09-01T10:00:01Z\terror\tkube\tAdd cluster: create remote cluster failed: kubeconfig: yaml: " + canary + "\tcluster=c2 config=istio-system/x":   {Cluster: "c2", Trouble: evidence.Unusable, Last: time.Date(2026, 9, 1, 10, 0, 1, 0, time.UTC)},
		`{"level":"error","msg":"Add cluster: create remote cluster failed: x","cluster":"c2"}`:                                                              {Cluster: "c2", Trouble: evidence.Unusable},
		`Kubernetes registry for cluster c2 was already replaced, skipping delete.`:                                                                          {Cluster: "c2", Trouble: evidence.Undeleted},
	} {
		want.Count = 1
		if got := parseComplaints([]byte("noise\n" + line + "\nmore")); !reflect.DeepEqual(got, []evidence.Complaint{want}) {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	got := parseMetrics([]byte("# TYPE istiod_managed_clusters gauge\nistiod_managed_clusters{cluster_type=\"remote\"} 1\nistiod_managed_clusters{cluster_type=\"local\"} 1\n" +
		"remote_cluster_sync_timeouts_total{cluster=\"c2\"} 2\nremote_cluster_sync_timeouts_total broken\nother_metric 4\n"))
	want := []evidence.Metric{
		{Name: "istiod_managed_clusters", Labels: map[string]string{"cluster_type": "local"}, Value: 1}, {Name: "istiod_managed_clusters", Labels: map[string]string{"cluster_type": "remote"}, Value: 1},
		{Name: "remote_cluster_sync_timeouts_total", Labels: map[string]string{"cluster": "c2"}, Value: 2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("metrics %+v, want %+v", got, want)
	}
	if parseMetrics(nil) == nil {
		t.Error("metrics that were taken and hold nothing look like metrics that were not taken")
	}
}
