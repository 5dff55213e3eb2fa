// Command licences looks at the licence of every module that is linked into the program, and fails where one is not allowed,
// or is not known. Usage: licences [-list] [-notices FILE] DIR, where DIR holds the main module; -list prints what it found, and
// -notices writes it with all texts, as a release holds it. GOOS and GOARCH choose the system that the program is for.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	notices := flag.String("notices", "", "write the licences with their texts to this file")
	flag.Parse()
	if err := check(flag.Arg(0), *list, *notices, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func check(dir string, list bool, notices string, out io.Writer) error {
	all, err := linked(dir)
	if err != nil {
		return err
	}
	known, err := assets.DefaultClassifier()
	if err != nil {
		return fmt.Errorf("read the texts of known licences: %w", err)
	}
	var errs []error
	for i, m := range all {
		found, err := licencesOf(known, m.Dir, m.Files)
		if err == nil {
			err = judge(m.Path, found)
		}
		all[i].licences = found
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
	if notices == "" {
		return nil
	}
	return writeNotices(notices, dir, all)
}

// enough is the share of a licence file's lines, in percent, that must be the text of known licences: the rest of a short one
// says whose work it is, and to which files it applies.
const enough = 50

// licencesOf gives the licences that a module's files hold, each once. What is beside a licence holds none.
func licencesOf(known *classifier.Classifier, dir string, files []string) ([]string, error) {
	var all []string
	for _, file := range files {
		if !licenceFile.MatchString(filepath.Base(file)) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, file))
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
			all = append(all, fmt.Sprintf("unknown text (%d %% of %s is known)", share, file))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func judge(path string, found []string) error {
	if len(found) == 0 {
		return errors.New("it has no licence")
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
