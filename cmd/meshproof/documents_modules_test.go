package main

import (
	"maps"
	"os"
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
