package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// releaseConfig is what of .goreleaser.yaml a change must not lose; goreleaser itself checks the rest.
type releaseConfig struct {
	Before struct{ Hooks []string }
	Builds []struct {
		Main                              string
		Env, Goos, Goarch, Flags, Ldflags []string
		Hooks                             struct {
			Pre []struct {
				Cmd string
				Env []string
			}
		}
	}
	Archives []struct {
		Files []struct{ Src string }
	}
	Checksum struct{ Algorithm string }
	Sboms    []struct {
		Artifacts, Cmd string
		Env            []string
	}
	Release struct{ Disable bool }
}

// notices is where the licences of what is linked are written, for each system.
const notices = "dist/notices/{{ .Os }}_{{ .Arch }}/THIRD_PARTY_NOTICES"

func readRelease(t *testing.T) releaseConfig {
	t.Helper()
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c releaseConfig
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Builds) != 1 || len(c.Archives) != 1 || len(c.Sboms) != 1 {
		t.Fatalf("%d builds, %d archives and %d kinds of SBOM, want one of each", len(c.Builds), len(c.Archives), len(c.Sboms))
	}
	return c
}

func TestReleaseHoldsWhatItMust(t *testing.T) {
	c := readRelease(t)
	build, files := c.Builds[0], []string{}
	for _, f := range c.Archives[0].Files {
		files = append(files, f.Src)
	}
	for _, want := range []struct {
		what string
		in   []string
		all  []string
	}{
		{"environment", build.Env, []string{"CGO_ENABLED=0"}},
		{"systems", build.Goos, []string{"linux"}},
		{"architectures", build.Goarch, []string{"amd64", "arm64"}},
		{"flags", build.Flags, []string{"-trimpath", "-buildvcs=true"}},
		{"files", files, []string{"LICENSE", "README.md", "CHANGELOG.md", notices}},
		{"hooks", c.Before.Hooks, []string{"make release-tools"}},
	} {
		for _, one := range want.all {
			if !slices.Contains(want.in, one) {
				t.Errorf("%s %q lack %s", want.what, want.in, one)
			}
		}
	}
	for _, f := range append(files, build.Main) {
		if f == notices {
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", f)); err != nil {
			t.Error(err)
		}
	}
	// Without the key goreleaser strips the program and names variables that are not there.
	if !slices.Equal(build.Ldflags, []string{""}) {
		t.Errorf("the linker's flags are %q, want none", build.Ldflags)
	}
	if c.Checksum.Algorithm != "sha256" || !c.Release.Disable {
		t.Errorf("checksums %q, publishing disabled: %v; want sha256, true", c.Checksum.Algorithm, c.Release.Disable)
	}
}

// Licences and SBOMs are those of each program, and not of the machine that makes the release.
func TestReleaseSaysWhatEachProgramHolds(t *testing.T) {
	c := readRelease(t)
	system := []string{"GOOS={{ .Os }}", "GOARCH={{ .Arch }}"}
	if pre := c.Builds[0].Hooks.Pre; len(pre) != 1 || pre[0].Cmd != "bin/licences -notices "+notices+" ." || !slices.Equal(pre[0].Env, system) {
		t.Errorf("before each build is called %+v, which does not make its notices", pre)
	}
	if s := c.Sboms[0]; s.Artifacts != "binary" || s.Cmd != "../bin/cyclonedx-gomod" || !slices.Equal(s.Env, system) {
		t.Errorf("SBOMs are made as %+v, want one of each program", s)
	}
}

func TestReleaseSnapshotTakesThePinnedProgram(t *testing.T) {
	text, err := os.ReadFile("../../scripts/release-snapshot")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`(?m)^pinned=(v\S+)$`).FindSubmatch(text)
	if pinned == nil {
		t.Fatal("the script names no version")
	}
	for name, tc := range map[string]struct {
		version, ends string // of the goreleaser on the PATH; without a version there is none
		code          int
		want, lacks   string
	}{
		"none":            {"", "", 1, "not run: there is no goreleaser", "called"},
		"another version": {"v1.26.2", "0", 1, "goreleaser is v1.26.2, and not ", "called release"},
		"no version":      {"(devel)", "0", 1, "is (devel), and not ", "called release"},
		"all there":       {string(pinned[1]), "0", 0, "called release --snapshot --clean\n", "not run"},
		"it goes wrong":   {string(pinned[1]), "4", 4, "called check\n", "called release"},
	} {
		t.Run(name, func(t *testing.T) {
			// A copy of the script, because it would take the goreleaser of this directory's bin.
			root := t.TempDir()
			put := func(name, text string) {
				path := filepath.Join(root, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
					t.Fatal(err)
				}
			}
			put("scripts/release-snapshot", string(text))
			for _, tool := range []string{"bash", "env", "dirname", "awk"} {
				path, err := exec.LookPath(tool)
				if err != nil {
					t.Fatal(err)
				}
				put("path/"+tool, "#!/bin/sh\nexec "+path+" \"$@\"\n")
			}
			if tc.version != "" {
				put("path/goreleaser", "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'GitVersion:    "+tc.version+"'; exit; fi\necho \"called $*\"\nexit "+tc.ends+"\n")
			}
			c := exec.Command("bash", filepath.Join(root, "scripts/release-snapshot"))
			c.Env = []string{"PATH=" + filepath.Join(root, "path")}
			out, err := c.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if said := string(out); c.ProcessState.ExitCode() != tc.code || !strings.Contains(said, tc.want) || strings.Contains(said, tc.lacks) {
				t.Errorf("exit code %d, want %d; it said %q, want ...%q... and not %q", c.ProcessState.ExitCode(), tc.code, said, tc.want, tc.lacks)
			}
		})
	}
}
