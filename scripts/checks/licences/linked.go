package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is one that the program links.
type module struct {
	Path, Version, Dir string
	// Files are those that say under which terms its linked packages are, below Dir: at its root, and in the directories from
	// there to a package, since some packages were taken from elsewhere.
	Files    []string
	licences []string
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(?:un)?licen[cs]e|^copying`)
	besideFile  = regexp.MustCompile(`(?i)^(?:notice|patents)`) // to be passed on with the licence
)

// linkedPackage is what go says of a package that is linked.
type linkedPackage struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// linked asks go which modules the program's packages come from, without the program's own. Of a replaced module the
// directory is that of its replacement.
func linked(dir string) ([]module, error) {
	c := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/...")
	c.Dir, c.Stderr = dir, os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("ask go what is linked: %w", err)
	}
	all := map[string]module{}
	for d := json.NewDecoder(strings.NewReader(string(text))); ; {
		var p linkedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what go says is linked: %w", err)
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m, known := all[p.Module.Path]
		if !known {
			m = module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
		}
		files, err := termsOf(m.Dir, p.Dir)
		if err != nil {
			return nil, fmt.Errorf("module %s %s: %w", m.Path, m.Version, err)
		}
		m.Files = append(m.Files, files...)
		slices.Sort(m.Files)
		m.Files = slices.Compact(m.Files)
		all[m.Path] = m
	}
	return slices.SortedFunc(maps.Values(all), func(a, b module) int { return strings.Compare(a.Path, b.Path) }), nil
}

// termsOf gives the files, below a module's root, that say under which terms a package of it is.
func termsOf(root, dir string) ([]string, error) {
	var all []string
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("look for its licence: %w: download it (go mod download)", err)
		}
		below, err := filepath.Rel(root, dir)
		if err != nil || strings.HasPrefix(below, "..") {
			return nil, fmt.Errorf("look for its licence: its package in %s is not below its root %s", dir, root)
		}
		for _, e := range entries {
			named := licenceFile.MatchString(e.Name()) || besideFile.MatchString(e.Name())
			if named && e.Type().IsRegular() && !strings.HasSuffix(e.Name(), ".go") {
				all = append(all, filepath.Join(below, e.Name()))
			}
		}
		if below == "." {
			return all, nil
		}
		dir = filepath.Dir(dir)
	}
}
