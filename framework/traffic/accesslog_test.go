package traffic

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// TestTheLogIsReadFromBeforeTheCalls: the node stamps its lines with its own clock, which may be behind (preflight lets two minutes pass).
func TestTheLogIsReadFromBeforeTheCalls(t *testing.T) {
	api := apitest.New(t)
	api.Put(t, "/api/v1/namespaces/sample/pods/hw", "{metadata: {name: hw, namespace: sample, labels: {app: helloworld}}, status: {phase: Running}}")
	target, err := url.Parse(api.Cluster(t, "west").Server())
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if since := r.URL.Query().Get("sinceTime"); since != "" {
			asked <- since
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
		"clusters":[{"name":"x","cluster":{"server":%q}}],"users":[{"name":"x","user":{}}]}`, server.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Open("west", "network2", file, "")
	if err != nil {
		t.Fatal(err)
	}
	calls := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	log := Follow(t.Context(), c, "sample", "r-1", calls)
	log.Wait()
	select {
	case since := <-asked:
		if from, err := time.Parse(time.RFC3339, since); err != nil || calls.Sub(from) < 2*time.Minute {
			t.Errorf("the log is asked for from %s, error %v; the calls began at %s", since, err, calls)
		}
	default:
		_, err := log.Lines()
		t.Errorf("the log was not asked for: %v", err)
	}
}

// TestWhyALogEnded: a kubelet that cannot go on says so in the last line.
func TestWhyALogEnded(t *testing.T) {
	const agent, access = "2026-11-30T03:28:59.298566Z\tinfo\tEnvoy proxy is ready\n", `[2026-09-01T10:00:00.000Z] "GET /other HTTP/1.1" 200` + "\n"
	for text, want := range map[string]string{
		"":             "the sidecar was restarted",
		agent + access: "the sidecar was restarted",
		access + agent: "the sidecar was restarted",
		access + "failed to create fsnotify watcher: too many open files": "raise fs.inotify.max_user_instances",
		access + "unable to retrieve container logs":                      "unable to retrieve container logs",
	} {
		l := &Log{lines: map[string][]evidence.LogLine{}}
		odd, err := l.read(strings.NewReader(text), "hw", "r-1")
		if why := endedWith(odd).Error(); err != nil || !strings.Contains(why, want) {
			t.Errorf("%q: %v, %s", text, err, why)
		}
	}
}
