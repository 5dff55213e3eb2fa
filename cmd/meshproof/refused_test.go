package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/session"
)

// TestARefusalSaysWhatIsLeft: where a run is refused on one cluster, and the lease that it took on the other cannot be given back, both
// are said.
func TestARefusalSaysWhatIsLeft(t *testing.T) {
	const leases = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases"
	w := newWorld(t)
	w.farm.Server("west").Fail(http.MethodPost, leases, http.StatusForbidden)
	w.farm.Server("east").Fail(http.MethodDelete, leases+"/meshproof", http.StatusForbidden)
	c := runWith(session.Options{Limits: session.DefaultLimits()})
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(append([]string{"--quiet"}, strings.Fields(both)...))
	err := c.ExecuteContext(context.Background())
	if codeFor(err) != exitcode.Usage {
		t.Fatalf("%v: exit code %d", err, codeFor(err))
	}
	for _, says := range []string{"take Lease istio-system/meshproof on cluster cluster-2", "give back Lease istio-system/meshproof on cluster cluster-1"} {
		if strings.Count(err.Error(), says) != 1 {
			t.Errorf("%v, want one %q", err, says)
		}
	}
}
