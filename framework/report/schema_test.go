package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

const schemaFile = "../../docs/schema/conformance-v1.json"

// valid checks a conformance.yaml against the published schema.
func valid(t *testing.T, document []byte) error {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("conformance.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("conformance.json")
	if err != nil {
		t.Fatal(err)
	}
	body, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return compiled.Validate(value)
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
		if err := valid(t, document(t, f, run, Extra{Left: []string{"a cluster"}})); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
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
	fill(t, reflect.ValueOf(&full).Elem(), "")
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

// fill gives every field a value that is not empty.
func fill(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *claim.Verdict:
		*x = claim.Skipped
		return
	case *claim.Level:
		*x = claim.Core
		return
	case *time.Time:
		*x = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), name)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(t, value, name)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), value)
	case reflect.String:
		v.SetString(fmt.Sprintf("a value of %s", name))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		t.Fatalf("field %s is of kind %s, which this test cannot fill", name, v.Kind())
	}
}
