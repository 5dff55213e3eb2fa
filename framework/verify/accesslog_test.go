package verify

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/poll"
)

// TestALogThatCannotBeReadIsNotAwaited: the first look at it ends the wait, and the evidence says why lines are missing.
func TestALogThatCannotBeReadIsNotAwaited(t *testing.T) {
	const pods, log = "/api/v1/namespaces/sample/pods", "/api/v1/namespaces/sample/pods/hw/log"
	for name, tc := range map[string]struct {
		spoil func(*apitest.Server)
		says  string
	}{
		"the pods cannot be listed": {func(s *apitest.Server) { s.Fail(http.MethodGet, pods, http.StatusForbidden) }, "list pods"},
		"the log is refused":        {func(s *apitest.Server) { s.Fail(http.MethodGet, log, http.StatusForbidden) }, "read the access log of sample/hw on cluster west"},
		"the log ends":              {func(s *apitest.Server) { s.Put(t, log, "{metadata: {name: log}}") }, "it ended while it was followed"},
	} {
		server := apitest.New(t)
		server.Put(t, pods+"/hw", "{metadata: {name: hw, namespace: sample, labels: {app: helloworld}}, status: {phase: Running}}")
		tc.spoil(server)
		o := Options{Set: cluster.Set{server.Cluster(t, "west")}, Intent: intent.Intent{Clusters: []intent.Cluster{{Name: "west", Version: "v2"}}}}
		looks := 0
		ctx := poll.Observe(t.Context(), func(_ poll.Wait, look *poll.Look) {
			if look != nil {
				looks++
			}
		})
		logs, stop := follow(ctx, o, "r-1", time.Now())
		logs["west"].Wait() // nothing is read any more
		measured := map[string]*evidence.Traffic{"west": {Replies: []evidence.Reply{{Number: 1, Version: "v2"}}}}
		accessLogs(ctx, o, measured, logs)
		stop()
		if got := measured["west"]; looks != 1 || !strings.Contains(got.AccessLogError, tc.says) || len(got.AccessLog) != 0 {
			t.Errorf("%s: after %d looks: %+v", name, looks, got)
		}
	}
}
