package session

import (
	"errors"
	"net/http"
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
			if err == nil || !strings.Contains(err.Error(), "remove Namespace istio-system on cluster one: it holds what the run did not make: Deployment istio-system/ingress: ") ||
				!strings.Contains(err.Error(), "(KUBECONFIG="+s.set[0].Kubeconfig+" kubectl --context "+s.set[0].Context+" label namespace istio-system meshproof.dev/run-)") {
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

// TestWhatCannotBeListedKeepsTheHome: a kind that the cluster cannot list (its conversion webhook is down), or that may not be listed,
// counts as somebody's: it keeps istio-system, and is named. What the run had in there goes, and the rest once it can be seen.
func TestWhatCannotBeListedKeepsTheHome(t *testing.T) {
	const monitors, quotas = "/apis/monitoring.coreos.com/v1/namespaces/istio-system/podmonitors", systemPath + "/resourcequotas"
	const account, defined = systemPath + "/serviceaccounts/istiod-r", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/podmonitors.monitoring.coreos.com"
	for at, tc := range map[string]struct {
		status     int
		kind, says string
	}{
		monitors: {http.StatusInternalServerError, "PodMonitor", "Internal Server Error"},
		quotas:   {http.StatusForbidden, "ResourceQuota", "see what is needed with meshproof rbac"},
	} {
		farm, o := vacant(t)
		s, _, cancel := settled(t, o, "")
		charts(t, farm)
		if err := s.install(t.Context()); err != nil {
			t.Fatal(err)
		}
		east := farm.Server("east")
		east.Put(t, defined, "{metadata: {name: podmonitors.monitoring.coreos.com}, spec: {group: monitoring.coreos.com, names: {kind: PodMonitor}}}")
		east.Put(t, account, "{metadata: {name: istiod-r, namespace: istio-system, labels: {install.operator.istio.io/owning-resource: control-plane}}}")
		east.Fail(http.MethodGet, at, tc.status)
		err := s.remove(t.Context())
		for _, want := range []string{"remove Namespace istio-system on cluster one: it may hold what the run did not make", "list " + tc.kind, "in namespace istio-system on cluster one", tc.says,
			"what the run had in it is removed", "label namespace istio-system meshproof.dev/run-)"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", at, err, want)
			}
		}
		if east.Get(systemPath) == nil || east.Get(account) != nil || farm.Server("west").Get(systemPath) != nil || len(s.ledger.Remaining()) != 1 {
			t.Errorf("%s: %q, %v", at, east.Paths(), s.ledger.Remaining())
		}
		east.Fail(http.MethodGet, at, 0)
		if err := s.remove(t.Context()); err != nil || east.Get(systemPath) != nil {
			t.Errorf("%s: %v, %q", at, err, east.Paths())
		}
		cancel()
	}
}

// TestAnotherControlPlaneKeepsWhatItUses: somebody's istiod, of another namespace, revision or kind of installation, keeps istiod's roots,
// the definitions and their own objects, and so does a webhook alone. The run's own control plane goes, and who removes is told.
func TestAnotherControlPlaneKeepsWhatItUses(t *testing.T) {
	const webhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
	const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
	for at, metadata := range map[string]string{
		"/apis/apps/v1/namespaces/istio-two/deployments/istiod":     "name: istiod, namespace: istio-two, labels: {app: istiod}",
		"/apis/apps/v1/namespaces/istio-three/deployments/istiod":   "name: istiod, namespace: istio-three, labels: {app: istiod, install.operator.istio.io/owning-resource: control-plane}",
		"/apis/apps/v1/namespaces/istio-system/deployments/istiod2": "name: istiod2, namespace: istio-system, labels: {app: istiod, istio.io/rev: two}",
		webhooks + "istiod-asm-managed":                             "name: istiod-asm-managed, labels: {app: sidecar-injector}",
	} {
		farm, o := vacant(t)
		s, _, cancel := settled(t, o, "")
		charts(t, farm)
		if err := s.install(t.Context()); err != nil {
			t.Fatal(err)
		}
		east, west := farm.Server("east"), farm.Server("west")
		east.Put(t, at, "{metadata: {"+metadata+"}}")
		east.Put(t, crossPath, "{metadata: {name: theirs, namespace: web}}")
		east.Put(t, roles+"istiod-theirs", "{metadata: {name: istiod-theirs}}")
		left, err := s.removeUnlessKept(t.Context(), "")
		if inHome := strings.Contains(at, "/istio-system/"); (err != nil) != inHome {
			t.Errorf("%s: %v", at, err)
		}
		for path, stays := range map[string]bool{at: true, crossPath: true, foreignRoot: true, definitionPath: true, roles + "istiod-theirs": true, deploymentPath: false,
			roles + "istiod-clusterrole-r-istio-system": false, webhooks + "istio-revision-tag-default": false} {
			if (east.Get(path) != nil) != stays {
				t.Errorf("%s: %s is there: %t", at, path, !stays)
			}
		}
		if west.Get(definitionPath) != nil || west.Get(foreignRoot) != nil {
			t.Errorf("%s: west keeps %q", at, west.Paths())
		}
		if said := strings.Join(left, "\n"); strings.Count(said, "another control plane is on cluster") != 1 || !strings.Contains(said, "on cluster one (") || !strings.Contains(said, at[strings.LastIndexByte(at, '/')+1:]) {
			t.Errorf("%s: told %q", at, left)
		}
		cancel()
	}
}

// heeding keeps the notes that it is told.
type heeding struct {
	silent
	notes *Kept
}

// Note keeps one.
func (h heeding) Note(what string) { h.notes.Add(what) }

// TestNobodysRoleGoesBesideAnother: what the run has not come to mark is known by its time only while nobody else installs an Istio. A
// command that has no outcome notes what stays.
func TestNobodysRoleGoesBesideAnother(t *testing.T) {
	const role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/istiod-theirs"
	for _, another := range []bool{false, true} {
		farm, o := vacant(t)
		var notes Kept
		o.Tell = heeding{notes: &notes}
		s, _, cancel := settled(t, o, "")
		charts(t, farm)
		if err := s.install(t.Context()); err != nil {
			t.Fatal(err)
		}
		east := farm.Server("east")
		east.Put(t, role, "{metadata: {name: istiod-theirs, labels: {install.operator.istio.io/owning-resource: control-plane}}}")
		if another {
			east.Put(t, "/apis/apps/v1/namespaces/istio-two/deployments/istiod", "{metadata: {name: istiod, namespace: istio-two, labels: {app: istiod}}}")
		}
		err := s.Abandon(t.Context())
		if told := strings.Contains(strings.Join(notes.All(), "\n"), "another control plane is on cluster one"); told != another {
			t.Errorf("another %t: noted %q", another, notes.All())
		}
		if (err != nil) != another || (east.Get(role) != nil) != another || another && !strings.Contains(err.Error(), "ClusterRole istiod-theirs on cluster one is not known to be") {
			t.Errorf("another %t: %v, %q", another, err, east.Paths())
		}
		cancel()
	}
}
