package session

import (
	"errors"
	"strings"
	"testing"
)

// TestWhatSomebodyPutIntoTheHomeStays: their ingress gateway keeps istio-system, which goes once theirs is gone or is theirs once they
// have taken it over; all that the run had in it is gone at once. Whoever removes is told.
func TestWhatSomebodyPutIntoTheHomeStays(t *testing.T) {
	const ingress, account = "/apis/apps/v1/namespaces/istio-system/deployments/ingress", systemPath + "/serviceaccounts/istiod-r"
	again := map[string]func(s *Session, o Options, stays func(string)) error{
		"down": func(s *Session, o Options, stays func(string)) error {
			return errors.Join(s.ledger.Close(), Down(t.Context(), o.StateDir, o.RunID, stays))
		},
		"from another machine": func(_ *Session, o Options, stays func(string)) error {
			there, err := LookElsewhere(t.Context(), o.Targets)
			if err != nil {
				return err
			}
			return there.Remove(t.Context(), o.RunID, "", stays)
		},
	}
	for who, remove := range again {
		for name, keeps := range map[string]bool{"they remove it": false, "they keep the namespace": true} {
			farm, o := vacant(t)
			s, _, cancel := settled(t, o, "")
			charts(t, farm)
			if err := s.install(t.Context()); err != nil {
				t.Fatal(err)
			}
			east := farm.Server("east")
			east.Put(t, ingress, "{metadata: {name: ingress, namespace: istio-system}}")
			east.Put(t, account, "{metadata: {name: istiod-r, namespace: istio-system, labels: {install.operator.istio.io/owning-resource: control-plane}}}")
			err := s.remove(t.Context())
			if err == nil || !strings.Contains(err.Error(), "remove Namespace istio-system on cluster one: it holds what the run did not make: Deployment istio-system/ingress: ") {
				t.Errorf("%s, %s: %v", who, name, err)
			}
			if east.Get(systemPath) == nil || east.Get(ingress) == nil || east.Get(account) != nil || east.Get(deploymentPath) != nil || farm.Server("west").Get(systemPath) != nil || len(s.ledger.Remaining()) != 1 {
				t.Errorf("%s, %s: %q, %v", who, name, east.Paths(), s.ledger.Remaining())
			}
			if keeps {
				east.Put(t, systemPath, "{metadata: {name: istio-system, labels: {}}}")
			} else {
				east.Remove(ingress)
			}
			var kept Kept
			if err := remove(s, o, kept.Add); err != nil {
				t.Errorf("%s, %s: %v", who, name, err)
			}
			if stays := east.Get(systemPath) != nil; stays != keeps || (east.Get(ingress) != nil) != keeps || len(kept.All()) == 1 != keeps || east.Get(systemPath+"/configmaps/meshproof-run-r1") != nil && keeps {
				t.Errorf("%s, %s: %q, told %q", who, name, east.Paths(), kept.All())
			}
			cancel()
		}
	}
}
