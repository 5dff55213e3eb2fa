package source

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/images/internal/run"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

//go:embed templates/*
var templates embed.FS

// unit is one throw-away module and the executables that one `go build` makes in it.
type unit struct {
	name     string
	module   string   // short name in versions.yaml of the module that the packages are from
	packages []string // import paths; an executable is named after the last element
	tags     string
	ldflags  string // in addition to -s -w
	sources  fs.FS  // main packages of our own, or nil
}

// unit looks up a unit by name.
func (b *Builder) unit(name string) (unit, error) {
	units, err := b.units()
	if err != nil {
		return unit{}, err
	}
	for _, u := range units {
		if u.name == name {
			return u, nil
		}
	}
	return unit{}, fmt.Errorf("no build unit is named %q", name)
}

// units lists everything that is compiled, in the order of compiling: what the node image needs comes first, so that it
// is put together while the mesh still compiles.
func (b *Builder) units() ([]unit, error) {
	v := b.v.Modules
	kube := strings.Split(strings.TrimPrefix(v["kubernetes"].Version, "v"), ".")
	const component, istio = "k8s.io/component-base/version", "istio.io/istio/pkg/version"
	programs, err := fs.Sub(fixtures.Programs, "programs")
	if err != nil {
		return nil, err
	}
	etcd, err := fs.Sub(templates, "templates/etcd")
	if err != nil {
		return nil, err
	}
	return []unit{
		{name: "containerd", module: "containerd", tags: "no_btrfs no_devmapper no_zfs",
			ldflags:  set("github.com/containerd/containerd/v2/version", "Version", v["containerd"].Version),
			packages: under(v["containerd"].Path+"/cmd/", "containerd", "ctr", "containerd-shim-runc-v2")},
		{name: "programs", module: smallModule, sources: programs, ldflags: set("main", "madeFrom", ProbeMadeFrom(b.v)), packages: under("./", "probe", "registry", "helloworld")},
		{name: "pause", module: smallModule, sources: programs, packages: under("./", "pause")}, // apart: Kubernetes' images have it
		{name: "kind", module: "kind", packages: []string{v["kind"].Path}},
		{name: "kubernetes", module: "kubernetes",
			ldflags: set(component, "gitVersion", v["kubernetes"].Version) + set(component, "gitMajor", kube[0]) +
				set(component, "gitMinor", kube[1]) + set(component, "gitTreeState", "clean"),
			packages: under(v["kubernetes"].Path+"/cmd/", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
				"kube-proxy", "kubelet", "kubeadm", "kubectl")},
		{name: "etcd", module: "etcd", sources: etcd, packages: []string{"./etcd"}},
		{name: "coredns", module: "coredns", packages: []string{v["coredns"].Path}},
		{name: "istio", module: "istio",
			ldflags: set(istio, "buildVersion", b.v.Istio.Version) + set(istio, "buildTag", b.v.Istio.Version) +
				set(istio, "buildHub", Hub) + set(istio, "buildStatus", "Clean"),
			packages: under(v["istio"].Path+"/", "pilot/cmd/pilot-discovery", "pilot/cmd/pilot-agent", "istioctl/cmd/istioctl")},
		{name: "csr", module: "istio", sources: programs, packages: under("./", "csr")},
		{name: "metallb", module: "metallb", packages: under(v["metallb"].Path+"/", "controller", "speaker")},
	}, nil
}

func set(pkg, variable, value string) string {
	return fmt.Sprintf(" -X %s.%s=%s", pkg, variable, value)
}

func under(prefix string, names ...string) []string {
	for i, n := range names {
		names[i] = prefix + n
	}
	return names
}

// key depends on all that the unit's executables depend on; go.sum in the pinned module fixes the modules below it.
func (b *Builder) unitKey(u unit) (string, error) {
	m := b.v.Modules[u.module]
	in := []string{"bin", b.goVer, b.arch, m.Path, m.Version, m.Sum, u.tags, u.ldflags, strings.Join(u.packages, " ")}
	template, err := templates.ReadFile("templates/go.mod.tmpl")
	if err != nil {
		return "", err
	}
	in = append(in, string(template))
	err = eachSource(u, func(name string, data []byte) error {
		in = append(in, name, string(data))
		return nil
	})
	return store.Key(in...), err
}

// eachSource visits the Go files of a unit's own main packages, without their tests.
func eachSource(u unit, visit func(name string, data []byte) error) error {
	if u.sources == nil {
		return nil
	}
	for _, p := range u.packages {
		err := fs.WalkDir(u.sources, strings.TrimPrefix(p, "./"), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
				return err
			}
			data, err := fs.ReadFile(u.sources, name)
			if err != nil {
				return err
			}
			return visit(strings.TrimSuffix(name, ".tmpl"), data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Executables returns the directory of a unit's executables, compiling them first when they are not in the cache. One
// unit compiles at a time, because each uses every core by itself.
func (b *Builder) Executables(ctx context.Context, name string) (string, error) {
	u, err := b.unit(name)
	if err != nil {
		return "", err
	}
	return b.once("bin-"+u.name, func() (string, error) { return b.executables(ctx, u) })
}

func (b *Builder) executables(ctx context.Context, u unit) (string, error) {
	key, err := b.unitKey(u)
	if err != nil {
		return "", err
	}
	item := itemCompile(u.name)
	return b.cached(ctx, "bin-"+u.name, key, item, func(ctx context.Context, dir string) error {
		select {
		case b.gate <- struct{}{}:
			defer func() { <-b.gate }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return b.work(item, func(ctx context.Context, dir string) error { return b.compile(ctx, u, dir) })(ctx, dir)
	})
}

// inOrder compiles units one after the other, whatever order other goroutines ask for them in.
func (b *Builder) inOrder(ctx context.Context, units []unit) (run func() error) {
	calls := make([]*call, len(units))
	b.mu.Lock()
	for i, u := range units {
		calls[i] = &call{done: make(chan struct{})}
		b.made["bin-"+u.name] = calls[i]
	}
	b.mu.Unlock()
	return func() error {
		var failed error
		for i, u := range units {
			if failed == nil {
				calls[i].dir, failed = b.executables(ctx, u)
			}
			calls[i].err = failed
			close(calls[i].done)
		}
		return failed
	}
}

// compile runs one `go build` for all of a unit's commands: the linking of one overlaps the compiling of another.
func (b *Builder) compile(ctx context.Context, u unit, dir string) error {
	work, err := os.MkdirTemp(dir, "module-")
	if err != nil {
		return err
	}
	if err := b.writeModule(ctx, u, work); err != nil {
		return err
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w" + u.ldflags, "-o", dir + "/"}
	if u.tags != "" {
		args = append(args, "-tags", u.tags)
	}
	_, err = run.Output(ctx, run.Cmd{Name: "go", Args: append(args, u.packages...), Dir: work, Env: b.goEnv})
	if err != nil {
		return err
	}
	for _, p := range u.packages {
		if _, err := os.Stat(filepath.Join(dir, executable(p))); err != nil {
			return fmt.Errorf("go build made no %s: %w", executable(p), err)
		}
	}
	return os.RemoveAll(work)
}

// executable is the file name that go build gives a main package.
func executable(pkg string) string { return path.Base(pkg) }
