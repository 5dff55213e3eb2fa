package session

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/release"
)

const (
	deploymentPath = "/apis/apps/v1/namespaces/istio-system/deployments/istiod-r"
	definitionPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io"
	foreignRoot    = "/api/v1/namespaces/web/configmaps/istio-ca-root-cert"
	crossPath      = "/apis/networking.istio.io/v1/namespaces/web/gateways/theirs"
)

// vacant gives two clusters without a mesh, and the options of a run that installs one.
func vacant(t *testing.T) (*apitest.Farm, Options) {
	t.Helper()
	farm, o := meshes(t)
	for _, name := range []string{"east", "west"} {
		s := farm.Server(name)
		for _, path := range s.Paths() {
			if strings.Contains(path, "istio-system") {
				s.Remove(path)
			}
		}
		s.Put(t, "/api/v1/namespaces/web", "{metadata: {name: web}}")
		s.Put(t, "/apis/rbac.authorization.k8s.io/v1/clusterroles/theirs", "{metadata: {name: theirs}}")
	}
	o.From, o.Fleet, o.ProjectNumber = intent.FromInstall, "fleet", "123"
	return farm, o
}

// settled gives a run that has made its homes and holds the leases, and an istioctl that notes what it is given and ends so.
func settled(t *testing.T, o Options, istioctl string) (s *Session, notes string, end context.CancelFunc) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := s.limited(t.Context())
	if err := errors.Join(s.Check(ctx), s.makeHomes(ctx)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	notes = filepath.Join(dir, "notes")
	s.rel = &release.Dir{Path: dir, Istioctl: filepath.Join(dir, "istioctl")}
	if err := os.WriteFile(s.rel.Istioctl, []byte("#!/bin/bash\n{ cat "+ledgerOf(o.dir())+"; echo \"$@\"; cat; } >> "+notes+"\n"+istioctl), 0o755); err != nil {
		t.Fatal(err)
	}
	s.images = &images.Set{Hub: "registry.example/istio", Tag: "v1"}
	return s, notes, cancel
}

// charts puts what istioctl and istiod make on both clusters.
func charts(t *testing.T, farm *apitest.Farm) {
	for _, name := range []string{"east", "west"} {
		for path, text := range map[string]string{
			deploymentPath: "name: istiod-r, namespace: istio-system", definitionPath: "name: gateways.networking.istio.io",
			"/apis/networking.istio.io/v1/namespaces/istio-system/gateways/installed":                              "name: installed, namespace: istio-system",
			"/apis/rbac.authorization.k8s.io/v1/clusterroles/istiod-clusterrole-r-istio-system":                    "name: istiod-clusterrole-r-istio-system",
			"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/istiod-clusterrole-r-istio-system":             "name: istiod-clusterrole-r-istio-system",
			"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-revision-tag-default":       "name: istio-revision-tag-default",
			"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/istio-validator-r-istio-system": "name: istio-validator-r-istio-system",
		} {
			farm.Server(name).Put(t, path, "{metadata: {"+text+", labels: {install.operator.istio.io/owning-resource: control-plane}}, spec: {group: networking.istio.io, names: {kind: Gateway}}}")
		}
		for _, spread := range []string{"istio-ca-root-cert", "istio-ca-crl"} {
			farm.Server(name).Put(t, path.Dir(foreignRoot)+"/"+spread, "{metadata: {name: "+spread+", namespace: web, labels: {istio.io/config: 'true'}}}")
		}
	}
}

// unsaid is told what stays where a test does not look at that.
func unsaid(string) {}

func paths(farm *apitest.Farm) []string {
	return slices.Concat(farm.Server("east").Paths(), farm.Server("west").Paths())
}

// inSystem takes away what is in istio-system when that goes, as an API server does and the one in memory does not.
func inSystem(all []string) []string {
	return slices.DeleteFunc(all, func(p string) bool { return strings.Contains(p, "/namespaces/istio-system/") })
}

// TestInstallLeavesNothing: whoever removes, and however far the run has come, the clusters hold what they held before.
func TestInstallLeavesNothing(t *testing.T) {
	here := func(s *Session, _ Options) error { return s.remove(t.Context()) }
	down := func(s *Session, o Options) error {
		return errors.Join(s.ledger.Close(), Down(t.Context(), o.StateDir, o.RunID, unsaid))
	}
	elsewhere := func(s *Session, o Options) error {
		there, err := LookElsewhere(t.Context(), o.Targets)
		if err != nil {
			return err
		}
		for _, one := range there.Runs("") {
			if !one.Alive {
				t.Errorf("run %s holds the lease of %s, and is not told to be alive", one.Run, one.Cluster)
			}
		}
		return errors.Join(s.releaseLeases(t.Context()), there.Remove(t.Context(), o.RunID, o.Namespace, unsaid)) // the lease of a killed run would be over
	}
	for name, end := range map[string]func(*Session, Options) error{"the run itself": here, "down": down, "from another machine": elsewhere} {
		for _, stage := range []string{"settled", "killed in the installation", "installed"} {
			farm, o := vacant(t)
			before := paths(farm)
			script := ""
			if stage == "killed in the installation" {
				script = "exit 1"
			}
			s, _, cancel := settled(t, o, script)
			if stage != "settled" {
				charts(t, farm)
				if err := s.install(t.Context()); (err != nil) != (script != "") {
					t.Fatalf("%s, %s: %v", name, stage, err)
				}
				for _, cluster := range []string{"east", "west"} {
					if marked := farm.Server(cluster).Get(definitionPath).GetLabels()["meshproof.dev/run"] == "r1"; marked != (script == "") {
						t.Errorf("%s: marked: %t", stage, marked)
					}
				}
			}
			if err := end(s, o); err != nil {
				t.Errorf("%s, %s: %v", name, stage, err)
			}
			if after := inSystem(paths(farm)); !slices.Equal(before, after) {
				t.Errorf("%s, %s: before %q, after %q", name, stage, before, after)
			}
			if err := s.releaseLeases(t.Context()); err != nil {
				t.Error(err)
			}
			cancel()
		}
	}
}

// TestInstallIsNotedBefore: when istioctl runs, the ledger and its copy name the control plane, and istioctl gets what it gets on kind.
func TestInstallIsNotedBefore(t *testing.T) {
	farm, o := vacant(t)
	s, notes, cancel := settled(t, o, "")
	defer cancel()
	if err := s.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	text := string(said)
	at := func(part string) int { return strings.Index(text, part) }
	if at(`"name":"control-plane"`) < 0 || at(`"name":"control-plane"`) > at("install -y -f -") {
		t.Errorf("the ledger does not name the control plane before: %s", text)
	}
	for _, want := range []string{"hub: registry.example/istio", "clusterName: cn-fleet-global-one", "clusterName: cn-fleet-global-two", "network: network1", "network: network2", "--context east", "meshID: proj-123"} {
		if at(want) < 0 {
			t.Errorf("istioctl was not given %q: %s", want, text)
		}
	}
	copied, _ := farm.Server("west").Get(systemPath + "/configmaps/meshproof-run-r1").Object["data"].(map[string]any)
	for _, want := range []string{`"name":"control-plane"`, `"kind":"Namespace","name":"istio-system"`} {
		if text, _ := copied["ledger.json"].(string); !strings.Contains(text, want) {
			t.Errorf("the copy does not name %s: %s", want, text)
		}
	}
	if err := s.remove(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHomesAreWholeOrNothing: where one cluster has a home of somebody's by now, the other keeps none of the run's, and somebody's
// stays.
func TestHomesAreWholeOrNothing(t *testing.T) {
	farm, o := vacant(t)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := s.limited(t.Context())
	defer cancel()
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	farm.Server("west").Put(t, systemPath, "{metadata: {name: istio-system}}")
	before := paths(farm)
	var usage *UsageError
	if err := s.makeHomes(ctx); !errors.As(err, &usage) || !strings.Contains(err.Error(), "cluster two") {
		t.Errorf("%v, want a usage error", err)
	}
	if after := paths(farm); !slices.Equal(before, after) || len(s.ledger.Remaining()) != 0 {
		t.Errorf("before %q, after %q, noted %v", before, after, s.ledger.Remaining())
	}
}

// TestAHomeWithoutACopyIsFound: a run that was killed between making its home and the first copy of its ledger is known elsewhere, and
// a namespace of somebody else's is none.
func TestAHomeWithoutACopyIsFound(t *testing.T) {
	for metadata, want := range map[string]int{
		"labels: {meshproof.dev/run: r1}, annotations: {meshproof.dev/home-of: ann@there}": 1,
		"labels: {meshproof.dev/run: r1}":                                                  0, // a kind cluster's
		"annotations: {meshproof.dev/home-of: ann@there}":                                  0,
	} {
		farm, o := vacant(t)
		farm.Server("west").Put(t, systemPath, "{metadata: {name: istio-system, "+metadata+"}}")
		there, err := LookElsewhere(t.Context(), o.Targets)
		if err != nil || len(there.Runs("")) != want {
			t.Fatalf("%s: %v, %v", metadata, there.Runs(""), err)
		}
		if want == 0 {
			continue
		}
		if err := there.Remove(t.Context(), "r1", "", unsaid); err != nil || farm.Server("west").Get(systemPath) != nil {
			t.Errorf("%s: %v", metadata, err)
		}
	}
}

// TestWhatIsSomebodysKeepsTheMesh: nothing goes while another's object would go with it, or another run has left something.
func TestWhatIsSomebodysKeepsTheMesh(t *testing.T) {
	for says, spoil := range map[string]func(*apitest.Server){
		"Gateway web/theirs on cluster one would go with the definition": func(s *apitest.Server) {
			s.Put(t, crossPath, "{metadata: {name: theirs, namespace: web}}")
		},
		"another run has left something there": func(s *apitest.Server) {
			s.Put(t, systemPath+"/configmaps/meshproof-run-r2", "{metadata: {name: meshproof-run-r2, labels: {meshproof.dev/run: r2}}, data: {ledger.json: '[]'}}")
		},
		"Forbidden": func(s *apitest.Server) { s.Fail(http.MethodDelete, deploymentPath, http.StatusForbidden) },
	} {
		farm, o := vacant(t)
		s, _, cancel := settled(t, o, "")
		charts(t, farm)
		if err := s.install(t.Context()); err != nil {
			t.Fatal(err)
		}
		spoil(farm.Server("east"))
		err := s.remove(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
		left := slices.DeleteFunc(s.ledger.Remaining(), func(e ledger.Entry) bool { return e.Cluster == "one" })
		if farm.Server("east").Get(systemPath) == nil || farm.Server("east").Get(deploymentPath) == nil || farm.Server("east").Get(definitionPath) == nil || farm.Server("west").Get(systemPath) != nil || len(left) != 0 {
			t.Errorf("%s: east %q, west %q, noted %v", says, farm.Server("east").Paths(), farm.Server("west").Paths(), left)
		}
		cancel()
	}
}

// TestDownGoesOnWithoutAPlaceForALease: a removal that was ended while istio-system went is finished, though nothing can be held there.
func TestDownGoesOnWithoutAPlaceForALease(t *testing.T) {
	farm, o := vacant(t)
	before := paths(farm)
	s, _, cancel := settled(t, o, "")
	defer cancel()
	if err := errors.Join(s.releaseLeases(t.Context()), s.ledger.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"east", "west"} {
		for _, at := range farm.Server(name).Paths() {
			if strings.Contains(at, "/istio-system") {
				farm.Server(name).Remove(at)
			}
		}
		farm.Server(name).Fail(http.MethodPost, path.Dir(leasePath), http.StatusNotFound)
	}
	if err := Down(t.Context(), o.StateDir, o.RunID, unsaid); err != nil || !slices.Equal(before, paths(farm)) {
		t.Errorf("%v, left %q", err, paths(farm))
	}
}
