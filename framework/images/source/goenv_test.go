package source

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// TestBuildsDependOnNoSettingOfThisMachine: the keys of the cache know of none, so what the environment or `go env -w` says must not
// reach a build; where modules come from does.
func TestBuildsDependOnNoSettingOfThisMachine(t *testing.T) {
	record := filepath.Join(t.TempDir(), "env")
	onPath(t, map[string]string{"go": `case "$1" in
env) echo '{"GOVERSION":"go1.26.0","GOPROXY":"https://proxy.example","GOEXPERIMENT":"other"}' ;;
*) env >` + record + `; echo '{}' ;;
esac
`})
	want := map[string]string{"GOOS": "linux", "GOARCH": runtime.GOARCH, "GOAMD64": "v1", "GOARM64": "v8.0", "GOEXPERIMENT": "", "GOFIPS140": "off",
		"GOENV": "off", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0", "GOPROXY": "https://proxy.example"}
	for name := range want {
		t.Setenv(name, "other")
	}
	b, err := New(t.Context(), pinned(t), builder(t).store, progress.New(nil))
	if err != nil || b.goVer != "go1.26.0" {
		t.Fatalf("%+v, error %v", b, err)
	}
	if _, err := b.ModuleDir(t.Context(), "kind"); err == nil {
		t.Error("a module without a checksum is taken")
	}
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(text), "\n")
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !slices.Contains(got, name+"="+want[name]) {
			t.Errorf("a build has no %s=%s", name, want[name])
		}
	}
}

// TestAModuleAroundTheCacheIsLeftAlone: a cache directory may lie in a checkout of something, whose go.sum is not ours.
func TestAModuleAroundTheCacheIsLeftAlone(t *testing.T) {
	around := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.test/theirs\n\ngo 1.21\n\nrequire example.test/m v1.0.0\n", "go.sum": ""} {
		if err := os.WriteFile(filepath.Join(around, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	st, err := store.Open(filepath.Join(around, "cache"), progress.New(nil).Do)
	if err != nil {
		t.Fatal(err)
	}
	proxy, sum := proxyOf(t, "example.test/m", "v1.0.0")
	for name, value := range map[string]string{"GOPROXY": "file://" + proxy, "GOSUMDB": "off", "GOMODCACHE": filepath.Join(t.TempDir(), "mod"), "GOFLAGS": "-modcacherw"} {
		t.Setenv(name, value)
	}
	v := versions.Versions{Modules: map[string]versions.Module{"m": {Path: "example.test/m", Version: "v1.0.0", Sum: sum}}}
	b, err := New(t.Context(), v, st, progress.New(nil))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := b.ModuleDir(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) }) // a module cache is read-only
	if text, err := os.ReadFile(filepath.Join(around, "go.sum")); err != nil || len(text) > 0 {
		t.Errorf("the go.sum around the cache holds %q, error %v", text, err)
	}
}

// proxyOf writes a Go module proxy of one module as a folder, and gives the module's checksum.
func proxyOf(t *testing.T, path, version string) (dir, sum string) {
	t.Helper()
	dir = t.TempDir()
	at := filepath.Join(dir, filepath.FromSlash(path), "@v", version)
	mod := "module " + path + "\n"
	err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at+".mod", []byte(mod), 0o644),
		os.WriteFile(at+".info", fmt.Appendf(nil, `{"Version":%q}`, version), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	err = create(at+".zip", func(w io.Writer) error {
		z := zip.NewWriter(w)
		f, err := z.Create(path + "@" + version + "/go.mod")
		if err == nil {
			_, err = io.WriteString(f, mod)
		}
		return errors.Join(err, z.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = dirhash.HashZip(at+".zip", dirhash.Hash1); err != nil {
		t.Fatal(err)
	}
	return dir, sum
}
