package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const noticesHead = `Third-party notices

The program meshproof is under the Apache License 2.0 (LICENSE). It links the Go standard library and the Go modules below, each
unchanged, under the licences that are named (SPDX identifiers); their texts follow. The source of a module is what the Go module
proxies serve under its name and version.

`

// writeNotices writes the licences of all modules, and of Go itself, with their texts.
func writeNotices(file, dir string, all []module) error {
	std, err := standardLibrary(dir)
	if err != nil {
		return err
	}
	text, err := noticesOf(append([]module{std}, all...))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the notices: %w", err)
	}
	return nil
}

// standardLibrary is the Go that builds the main module in dir. Its licence is known.
func standardLibrary(dir string) (module, error) {
	c := exec.Command("go", "env", "GOVERSION", "GOROOT")
	c.Dir, c.Stderr = dir, os.Stderr
	said, err := c.Output()
	if err != nil {
		return module{}, fmt.Errorf("ask go for its version: %w", err)
	}
	version, root, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return module{Path: "Go standard library", Version: version, Dir: root, Files: []string{"LICENSE", "PATENTS"}, licences: []string{"BSD-3-Clause"}}, nil
}

// noticesOf gives the list of the modules, and then every module's texts.
func noticesOf(all []module) (string, error) {
	var b strings.Builder
	b.WriteString(noticesHead)
	for _, m := range all {
		fmt.Fprintf(&b, "%s %s: %s\n", m.Path, m.Version, strings.Join(m.licences, ", "))
	}
	for _, m := range all {
		fmt.Fprintf(&b, "\n%s\n%s %s\nLicence: %s\n", strings.Repeat("=", 80), m.Path, m.Version, strings.Join(m.licences, ", "))
		for _, file := range m.Files {
			text, err := os.ReadFile(filepath.Join(m.Dir, file))
			if err != nil {
				return "", fmt.Errorf("%s %s: %w", m.Path, m.Version, err)
			}
			fmt.Fprintf(&b, "\n%s %s\n\n%s\n", strings.Repeat("-", 8), filepath.ToSlash(file), strings.TrimSpace(string(text)))
		}
	}
	return b.String(), nil
}
