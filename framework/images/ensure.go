package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/source"
)

// Ensure makes every image of a run available, building or pulling what is missing. A second call builds nothing.
func Ensure(ctx context.Context, o Options) (*Set, error) {
	v, err := load()
	if err != nil {
		return nil, err
	}
	dir := o.CacheDir
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find the cache directory: %w: set HOME or XDG_CACHE_HOME", err)
		}
		dir = filepath.Join(user, "meshproof")
	}
	st, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	b, err := source.New(ctx, v, st, progress.New(o.Progress))
	if err != nil {
		return nil, err
	}
	r, err := b.All(ctx)
	if err != nil {
		return nil, err
	}
	return &Set{Source: Source, Reason: "asked for", Node: r.Node, Layout: r.Layout, RegistryImage: r.Registry, Hub: source.Hub,
		Tag: v.Istio.Version, UpstreamEnvoy: true, NoKindnet: true, Kubectl: r.Kubectl, Istioctl: r.Istioctl, MetalLB: r.MetalLB,
		IstioModule: r.Istio, Images: List(o)}, nil
}
