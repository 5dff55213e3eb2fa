package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
	"sigs.k8s.io/yaml"
)

// makeTargets are those of the Makefile that `make help` tells.
func makeTargets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	return all
}

// called checks the words of one command: that its make target, or its command and flags, are there. A command of another
// program is none of ours.
func called(targets, words []string) (ours bool, err error) {
	switch {
	case len(words) == 0:
		return false, nil
	case words[0] == "make":
		return true, calledMake(targets, words[1:])
	case words[0] == "meshproof" || words[0] == "bin/meshproof":
		return true, calledProgram(words[1:])
	}
	return false, nil
}

func calledMake(targets, words []string) error {
	for _, w := range words {
		name, value, isVariable := strings.Cut(w, "=")
		if !isVariable && !slices.Contains(targets, w) {
			return fmt.Errorf("make has no target %q", w)
		}
		if isVariable && name == "ARGS" {
			if err := calledProgram(append([]string{"run"}, strings.Fields(value)...)); err != nil {
				return err
			}
		}
	}
	return nil
}

func calledProgram(words []string) error {
	c, rest, err := root().Find(words)
	if err != nil || c.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("there is no command %q", strings.Join(words, " "))
	}
	for _, w := range words {
		name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
		switch {
		case strings.HasPrefix(w, "--") && c.Flag(name) == nil && name != "help":
			return fmt.Errorf("%s has no flag --%s", c.CommandPath(), name)
		case strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && c.Flags().ShorthandLookup(name) == nil:
			return fmt.Errorf("%s has no flag -%s", c.CommandPath(), name)
		}
	}
	return nil
}

// words are a shell's words of each command in a script, quotes and all expansions kept as they are written.
func words(script string) ([][]string, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, err
	}
	var all [][]string
	syntax.Walk(file, func(n syntax.Node) bool {
		call, is := n.(*syntax.CallExpr)
		if !is {
			return true
		}
		var one []string
		for _, w := range call.Args {
			one = append(one, strings.ReplaceAll(script[w.Pos().Offset():w.End().Offset()], `"`, ""))
		}
		all = append(all, one)
		return true
	})
	return all, nil
}

// texts are the strings in a YAML document.
func texts(node any) []string {
	var all []string
	switch x := node.(type) {
	case string:
		all = append(all, x)
	case []any:
		for _, v := range x {
			all = append(all, texts(v)...)
		}
	case map[string]any:
		for _, v := range x {
			all = append(all, texts(v)...)
		}
	}
	return all
}

func TestCIExamplesCallWhatThereIs(t *testing.T) {
	targets := makeTargets(t)
	for _, file := range []string{"github-actions.yaml", "gitlab-ci.yaml", "prow.yaml"} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../../docs/ci", file))
			if err != nil {
				t.Fatal(err)
			}
			var document map[string]any
			if err := yaml.UnmarshalStrict(text, &document); err != nil {
				t.Fatal(err)
			}
			conformance := false
			for _, script := range texts(document) {
				commands, err := words(script)
				if err != nil && strings.Contains(script, "make ") {
					t.Errorf("%q is no shell script: %v", script, err)
				}
				for _, c := range commands {
					if _, err := called(targets, c); err != nil {
						t.Errorf("%q: %v", script, err)
					}
					conformance = conformance || len(c) > 1 && c[0] == "make" && c[1] == "conformance"
				}
			}
			if !conformance {
				t.Error("the example never calls make conformance")
			}
		})
	}
}

// TestTheProwExampleHasAVolumeForTheEngine: the pod's own file system is an overlay, on which no engine can keep its data.
func TestTheProwExampleHasAVolumeForTheEngine(t *testing.T) {
	script, err := os.ReadFile("../../scripts/engine")
	if err != nil {
		t.Fatal(err)
	}
	state := regexp.MustCompile(`(?m)^readonly STATE=\$ROOT(/\S+)`).FindSubmatch(script)
	text, err := os.ReadFile("../../docs/ci/prow.yaml")
	if err != nil || state == nil {
		t.Fatalf("the engine's directory is %q, error %v", state, err)
	}
	if mount := "mountPath: " + string(state[1]) + "\n"; !strings.Contains(string(text), mount) {
		t.Errorf("docs/ci/prow.yaml has no %q, where scripts/engine keeps the data of the engine that it installs", mount)
	}
}

// Commands in the documents: a line of a block, or code within a sentence. What stands in brackets may be left out, and "|"
// separates choices; for this test all of it is there.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	targets := makeTargets(t)
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?m)`([^`\n]*(?:\n[^`\n]+)?)`|^    (.*)$")
	checked := 0
	for _, file := range append(files, "../../README.md", "../../CHANGELOG.md", "../../SECURITY.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			command, _, _ := strings.Cut(strings.NewReplacer("[", " ", "]", " ", "'", "", "...", "").Replace(m[1]+m[2]), " #")
			command, _, _ = strings.Cut(command, " > ")
			ours, err := called(targets, fields(command))
			if err != nil {
				t.Errorf("%s: %q: %v", file, command, err)
			}
			if ours {
				checked++
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d commands were found in the documents: the test does not see them", checked)
	}
}

// fields splits at spaces outside quotes.
func fields(command string) []string {
	quoted := false
	all := strings.FieldsFunc(command, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\n' || r == ',' || r == ';')
	})
	for i, f := range all {
		all[i] = strings.ReplaceAll(f, `"`, "")
	}
	return all
}

// A checker that takes everything would let the documents say anything.
func TestWhatIsNotThereIsFound(t *testing.T) {
	targets := makeTargets(t)
	for command, want := range map[string]string{
		"make conformance":                         "",
		`make conformance ARGS="--samples 60"`:     "",
		"make conform":                             "no target",
		`make conformance ARGS="--sample-size 60"`: "no flag --sample-size",
		"meshproof run --disruptive=false":         "",
		"bin/meshproof run --quietly":              "no flag --quietly",
		"meshproof version -o json":                "",
		"meshproof version -x":                     "no flag -x",
		"meshproof runn":                           "no command",
		"meshproof images list --images auto":      "",
		"meshproof report mrge":                    "no command",
		"kubectl runn":                             "",
	} {
		if _, err := called(targets, fields(command)); (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", command, err, want)
		}
	}
}
