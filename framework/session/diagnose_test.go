package session

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/diagnose"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/leak"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/packed/packedtest"
)

// TestASetUpThatFailsIsExplained: whatever the clusters hold when it fails is saved once, and nothing where the input was refused or
// somebody ended the run.
func TestASetUpThatFailsIsExplained(t *testing.T) {
	failed := errors.New("the gateway has no address")
	over, end := context.WithCancel(t.Context())
	end()
	for name, tc := range map[string]struct {
		ctx     context.Context
		err     error
		already bool
		saved   bool
	}{
		"failed":         {t.Context(), failed, false, true},
		"failed and was": {t.Context(), failed, true, false},
		"refused":        {t.Context(), &UsageError{failed}, false, false},
		"interrupted":    {over, failed, false, false},
		"well":           {t.Context(), nil, false, false},
	} {
		_, o := meshes(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		s.diagnosed = tc.already
		if got := s.explained(tc.ctx, tc.err); !errors.Is(got, tc.err) {
			t.Errorf("%s: %v", name, got)
		}
		for _, cluster := range []string{"one", "two"} {
			dir := filepath.Join(o.ReportDir, DiagnosticsDir, cluster)
			if _, err := os.Stat(dir); (err == nil) != tc.saved {
				t.Errorf("%s: diagnostics of cluster %s: %v", name, cluster, err)
			}
			if !tc.saved {
				continue
			}
			for file, want := range map[string]string{"objects.json": "istiod-r", "pods.yaml": "istio-system/istiod", diagnose.ErrorsFile: "istiod: read istiod on cluster " + cluster} {
				if text := packedtest.Read(t, filepath.Join(dir, file)); !strings.Contains(text, want) {
					t.Errorf("%s: %s of cluster %s lacks %q: %s", name, file, cluster, want, text)
				}
			}
		}
	}
}

// TestASetUpThatTookTooLongIsExplained: its own limit ends a set-up, and not what is saved of it.
func TestASetUpThatTookTooLongIsExplained(t *testing.T) {
	for name, bring := range map[string]func(*Session, context.Context) error{"provisioned": (*Session).Provision, "to stand": (*Session).Stand} {
		_, o := meshes(t)
		o.Timeout = 1
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := bring(s, t.Context()); err == nil || !strings.Contains(err.Error(), "--timeout") {
			t.Errorf("%s: %v", name, err)
		}
		if text := packedtest.Read(t, filepath.Join(o.ReportDir, DiagnosticsDir, "one", "objects.json")); !strings.Contains(text, "istiod-r") {
			t.Errorf("%s: saved %s", name, text)
		}
	}
}

// TestDisruptionsAreExplainedBeforeTheSampleGoes: diagnostics are saved at once where one went unnoticed or could not be undone, and
// nothing where there was none, all was as it must be, or somebody ended the run.
func TestDisruptionsAreExplainedBeforeTheSampleGoes(t *testing.T) {
	healthy, err := evidence.Load("../claim/testdata/healthy")
	if err != nil {
		t.Fatal(err)
	}
	stuck := errors.New("the policy could not be deleted")
	over, end := context.WithCancel(t.Context())
	end()
	const id = "wrong-revision"
	for name, tc := range map[string]struct {
		ctx     context.Context
		done    []string
		noticed bool
		err     error
		saved   bool
	}{
		"it went unnoticed": {t.Context(), []string{id}, false, nil, true},
		"it was not undone": {t.Context(), []string{id}, true, stuck, true},
		"it was noticed":    {t.Context(), []string{id}, true, nil, false},
		"nothing was done":  {t.Context(), nil, false, nil, false},
		"interrupted":       {over, []string{id}, false, nil, false},
	} {
		_, o := meshes(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		s.intent, s.steps = healthy.Intent, healthy.Steps
		s.intent.Disruptions, s.intent.DisruptionSamples = tc.done, healthy.Intent.Samples
		s.folder = savedEpochs(t, healthy, evidence.Joined, evidence.Broken(id), evidence.Repaired(id))
		if tc.noticed {
			if err := s.folder.SaveCluster(evidence.Broken(id), "west", withWrongRevision(t)); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.disruptionsExplained(tc.ctx, tc.err); !errors.Is(got, tc.err) {
			t.Errorf("%s: %v", name, got)
		}
		if _, err := os.Stat(filepath.Join(o.ReportDir, DiagnosticsDir, "one")); (err == nil) != tc.saved || s.diagnosed != tc.saved {
			t.Errorf("%s: diagnostics are there: %v, noted: %t", name, err, s.diagnosed)
		}
	}
}

// withWrongRevision is cluster west as it looks when its namespace has the label of a revision that is not there, and the sample's pods
// were made anew.
func withWrongRevision(t *testing.T) *evidence.Cluster {
	t.Helper()
	healthy, err := evidence.Load("../claim/testdata/healthy")
	if err != nil {
		t.Fatal(err)
	}
	west := healthy.Cluster(evidence.Joined, "west")
	for _, n := range west.Kubernetes.Namespaces {
		if n.Name == healthy.Intent.Namespace() {
			n.Labels["istio.io/rev"] = "not-there"
		}
	}
	for i, p := range west.Kubernetes.Pods {
		if p.Namespace == healthy.Intent.Namespace() {
			west.Kubernetes.Pods[i].Containers = slices.DeleteFunc(p.Containers, func(c evidence.Container) bool { return c.Name == "istio-proxy" })
		}
	}
	return west
}

// TestDiagnosticsHoldNothingSecret: keys and kubeconfigs in secrets, an environment, and what annotations repeat of them are in the
// clusters, and not in what is saved of these.
func TestDiagnosticsHoldNothingSecret(t *testing.T) {
	farm, o := meshes(t)
	east := farm.Server("east")
	key := base64.StdEncoding.EncodeToString([]byte(apitest.Canary))
	east.Put(t, systemPath+"/secrets/cacerts", "{metadata: {name: cacerts, namespace: istio-system}, data: {ca-key.pem: "+key+"}}")
	for name, kubeconfig := range map[string]string{"whole": farm.Kubeconfig("west", "west"), "broken": "token: " + apitest.Canary + "\n\t-"} {
		east.Put(t, systemPath+"/secrets/"+name, "{metadata: {name: "+name+", namespace: istio-system, labels: {istio/multiCluster: 'true'}, annotations: {note.istio.io/x: '{"+apitest.Canary+"}'}}, "+
			"data: {west: "+base64.StdEncoding.EncodeToString([]byte(kubeconfig))+"}}")
	}
	spec := "{containers: [{name: discovery, image: i, args: [" + apitest.Canary + "], env: [{name: TOKEN, value: " + apitest.Canary + "}]}]}"
	annotated := "namespace: istio-system, annotations: {kubectl.kubernetes.io/last-applied-configuration: " + apitest.Canary + "}, labels: {app: istiod}"
	east.Put(t, systemPath+"/pods/istiod-r-1", "{metadata: {name: istiod-r-1, "+annotated+"}, spec: "+spec+", status: {phase: Running}}")
	east.Put(t, "/apis/apps/v1/namespaces/istio-system/deployments/istiod-x", "{metadata: {name: istiod-x, "+annotated+"}, spec: {template: {spec: "+spec+"}}}")
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.explained(t.Context(), errors.New("the gateway has no address"))
	dir := filepath.Join(o.ReportDir, DiagnosticsDir)
	text := packedtest.Read(t, filepath.Join(dir, "one", "objects.json"))
	for _, seen := range []string{`"whole"`, `"broken"`, "istiod-r-1", "istiod-x", "west.example.com"} {
		if !strings.Contains(text, seen) {
			t.Errorf("%s was not looked at: %s", seen, text)
		}
	}
	if leaks, files, err := leak.Search(dir, map[string]string{"canary": apitest.Canary}); err != nil || len(leaks) != 0 || files < 4 {
		t.Errorf("of %d files: %+v, %v", files, leaks, err)
	}
}
