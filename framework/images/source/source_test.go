package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// pinned reads the real versions file.
func pinned(t *testing.T) versions.Versions {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "versions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := versions.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// builder makes one with an empty cache, for a machine with an amd64 processor, without asking any go command.
func builder(t *testing.T) *Builder {
	t.Helper()
	st, err := store.Open(t.TempDir(), progress.New(nil).Do)
	if err != nil {
		t.Fatal(err)
	}
	return &Builder{v: pinned(t), store: st, report: progress.New(nil), goVer: "go1.26.0", arch: "amd64",
		gate: make(chan struct{}, 1), made: map[string]*call{}}
}

// onPath makes PATH a folder of scripts; system keeps what the scripts themselves need.
func onPath(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("got %v, want an error that says %q", err, p)
		}
	}
}

func TestRecipesAreWhole(t *testing.T) {
	b := builder(t)
	names, refs := map[string]bool{}, map[string]bool{}
	for _, r := range Recipes(b.v) {
		if r.Name == "" || r.Ref == "" || r.Purpose == "" || names[r.Name] || refs[r.Ref] {
			t.Errorf("recipe %q of %q: a name, a reference and a purpose, each its own, are needed", r.Name, r.Ref)
		}
		names[r.Name], refs[r.Ref] = true, true
		if got := r.Config.Labels[LabelStandsInFor]; got != r.StandsInFor {
			t.Errorf("%s: labelled as standing in for %q, listed as %q", r.Ref, got, r.StandsInFor)
		}
		if len(r.Files) == 0 {
			continue
		}
		u, err := b.unit(r.Unit)
		if err != nil {
			t.Errorf("%s: %v", r.Ref, err)
		}
		for _, exe := range r.Files {
			if !slices.ContainsFunc(u.packages, func(p string) bool { return executable(p) == exe }) {
				t.Errorf("%s: unit %s builds no %s", r.Ref, r.Unit, exe)
			}
		}
	}
}

func TestUnitsUsePinnedModulesAndRealSources(t *testing.T) {
	units, err := builder(t).units()
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		if _, ok := pinned(t).Modules[u.module]; !ok {
			t.Errorf("unit %s: module %q is not in versions.yaml", u.name, u.module)
		}
		if u.sources == nil {
			continue
		}
		var files []string
		if err := eachSource(u, func(name string, _ []byte) error { files = append(files, name); return nil }); err != nil {
			t.Fatal(err)
		}
		for _, p := range u.packages {
			if !slices.Contains(files, strings.TrimPrefix(p, "./")+"/main.go") {
				t.Errorf("unit %s: no main.go for %s among %v", u.name, p, files)
			}
		}
		if slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") }) {
			t.Errorf("unit %s: tests among its sources %v", u.name, files)
		}
	}
}

func TestKeysFollowTheirInputs(t *testing.T) {
	key := func(change func(*Builder)) string {
		b := builder(t)
		change(b)
		k, err := b.layoutKey(Recipes(b.v))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	same := key(func(*Builder) {})
	if same != key(func(*Builder) {}) {
		t.Fatal("equal inputs have different keys")
	}
	for what, change := range map[string]func(*Builder){
		"go's version":     func(b *Builder) { b.goVer = "go1.27.0" },
		"architecture":     func(b *Builder) { b.arch = "arm64" },
		"a module's sum":   func(b *Builder) { setModule(b, "istio", func(m *versions.Module) { m.Sum += "x" }) },
		"a version":        func(b *Builder) { setModule(b, "kubernetes", func(m *versions.Module) { m.Version = "v1.37.3" }) },
		"envoy's checksum": func(b *Builder) { b.v.Envoy.SHA256 = map[string]string{"amd64": "other"} },
		"debian's suite":   func(b *Builder) { b.v.Debian.Suite = "trixie" },
	} {
		if key(change) == same {
			t.Errorf("%s does not count for the key of the images", what)
		}
	}
}

func setModule(b *Builder, name string, change func(*versions.Module)) {
	m := b.v.Modules[name]
	change(&m)
	b.v.Modules[name] = m
}

func TestGoModCarriesWhatOnlyAMainModuleSays(t *testing.T) {
	got, err := goMod("kubernetes", versions.Module{Path: "k8s.io/kubernetes", Version: "v1.37.2"}, []byte(`module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require k8s.io/api v0.0.0

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	example.com/forbidden => ./FORBIDDEN
	example.com/fork v1.0.0 => example.com/other v1.2.3
)
`))
	want := `module meshproof.local/kubernetes

go 1.26.0

godebug default=go1.26

require k8s.io/kubernetes v1.37.2

replace example.com/fork v1.0.0 => example.com/other v1.2.3
replace k8s.io/api => k8s.io/api v0.37.2
`
	if err != nil || string(got) != want {
		t.Errorf("got\n%s\n%v\nwant\n%s", got, err, want)
	}
}

func TestModuleDirChecksTheSum(t *testing.T) {
	b := builder(t)
	m := b.v.Modules["kind"]
	for name, c := range map[string]struct {
		script string
		want   []string
	}{
		"right":        {fmt.Sprintf(`echo '{"Dir":"/modules/kind","Sum":%q}'`, m.Sum), nil},
		"other sum":    {`echo '{"Dir":"/modules/kind","Sum":"h1:other"}'`, []string{"h1:other", m.Sum, "use another proxy"}},
		"not served":   {`echo '{"Error":"not found: 404"}'; exit 1`, []string{"not found: 404", "GOPROXY"}},
		"go is broken": {`echo broken >&2; exit 2`, []string{"broken", m.Path}},
	} {
		t.Run(name, func(t *testing.T) {
			onPath(t, map[string]string{"go": c.script})
			b := builder(t)
			dir, err := b.ModuleDir(t.Context(), "kind")
			if c.want == nil && (err != nil || dir != "/modules/kind") {
				t.Errorf("got %s, %v", dir, err)
			}
			wantError(t, err, c.want...)
		})
	}
}

func TestNewNeedsGo(t *testing.T) {
	onPath(t, nil)
	_, err := New(t.Context(), pinned(t), builder(t).store, progress.New(nil))
	wantError(t, err, "go command is not on PATH", "install Go")
	if !errors.Is(err, ErrCannotBuild) {
		t.Errorf("%v does not say that this machine cannot build", err)
	}
}

func TestCheckNamesFindsWhatWouldBePulled(t *testing.T) {
	b := builder(t)
	kind := t.TempDir()
	files := filepath.Join(kind, "pkg", "build", "nodeimage")
	if err := os.MkdirAll(files, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, ref := range map[string]string{"const_cni.go": b.v.Images["kindnet"], "const_storage.go": b.v.Images["storage"]} {
		if err := os.WriteFile(filepath.Join(files, name), fmt.Appendf(nil, "package nodeimage\n\nconst image = %q\n", ref), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.made["module-kind"] = done(kind)
	kubeadm := func(refs ...string) string {
		path := filepath.Join(t.TempDir(), "kubeadm")
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho "+strings.Join(refs, " ")), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	known := []string{b.v.Images["etcd"], b.v.Images["coredns"], "registry.k8s.io/pause:9"}
	if err := b.checkNames(t.Context(), kubeadm(known...), KubernetesRecipes(b.v)); err != nil {
		t.Error(err)
	}
	err := b.checkNames(t.Context(), kubeadm(append(known, "registry.k8s.io/etcd:4")...), KubernetesRecipes(b.v))
	wantError(t, err, "registry.k8s.io/etcd:4", "versions.yaml")
}

// done is work that is finished.
func done(dir string) *call {
	c := &call{done: make(chan struct{}), dir: dir}
	close(c.done)
	return c
}

func TestInOrderStopsAtTheFirstFailure(t *testing.T) {
	b := builder(t)
	onPath(t, map[string]string{"go": "echo no module >&2; exit 1"})
	units, err := b.units()
	if err != nil {
		t.Fatal(err)
	}
	compile := b.inOrder(t.Context(), units)
	asked := make(chan error)
	go func() {
		_, err := b.Executables(context.Background(), "metallb")
		asked <- err
	}()
	wantError(t, compile(), "compile containerd", "no module")
	wantError(t, <-asked, "compile containerd")
}

// TestTheColdBenchmarkRemovesOwnImagesOnly: what somebody named after this project, and pushed somewhere, is not what it measures.
func TestTheColdBenchmarkRemovesOwnImagesOnly(t *testing.T) {
	script, err := os.ReadFile("../../../scripts/bench/cold")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`docker image ls .* \| grep '([^']+)' \| xargs -r docker image rm`).FindSubmatch(script)
	if found == nil {
		t.Fatal("it does not choose the images that it removes by a pattern")
	}
	own := regexp.MustCompile(string(found[1]))
	for ref, want := range map[string]bool{Local + "kind-node:1": true, "registry.example/meshproof/probe:v1": false, "docker.io/x/127.0.0.1:9/meshproof/a": false} {
		if got := own.MatchString(ref); got != want {
			t.Errorf("%s is removed: %v, want %v", ref, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	got := quoted(`const a = "docker.io/kindest/x:1"; var b = []string{"other", "docker.io/kindest/y:2"}`, "docker.io/kindest/")
	if want := []string{"docker.io/kindest/x:1", "docker.io/kindest/y:2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
