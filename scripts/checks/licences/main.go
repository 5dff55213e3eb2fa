// Command licences looks at the licence of every module that is linked into the program, and fails where one is not allowed,
// or is not known. Usage: licences [-list] DIR, where DIR holds the main module; -list prints what it found.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// allowed are the licences (SPDX) under whose terms the program may be passed on as a whole, under its own, Apache-2.0: each
// asks for its notice to be kept, and for nothing that touches other code.
func allowed() []string {
	return []string{"Apache-2.0", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "Unlicense", "Zlib", "CC0-1.0"}
}

// weak are allowed for modules that are linked as they are: their terms stay with their own files.
func weak() []string { return []string{"MPL-2.0"} }

// exception is a licence that a module's files name and that no linked code is under.
type exception struct{ module, licence, reason string }

func exceptions() []exception {
	return []exception{
		{"github.com/opencontainers/go-digest", "CC-BY-SA-4.0", "LICENSE.docs is that of the module's documentation, of which nothing is linked"},
	}
}

func main() {
	list := flag.Bool("list", false, "print every module with its licences")
	flag.Parse()
	if err := check(flag.Arg(0), *list, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// module is one that the program links.
type module struct{ Path, Version, Dir string }

func check(dir string, list bool, out io.Writer) error {
	all, err := linked(dir)
	if err != nil {
		return err
	}
	known, err := assets.DefaultClassifier()
	if err != nil {
		return fmt.Errorf("read the texts of known licences: %w", err)
	}
	var errs []error
	for _, m := range all {
		found, err := licencesOf(known, m.Dir)
		if err == nil {
			err = judge(m.Path, found)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("module %s %s: %w", m.Path, m.Version, err))
		}
		if list {
			fmt.Fprintf(out, "%s %s: %s\n", m.Path, m.Version, strings.Join(found, ", "))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintf(out, "licences: %d linked modules, all under an allowed licence\n", len(all))
	return nil
}

// linked asks go which modules the program's packages come from, without the program's own.
func linked(dir string) ([]module, error) {
	c := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/...")
	c.Dir, c.Stderr = dir, os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("ask go what is linked: %w", err)
	}
	var all []module
	for d := json.NewDecoder(strings.NewReader(string(text))); ; {
		var one struct {
			Module *struct {
				module
				Main    bool
				Replace *module
			}
		}
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what go says is linked: %w", err)
		}
		if one.Module == nil || one.Module.Main {
			continue
		}
		m := one.Module.module
		if r := one.Module.Replace; r != nil {
			m.Dir = r.Dir
		}
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(?:un)?licen[cs]e|^copying`)

// enough is the share of a licence file's lines, in percent, that must be the text of known licences: the rest of a short one
// says whose work it is, and to which files it applies.
const enough = 50

// licencesOf gives the licences of the files at a module's root, each once.
func licencesOf(known *classifier.Classifier, dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for its licence: %w: download it (go mod download)", err)
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		results := known.Match(text)
		lines := map[int]bool{}
		for _, m := range results.Matches {
			for n := m.StartLine; n <= m.EndLine; n++ {
				lines[n] = true
			}
			if m.MatchType == "License" {
				all = append(all, m.Name)
			}
		}
		if share := 100 * len(lines) / max(1, results.TotalInputLines); share < enough {
			all = append(all, fmt.Sprintf("unknown text (%d %% of %s is known)", share, e.Name()))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func judge(path string, found []string) error {
	if len(found) == 0 {
		return errors.New("it has no licence at its root")
	}
	for _, id := range found {
		if slices.ContainsFunc(exceptions(), func(e exception) bool { return e.module == path && e.licence == id }) {
			continue
		}
		if !slices.Contains(allowed(), id) && !slices.Contains(weak(), id) {
			return fmt.Errorf("licence %s is not among the allowed ones (%s): use another module, or decide that it may be", id, strings.Join(append(allowed(), weak()...), ", "))
		}
	}
	return nil
}
