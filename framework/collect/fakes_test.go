package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/metadata"

	"github.com/meshproof/meshproof/framework/cluster"
)

// canary stands wherever a secret could be; it must never reach the evidence.
const canary = "canary-5e1f0a"

// apiServer answers requests from a map of paths, as a real API server would: secrets without their data only to a client
// that asks for metadata.
type apiServer struct {
	objects map[string]string
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	body, ok := a.objects[r.URL.Path]
	if strings.HasSuffix(r.URL.Path, "/secrets") {
		if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") {
			body = a.objects["metadata of "+r.URL.Path]
		}
	}
	if selector := r.URL.Query().Get("labelSelector"); selector != "" && ok {
		body = selected(body, selector)
	}
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		body = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","message":"not here","code":404}`
	}
	fmt.Fprint(w, body)
}

// selected keeps the items of a list that carry one label.
func selected(list, selector string) string {
	key, value, _ := strings.Cut(selector, "=")
	var all map[string]any
	if err := json.Unmarshal([]byte(list), &all); err != nil {
		return list
	}
	kept := []any{}
	for _, item := range all["items"].([]any) {
		labels, _ := item.(map[string]any)["metadata"].(map[string]any)["labels"].(map[string]any)
		if labels[key] == value {
			kept = append(kept, item)
		}
	}
	all["items"] = kept
	out, err := json.Marshal(all)
	if err != nil {
		return list
	}
	return string(out)
}

// fakeCluster is a cluster whose API is served by the test, and whose pods answer from a map of "POD COMMAND".
type fakeCluster struct {
	*cluster.Cluster
	answers map[string]string
}

func (f fakeCluster) Exec(_ context.Context, _, pod, _ string, command ...string) (stdout, stderr []byte, err error) {
	body, ok := f.answers[pod+" "+strings.Join(command, " ")]
	if !ok {
		return nil, []byte("first line\nno such page\n"), errors.New("exit 1")
	}
	return []byte(body), []byte("GOMEMLIMIT is set"), nil
}

// open serves the objects and gives a source that reads them.
func open(t *testing.T, api *apiServer, answers map[string]string) source {
	t.Helper()
	c := openCluster(t, api)
	m, err := metadata.NewForConfig(c.Resources().GetConfig())
	if err != nil {
		t.Fatal(err)
	}
	return source{reader: fakeCluster{c, answers}, name: "east", metadata: m, forward: noForwarding{}, execs: make(chan struct{}, 1), limit: DefaultRequest}
}

// noForwarding is a cluster that does not allow it.
type noForwarding struct{}

func (noForwarding) get(_ context.Context, _ corev1.Pod, _ int, paths []string) (bodies [][]byte, errs []error) {
	bodies, errs = make([][]byte, len(paths)), make([]error, len(paths))
	for i := range errs {
		errs[i] = errors.New("forwarding is forbidden")
	}
	return bodies, errs
}

func openCluster(t *testing.T, api http.Handler) *cluster.Cluster {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
		"clusters":[{"name":"x","cluster":{"server":%q}}],"users":[{"name":"x","user":{}}]}`, server.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Open("east", "network1", file, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// list is a list without its kind, which typed clients know by themselves.
func list(items ...string) string {
	return `{"metadata":{},"items":[` + strings.Join(items, ",") + `]}`
}

func podJSON(ns, name, label, container string, env ...string) string {
	key, value, _ := strings.Cut(label, "=")
	return fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q,"labels":{%q:%q,"istio.io/rev":"asm-1232-2"},"creationTimestamp":"2026-09-01T10:00:00Z",
		"annotations":{"kubectl.kubernetes.io/last-applied-configuration":%q,"vault.example.com/token":%q,"sidecar.istio.io/inject":"true",
			"proxy.istio.io/overrides":"{\"containers\":[{\"env\":[{\"value\":\"canary-5e1f0a\"}]}]}"}},
		"spec":{"serviceAccountName":"sa","containers":[{"name":%q,"image":"hub/pilot:1.31","env":[%s]}]},
		"status":{"phase":"Running","podIP":"10.244.0.8","containerStatuses":[{"name":%q,"ready":false,"restartCount":2,"state":{"waiting":{"reason":"Crash","message":"again"}}}]}}`,
		ns, name, key, value, canary, canary, container, strings.Join(env, ","), container)
}
