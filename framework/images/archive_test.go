package images

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// anEngine puts a docker on PATH that keeps what is loaded in a file and holds its images, listed in "held" beside it, while that is
// there, and hides every other program, go among them.
func anEngine(t *testing.T) (loadedFile string) {
	t.Helper()
	dir := t.TempDir()
	loadedFile = filepath.Join(dir, "loaded.tar")
	script := `#!/bin/sh
case "$1" in
version) echo 29.0 ;;
save) cd ` + dir + ` && printf '%s\n' "$2" "$3" >image && /bin/tar cf - image ;;
load) cd ` + dir + ` && /bin/cat >loaded.tar && /bin/tar xOf loaded.tar image >>held ;;
image) cd ` + dir + ` && test -f loaded.tar && /bin/grep -qxF "$5" held || { echo "no such image: $5" >&2; exit 1; } ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	return loadedFile
}

// aSet is a small set whose files are there.
func aSet(t *testing.T) *Set {
	t.Helper()
	dir := t.TempDir()
	set := &Set{Source: Source, Node: "127.0.0.1:9/meshproof/kind-node:1", RegistryImage: "127.0.0.1:9/meshproof/registry:1", Hub: "hub", Tag: "1.2.3",
		UpstreamEnvoy: true, NoKindnet: true, Images: []Image{{Ref: "a", Purpose: "b", Origin: built}}}
	for name, path := range set.paths() {
		*path = filepath.Join(dir, name)
		file := *path
		if name == "layout" || name == "istio" {
			file = filepath.Join(*path, "deep", "file")
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(name), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	return set
}

func TestAnArchiveServesAMachineWithNothingButAnEngine(t *testing.T) {
	loadedFile := anEngine(t)
	file := filepath.Join(t.TempDir(), "images.tar.zst")
	was := aSet(t)
	if err := Save(t.Context(), was, file); err != nil {
		t.Fatal(err)
	}
	o := Options{Source: Archive, CacheDir: t.TempDir()}
	if _, err := Ensure(t.Context(), o); err == nil || !strings.Contains(err.Error(), "images load FILE") {
		t.Errorf("before it is loaded: error %v", err)
	}
	if set, err := Load(t.Context(), file, o); err != nil || set.Node != was.Node {
		t.Fatalf("load: %+v, error %v", set, err)
	}
	if content, err := os.ReadFile(loadedFile); err != nil || !strings.Contains(string(content), "image") {
		t.Errorf("the engine was given %d bytes, error %v", len(content), err)
	}
	for _, from := range []string{Archive, Source, Auto, ""} {
		set, err := Ensure(t.Context(), Options{Source: from, CacheDir: o.CacheDir})
		if err != nil || set.Source != Archive || set.Node != was.Node || set.Hub != "hub" || !set.UpstreamEnvoy || len(set.Images) != 1 {
			t.Fatalf("--images %q: %+v, error %v", from, set, err)
		}
		for name, path := range set.paths() {
			if !strings.HasPrefix(*path, o.CacheDir) {
				t.Errorf("%s is %s, outside the cache", name, *path)
			}
			if _, err := os.Stat(*path); err != nil {
				t.Error(err)
			}
		}
	}
	tools, err := Tools(t.Context(), Options{CacheDir: o.CacheDir, ReleaseDir: "/release"})
	if err != nil || filepath.Base(tools.Kubectl) != "kubectl" || tools.Istioctl == "" || tools.IstioModule == "" {
		t.Errorf("tools %+v, error %v", tools, err)
	}
	if err := os.Remove(loadedFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(t.Context(), o); err == nil || !strings.Contains(err.Error(), "not in the engine") {
		t.Errorf("the engine lost its images: error %v", err)
	}
	if _, err := Ensure(t.Context(), Options{Source: Source, CacheDir: o.CacheDir}); err == nil || !strings.Contains(err.Error(), "the go command") {
		t.Errorf("without them the images are built: error %v", err)
	}
}

// TestAnOlderArchiveIsLoadedAgain: of two archives the one that was loaded last serves, and the other one where the engine lost its images.
func TestAnOlderArchiveIsLoadedAgain(t *testing.T) {
	held := filepath.Join(filepath.Dir(anEngine(t)), "held")
	a, b := aSet(t), aSet(t)
	b.Node = "127.0.0.1:9/meshproof/kind-node:2"
	o := Options{Source: Archive, CacheDir: t.TempDir()}
	file := func(set *Set) string {
		file := filepath.Join(t.TempDir(), "images.tar.zst")
		if err := Save(t.Context(), set, file); err != nil {
			t.Fatal(err)
		}
		return file
	}
	fileA, fileB := file(a), file(b)
	serves := func(when string, set *Set, err error, want *Set) {
		t.Helper()
		if err != nil || set.Node != want.Node {
			t.Errorf("%s: %+v, error %v, want node %s", when, set, err, want.Node)
		}
	}
	set, err := Load(t.Context(), fileA, o)
	serves("load A", set, err, a)
	set, err = Load(t.Context(), fileB, o)
	serves("load B", set, err, b)
	set, err = Load(t.Context(), fileA, o)
	serves("load A again", set, err, a)
	set, err = Load(t.Context(), fileB, o)
	serves("load B again", set, err, b)
	if err := os.WriteFile(held, []byte(a.Node+"\n"+a.RegistryImage+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err = Ensure(t.Context(), o)
	serves("without B's images", set, err, a)
	set, err = Load(t.Context(), fileA, o)
	serves("load A once more", set, err, a)
}

func TestAnArchiveOfAnotherVersionIsRefusedByName(t *testing.T) {
	want, err := own()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*contents)
		says   string
	}{
		"the same":           {func(*contents) {}, ""},
		"another form":       {func(c *contents) { c.Schema = "v9" }, `form "v9"`},
		"another machine":    {func(c *contents) { c.Arch = "s390x" }, "architecture: it has s390x, this program needs " + want.Arch},
		"another Istio":      {func(c *contents) { c.Pins["module istio"] = "v0" }, "module istio: it has v0, this program needs " + want.Pins["module istio"]},
		"one is missing":     {func(c *contents) { delete(c.Pins, "image node") }, "image node: it has none"},
		"one is too many":    {func(c *contents) { c.Pins["module x"] = "v1" }, "module x: it has v1, this program needs none"},
		"other own programs": {func(c *contents) { c.Inputs = "0" }, "the suite's own programs"},
	} {
		c, err := own()
		if err != nil {
			t.Fatal(err)
		}
		tc.change(&c)
		switch err := c.fits(want); {
		case tc.says == "" && err != nil, tc.says != "" && (!errors.Is(err, ErrOtherArchive) || !strings.Contains(err.Error(), tc.says)):
			t.Errorf("%s: error %v, want ...%s...", name, err, tc.says)
		}
	}
}

func TestADamagedArchiveChangesNothing(t *testing.T) {
	loadedFile := anEngine(t)
	file := filepath.Join(t.TempDir(), "images.tar.zst")
	if err := Save(t.Context(), aSet(t), file); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content[:len(content)-40], 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{CacheDir: t.TempDir()}
	if _, err := Load(t.Context(), file, o); err == nil {
		t.Fatal("a damaged archive was loaded")
	}
	entries, err := os.ReadDir(filepath.Join(o.CacheDir, "entries"))
	if _, statErr := os.Stat(loadedFile); err == nil && len(entries) > 0 || statErr == nil {
		t.Errorf("entries %v; the engine's file: %v", entries, statErr)
	}
}

func TestASetOfAReleaseIsNotSaved(t *testing.T) {
	set := aSet(t)
	set.IstioModule = ""
	if err := Save(t.Context(), set, filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(err.Error(), "release directory") {
		t.Errorf("error %v", err)
	}
}
