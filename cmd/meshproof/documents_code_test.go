package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A guide to the code that names what was renamed since leads nowhere.
func TestContributingNamesTheCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/contributing.md")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	err = filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		code, err := os.ReadFile(path)
		source.Write(code)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	paths, functions := 0, 0
	for _, m := range regexp.MustCompile("`([A-Za-z./_]+)(\\(\\))?`").FindAllStringSubmatch(string(text), -1) {
		_, name, qualified := strings.Cut(m[1], ".")
		if !qualified || m[2] == "" {
			name = m[1]
		}
		switch {
		case m[2] != "":
			functions++
			if !regexp.MustCompile(`func (\([^)]*\) )?` + name + `\(`).MatchString(source.String()) {
				t.Errorf("there is no function %s", name)
			}
		case strings.Contains(m[1], "/"):
			paths++
			if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
				t.Error(err)
			}
		}
	}
	if paths < 10 || functions < 30 {
		t.Errorf("%d paths and %d functions were found: the test does not see them", paths, functions)
	}
}

// The functions that a list is joined from are the places where one more claim or fault can go.
func TestContributingNamesEveryPlace(t *testing.T) {
	text, err := os.ReadFile("../../docs/contributing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"claim/list.go", "fault/fault.go"} {
		code, err := os.ReadFile(filepath.Join("../../framework", list))
		if err != nil {
			t.Fatal(err)
		}
		joined := regexp.MustCompile(`(?s)return slices\.Concat\((.*?\))\)\n`).FindSubmatch(code)
		if joined == nil {
			t.Fatalf("%s joins nothing", list)
		}
		for _, function := range regexp.MustCompile(`[A-Za-z]+\(\)`).FindAllString(string(joined[1]), -1) {
			if !strings.Contains(string(text), "`"+function+"`") {
				t.Errorf("%s takes %s, which is not named", list, function)
			}
		}
	}
}

func TestArchitectureNamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| L\d \| ([^|]*) \|`).FindAllStringSubmatch(string(text), -1) {
		for _, name := range strings.Split(row[1], ", ") {
			named[strings.Trim(name, "`")] = true
		}
	}
	there := map[string]bool{}
	err = filepath.WalkDir("../../framework", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		name := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../../framework/")
		if filepath.Ext(path) != ".go" || there[name] {
			return err
		}
		if there[name] = true; !named[name] {
			t.Errorf("framework/%s has no row", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range named {
		if !there[name] {
			t.Errorf("there is no package framework/%s", name)
		}
	}
}
