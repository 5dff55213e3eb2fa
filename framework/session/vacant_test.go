package session

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// TestWhoIsThereIsToldFirst: while a run works on its own mesh, or has left one under this id, nobody is told to remove that, and what
// cannot be seen is in nobody's way.
func TestWhoIsThereIsToldFirst(t *testing.T) {
	const remove = "remove what is there"
	for name, tc := range map[string]struct {
		spoil func(*apitest.Server)
		is    error
		says  string
		not   string
	}{
		"another run works": {func(s *apitest.Server) {
			s.Put(t, systemPath, "{metadata: {name: istio-system}}")
			s.Put(t, leasePath, "{metadata: {name: meshproof, namespace: istio-system}, spec: {holderIdentity: run r2 of ann, leaseDurationSeconds: 180, renewTime: '"+
				time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")+"'}}")
		}, lease.ErrHeld, "run r2 of ann", remove},
		"one of this id has left it": {func(s *apitest.Server) {
			s.Put(t, systemPath, "{metadata: {name: istio-system}}")
			s.Put(t, systemPath+"/configmaps/meshproof-run-r1", "{metadata: {name: meshproof-run-r1}, data: {who: ann}}")
		}, mirror.ErrTaken, "cleanup --run-id r1", remove},
		"somebody's mesh": {func(s *apitest.Server) { s.Put(t, systemPath, "{metadata: {name: istio-system}}") }, istio.ErrThere, remove, lease.ErrHeld.Error()},
		"what cannot be seen": {func(s *apitest.Server) {
			s.Fail(http.MethodGet, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", http.StatusForbidden)
		}, cluster.ErrAccess, "CustomResourceDefinition", remove},
	} {
		farm, o := vacant(t)
		tc.spoil(farm.Server("west"))
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		var usage *UsageError
		err = s.Check(t.Context())
		if !errors.As(err, &usage) || !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), tc.not) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
}
