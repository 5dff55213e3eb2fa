package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/meshproof/meshproof/framework/images/internal/engine"
	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
	"github.com/meshproof/meshproof/framework/images/source"
)

// job is one call of Ensure.
type job struct {
	Options
	v       versions.Versions
	store   *store.Store
	build   func() (*source.Builder, error) // made at first need: what is there or pulled needs no go command
	pull    *puller
	docker  engine.Docker
	release *istioOf // the release's Istio; nil without a release
}

// Ensure makes every image of a run available, building or pulling what is missing. A second call builds and pulls
// nothing. Errors say which item failed, why, and what to do; those that mean that there is no container engine wrap
// ErrNoEngine.
func Ensure(ctx context.Context, o Options) (*Set, error) {
	if set, err := loaded(ctx, o, true); set != nil || err != nil {
		return set, err
	}
	j, err := newJob(ctx, o)
	if err != nil {
		return nil, err
	}
	set := &Set{}
	if set.Source, set.Reason, err = j.decide(ctx); err != nil {
		return nil, err
	}
	// Asked first, so that a machine without an engine is told at once and not after everything is built.
	if err := engineAnswers(ctx, j.docker); err != nil {
		return nil, fmt.Errorf("make images available: %w", err)
	}
	if set.Source == Source {
		err = j.fromSource(ctx, set)
	} else {
		err = j.fromRegistry(ctx, set)
	}
	if err != nil {
		return nil, fmt.Errorf("make images available: %w", errors.Join(wayOut(set.Source, err), diskFull(j.store.Root())))
	}
	return set, nil
}

// wayOut says what else there is to do where this machine cannot build what a run with images of that source needs.
func wayOut(from string, err error) error {
	switch {
	case !errors.Is(err, source.ErrCannotBuild):
		return err
	case from == Source:
		return fmt.Errorf("%w: or use --images registry", err)
	}
	return fmt.Errorf("%w: or carry everything here from a machine that can (meshproof images save FILE there, meshproof images load FILE here)", err)
}

// engineLimit is how long an engine may take to say its version; one that works does so at once.
const engineLimit = 20 * time.Second

// engineAnswers asks the engine for its version. One that takes a connection and never answers is not waited for.
func engineAnswers(ctx context.Context, docker engine.Docker) error {
	ctx, cancel := context.WithTimeoutCause(ctx, engineLimit,
		fmt.Errorf("%w: docker's daemon did not answer within %s: see scripts/engine --status, and restart it", ErrNoEngine, engineLimit))
	defer cancel()
	_, err := docker.Do(ctx, "version", "--format", "{{.Server.Version}}")
	return err
}

// leastFree is how much room a disk has that cannot be why something failed, in bytes.
const leastFree = 256 << 20

// diskFull says that the disk of a directory is full, when it is: the programs that build say much else then.
func diskFull(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return nil // what failed is told all the same
	}
	free := fs.Bavail * uint64(fs.Bsize)
	if free >= leastFree {
		return nil
	}
	return fmt.Errorf("the disk of the image cache %s is full (%d MiB are free): free some 15 GB, or give another with --cache-dir", dir, free>>20)
}

// ErrNoEngine is wrapped by errors that say that docker is missing or does not answer.
var ErrNoEngine = engine.ErrNoEngine

// CacheDir is where images are kept: the one that the options give, else meshproof in the user's cache directory; "" when
// that cannot be told.
func CacheDir(o Options) string {
	if o.CacheDir != "" {
		return o.CacheDir
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(user, "meshproof")
}

// openStore opens the cache, and gives the versions and a reporter, which everything here needs.
func openStore(o Options) (versions.Versions, *store.Store, *progress.Reporter, error) {
	report := progress.New(o.Progress)
	v, err := load()
	if err != nil {
		return v, nil, nil, err
	}
	dir := CacheDir(o)
	if dir == "" {
		return v, nil, nil, errors.New("find the cache directory: there is no home directory: set HOME or XDG_CACHE_HOME, or give --cache-dir")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return v, nil, nil, err
	}
	st, err := store.Open(dir, report.Do)
	return v, st, report, err
}

func newJob(ctx context.Context, o Options) (*job, error) {
	v, st, report, err := openStore(o)
	if err != nil {
		return nil, err
	}
	if o.ReleaseDir != "" {
		if o.ReleaseDir, err = filepath.Abs(o.ReleaseDir); err != nil {
			return nil, err
		}
	}
	build := sync.OnceValues(func() (*source.Builder, error) { return source.New(ctx, v, st, report) })
	return &job{Options: o, v: v, store: st, build: build, pull: &puller{store: st, report: report}}, nil
}

// decide asks the release for its Istio, and the registries whether they are there.
func (j *job) decide(ctx context.Context) (source, reason string, err error) {
	if j.Source != Source {
		if j.release, err = releaseImages(ctx, j.ReleaseDir); err != nil {
			return "", "", err
		}
	}
	refs := wantedNode(j.v, j.Registry).from
	for _, w := range wantedImages(j.v, j.Registry, j.release) {
		refs = append(refs, w.from...)
	}
	hosts, err := registryHosts(refs)
	if err != nil {
		return "", "", err
	}
	return decide(ctx, j.Options, hosts, askRegistry)
}

func (j *job) fromSource(ctx context.Context, set *Set) error {
	b, err := j.build()
	if err != nil {
		return err
	}
	r, err := b.All(ctx)
	if err != nil {
		return err
	}
	set.Node, set.RegistryImage, set.Layout = r.Node, r.Registry, r.Layout
	set.Kubectl, set.Istioctl, set.MetalLB, set.IstioModule = r.Kubectl, r.Istioctl, r.MetalLB, r.Istio
	set.Hub, set.Tag = source.Hub, j.v.Istio.Version
	set.UpstreamEnvoy, set.NoKindnet = true, true
	set.Images = List(Options{Source: Source})
	return nil
}
