package report

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/report/schematest"
)

const schemaFile = "../../docs/schema/conformance-v1.json"

// valid checks a conformance.yaml against the published schema.
func valid(t *testing.T, document []byte) error {
	t.Helper()
	body, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	return schematest.Check(t, schemaFile, body)
}

func document(t *testing.T, f Findings, run evidence.Run, x Extra) []byte {
	t.Helper()
	text, err := conformance(f, run, x)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConformanceDocumentsAreOfTheSchema(t *testing.T) {
	damaged := copied(t)
	if err := os.Remove(filepath.Join(damaged, evidence.Joined, "west", "kubernetes.json")); err != nil {
		t.Fatal(err)
	}
	withoutIntent := copied(t)
	if err := os.WriteFile(filepath.Join(withoutIntent, evidence.IntentFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]claim.Verdict{recorded: claim.Passed, damaged: claim.Inconclusive, withoutIntent: claim.Inconclusive} {
		f, run, err := JudgeDir(dir)
		if err != nil || f.Verdict != want {
			t.Fatalf("%s: %s, %v; want %s", dir, f.Verdict, err, want)
		}
		if err := valid(t, document(t, f, run, Extra{By: "the nightly job", Where: "runner 7", Tool: "meshproof v1", Left: []string{"a cluster"}})); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	rates := intent.Intent{Alpha: 1e-8}
	if text := string(document(t, Findings{FalseFailRate: 2e-7}, evidence.Run{Intent: rates}, Extra{})); !strings.Contains(text, "\n  alpha: 1.0e-08\n") || !strings.Contains(text, "alseFailRate: 2.0e-07\n") {
		t.Errorf("a rate without a point is no number in YAML 1.1:\n%s", text)
	}
	if err := valid(t, document(t, Judge(evidence.Run{}), evidence.Run{}, Extra{})); err != nil {
		t.Errorf("a run without evidence: %v", err)
	}
}

func TestTheSchemaRefuses(t *testing.T) {
	f, run, err := JudgeDir(recorded)
	if err != nil {
		t.Fatal(err)
	}
	good := string(document(t, f, run, Extra{}))
	for name, tc := range map[string]struct{ from, to string }{
		"an unknown key":          {"runID: ", "who: somebody\nrunID: "},
		"an unknown intent":       {"  fleet: ", "  wish: more\n  fleet: "},
		"a missing verdict":       {"verdict: passed\n", ""},
		"another verdict":         {"verdict: passed\n", "verdict: good\n"},
		"another claim's verdict": {"    mesh: passed\n", "    mesh: good\n"},
		"another version":         {"conformance/v1", "conformance/v2"},
		"no claims":               {"\nclaims:\n", "\nclaims: []\nformer:\n"},
		"a time that is none":     {"began: \"", "began: \"on "},
		"a number as text":        {"samples: 600", "samples: many"},
		"a root of another form":  {"rootSHA256: ", "rootSHA256: sha256:"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(good, tc.from, tc.to, 1)
			if bad == good {
				t.Fatalf("the document has no %q", tc.from)
			}
			if valid(t, []byte(bad)) == nil {
				t.Error("the schema takes it")
			}
		})
	}
}

// A field that is new in the code, and not in the schema, would make every reader refuse the document.
func TestTheSchemaKnowsEveryField(t *testing.T) {
	var full conformanceReport
	schematest.Fill(t, reflect.ValueOf(&full).Elem())
	full.Schema = conformanceSchema
	full.Intent.Mode, full.Intent.Provision, full.Intent.From = intent.Corrected, intent.Supplied, intent.FromExpose
	full.Clusters[0].Root = strings.Repeat("a", 64)
	text, err := yaml.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, text); err != nil {
		t.Error(err)
	}
}
