// Package source builds every image of a run from package registries alone: Go's module proxy, the Python package
// index and Debian's archive. It pulls no image. Everything that it makes is an entry of a content-keyed cache; what
// was interrupted starts again where Go's own build cache left off.
package source

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"

	"github.com/meshproof/meshproof/framework/images/internal/engine"
	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/run"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// Builder makes executables, layers, layouts and engine images. Its methods may be called at once from several
// goroutines: each piece is made one time.
type Builder struct {
	v      versions.Versions
	store  *store.Store
	report *progress.Reporter
	docker engine.Docker
	goVer  string   // of the go command, part of every key that compiled code enters
	goEnv  []string // in which it runs
	arch   string   // Go's name of this machine's architecture
	gate   chan struct{}
	// debianKeys is where this machine would have the keys that Debian signs its archive with.
	debianKeys string
	mu         sync.Mutex
	made       map[string]*call
}

// call is one piece of work that is done once.
type call struct {
	done chan struct{}
	dir  string
	err  error
}

// ErrCannotBuild is wrapped by errors that name what this machine lacks. What there is to do besides getting it depends on what
// the caller builds for, so the caller says it.
var ErrCannotBuild = errors.New("this machine cannot build from source")

// New finds the go command. The error says what to do when there is none, or when this is not Linux.
func New(ctx context.Context, v versions.Versions, st *store.Store, report *progress.Reporter) (*Builder, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("%w: this is %s, and builds are made on Linux only", ErrCannotBuild, runtime.GOOS)
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("%w: the go command is not on PATH: install Go 1.26 or later: %w", ErrCannotBuild, err)
	}
	version, env, err := goSettings(ctx)
	if err != nil {
		return nil, fmt.Errorf("build from source: ask go for its version and settings: %w", err)
	}
	return &Builder{v: v, store: st, report: report, goVer: version, goEnv: env, arch: runtime.GOARCH,
		gate: make(chan struct{}, 1), made: map[string]*call{}, debianKeys: "/" + keysInPackage}, nil
}

// once runs work for name unless that was done or is being done, and returns its outcome.
func (b *Builder) once(name string, work func() (string, error)) (string, error) {
	b.mu.Lock()
	c, ok := b.made[name]
	if !ok {
		c = &call{done: make(chan struct{})}
		b.made[name] = c
	}
	b.mu.Unlock()
	if ok {
		<-c.done
		return c.dir, c.err
	}
	defer close(c.done)
	c.dir, c.err = work()
	return c.dir, c.err
}

// work is a build that reports itself as item while it runs.
func (b *Builder) work(item string, build store.Build) store.Build {
	return func(ctx context.Context, dir string) error {
		return b.report.Do(ctx, item, func(ctx context.Context) error { return build(ctx, dir) })
	}
}

// entry is a cache entry that is made once; item names it in errors. Work that waits for nothing reports itself (see
// work), so that a person reads what is being done and not what waits for it.
func (b *Builder) entry(ctx context.Context, name, key, item string, build store.Build) (string, error) {
	return b.once(name, func() (string, error) { return b.cached(ctx, name, key, item, build) })
}

func (b *Builder) cached(ctx context.Context, name, key, item string, build store.Build) (string, error) {
	dir, err := b.store.Entry(ctx, name, key, build)
	if err != nil {
		return "", fmt.Errorf("%s: %w", item, full(err))
	}
	return dir, nil
}

// full adds what to do to an error that means a full disk.
func full(err error) error {
	if !run.Full(err) {
		return err
	}
	return fmt.Errorf("%w: the disk is full: free some space (a first run needs about 8 GB in the cache directory, Go's build "+
		"cache and the engine's data directory) and run again; what was finished is kept", err)
}
