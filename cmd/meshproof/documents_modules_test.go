package main

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestDependenciesHasARowForEveryModule: each direct requirement of go.mod, and no other module.
func TestDependenciesHasARowForEveryModule(t *testing.T) {
	text, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(text), "\nThe linter")
	rows := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]*\.[^|]*) \|`).FindAllStringSubmatch(table, -1) {
		for _, name := range strings.Split(row[1], ", ") {
			rows[name] = true
		}
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Require {
		if !r.Indirect && !rows[r.Mod.Path] {
			t.Errorf("docs/dependencies.md has no row for %s, which go.mod requires directly", r.Mod.Path)
		}
		if !r.Indirect {
			delete(rows, r.Mod.Path)
		}
	}
	if len(rows) > 0 {
		t.Errorf("docs/dependencies.md has rows for %v, which go.mod does not require directly", slices.Sorted(maps.Keys(rows)))
	}
}

// TestPackagesImportTheirLayerOrLowerOnes: the layers are those of the table in docs/architecture.md; circles Go itself refuses.
func TestPackagesImportTheirLayerOrLowerOnes(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	layers := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (L\d) \| ([^|]*) \|`).FindAllStringSubmatch(string(text), -1) {
		for _, name := range strings.Split(row[2], ", ") {
			layers[strings.Trim(name, "`")] = row[1]
		}
	}
	checked := 0
	err = filepath.WalkDir("../../framework", func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := inTable(strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../../framework/"))
		for _, spec := range parsed.Imports {
			path, own := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "github.com/meshproof/meshproof/framework/")
			if !own {
				continue
			}
			checked++
			if to := inTable(path); layers[from] == "" || layers[to] == "" || layers[to] > layers[from] {
				t.Errorf("%s, in layer %s, imports %s of layer %s", file, layers[from], to, layers[to])
			}
		}
		return nil
	})
	if err != nil || checked < 100 {
		t.Errorf("%d imports were checked, error %v", checked, err)
	}
}

// inTable is the package that the table names: what is under internal is part of the one above it.
func inTable(pkg string) string {
	above, _, _ := strings.Cut(pkg+"/", "/internal/")
	return strings.TrimSuffix(above, "/")
}
