package intent

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestInNamespace(t *testing.T) {
	for given, want := range map[string]string{"": "", GuideNamespace: "", "ours": "ours"} {
		in := Intent{SampleNamespace: "before"}.InNamespace(given)
		if in.SampleNamespace != want || in.Namespace() == "" || want != "" && in.Namespace() != want {
			t.Errorf("%q: %q, which means %q", given, in.SampleNamespace, in.Namespace())
		}
	}
}

// asName is the guide's namespace as commands, manifests and the mesh write it.
var asName = regexp.MustCompile(`^sample$|-n sample\b|\bns sample\b|\.sample\b|/ns/sample\b|\bnamespaces?[:/] ?"?sample\b`)

// TestTheGuidesNamespaceIsNamedOnce looks through every text of the programs and through the fixtures: where the sample is, the
// intent says.
func TestTheGuidesNamespaceIsNamedOnce(t *testing.T) {
	const root = "../.."
	may := map[string]bool{
		"framework/intent/namespace.go": true, // this is the place
		"framework/progress/event.go":   true, // an event of that name
	}
	looked := 0
	for _, dir := range []string{"framework", "cmd", "suites", "fixtures"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			name, relErr := filepath.Rel(root, path)
			switch {
			case err != nil || relErr != nil || d.IsDir() || may[filepath.ToSlash(name)]:
				return err
			case strings.Contains(name, "claim/internal/example") || strings.Contains(name, "testdata") || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			texts := []string{}
			switch filepath.Ext(name) {
			case ".go":
				texts, err = literals(path)
			case ".yaml":
				if dir == "fixtures" {
					var text []byte
					text, err = os.ReadFile(path)
					texts = append(texts, string(text))
				}
			}
			for _, text := range texts {
				looked++
				if found := asName.FindString(text); found != "" {
					t.Errorf("%s has %q in %q", name, found, text)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 1000 {
		t.Errorf("%d texts were looked at: too few to be all", looked)
	}
}

// literals are the texts in a Go file.
func literals(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				all = append(all, text)
			}
		}
		return true
	})
	return all, nil
}
