package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// block gives what the first match of a pattern's group is in a file of docs, without the indentation of a block.
func block(t *testing.T, file, pattern string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no %s", file, pattern)
	}
	return regexp.MustCompile(`(?m)^    `).ReplaceAllString(string(m[1]), "")
}

// printedCommands are the commands of the program in a document's blocks, each as its words, without where its output goes. Of choices
// the first is taken. The program is also what `go run ./cmd/meshproof` runs.
func printedCommands(text string) [][]string {
	var all [][]string
	text = strings.NewReplacer("\\\n", " ", "go run ./cmd/meshproof", "meshproof").Replace(text)
	for _, m := range regexp.MustCompile(`(?m)^    (?:bin/)?meshproof (.*)$`).FindAllStringSubmatch(text, -1) {
		command, _, _ := strings.Cut(m[1], " #")
		command, _, _ = strings.Cut(command, " > ")
		var one []string
		for _, w := range strings.Fields(strings.ReplaceAll(command, "'", "")) {
			first, _, _ := strings.Cut(w, "|")
			one = append(one, first)
		}
		all = append(all, one)
	}
	return all
}

// documented is a world with the files that the documents' commands name.
func documented(t *testing.T) *world {
	topology := block(t, "clusters.md", "(?s)```yaml\n(.*?)```")
	settings := block(t, "configuration.md", `(?m)((?:^    [a-z-]+: .*\n)+)`)
	page, err := os.ReadFile("../../framework/guide/testdata/guide-ja.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.write("east.yaml", w.farm.Kubeconfig("east", "admin@east"))
	w.write("clusters.yaml", topology)
	w.write("nightly.yaml", settings)
	w.write("pull/config.json", `{"auths": {"registry.example": {"auth": "YTpi"}}}`)
	w.write("PAGE", string(page))
	w.write("framework/guide/testdata/guide-ja.txt", string(page))
	w.must(os.Symlink("asm", "out"))
	finished("reports/latest", "gateway-address")(w)
	return w
}

// try runs a command that changes nothing, has `run` only look at its input, and reads flags and arguments of the rest.
func (w *world) try(words []string) error {
	c, rest, err := root().Find(words)
	if err != nil {
		return err
	}
	switch c.CommandPath() {
	case "meshproof run":
		out, _, err := w.dryRun(strings.Join(rest, " "))
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	case "meshproof guide", "meshproof guide diff", "meshproof config print":
		if out, code := execute(w.t, words...); code != 0 {
			return fmt.Errorf("exit code %d:\n%s", code, out)
		}
		return nil
	}
	return taken(c, rest)
}

func taken(c *cobra.Command, words []string) error {
	if err := c.ParseFlags(words); err != nil {
		return err
	}
	if err := c.ValidateRequiredFlags(); err != nil {
		return err
	}
	return c.ValidateArgs(c.Flags().Args())
}

func TestCommandsOfDocumentsRun(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string][][]string{"docs/clusters.md, its topology": {{"run", "--topology", "clusters.yaml"}}}
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		commands[strings.TrimPrefix(file, "../../")] = printedCommands(string(text))
	}
	for _, page := range []string{"air-gapped", "choosing", "clusters", "configuration", "events", "guide"} {
		if file := "docs/" + page + ".md"; len(commands[file]) == 0 {
			t.Errorf("%s shows no command: the test does not see them", file)
		}
	}
	w := documented(t)
	for file, all := range commands {
		for _, one := range all {
			if err := w.try(one); err != nil {
				t.Errorf("%s: meshproof %s: %v", file, strings.Join(one, " "), err)
			}
		}
	}
}

// What is wrong in a document is noticed, whichever way its command is tried.
func TestCommandsThatDoNotRun(t *testing.T) {
	w := documented(t)
	for command, want := range map[string]string{
		"run --mode literl":                       "literl",
		"run --focus ^splt-":                      "splt",
		"run --topology none.yaml":                "none.yaml",
		"guide --platform attached-eks --ca none": "exit code 2",
		"guide diff":                              "exit code 2",
		"images save":                             "arg",
		"images load one two":                     "arg",
		"cleanup --dry-run=perhaps":               "perhaps",
	} {
		if err := w.try(strings.Fields(command)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("meshproof %s: %v, want an error with %q", command, err, want)
		}
	}
}
