package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"golang.org/x/sync/errgroup"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/source"
)

// pullsAtOnce bounds concurrent pulls: enough to fill a line, few enough for registries that count.
const pullsAtOnce = 3

// fromRegistry pulls every image, and builds those that no registry holds.
func (j *job) fromRegistry(ctx context.Context, set *Set) error {
	all := wantedImages(j.v, j.Registry, j.release)
	parts := make([]string, len(all))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(pullsAtOnce)
	node := wantedNode(j.v, j.Registry)
	g.Go(func() (err error) { set.Node, err = j.pull.load(gctx, "kind-pulled", node); return err })
	g.Go(func() error { return j.files(gctx, set) })
	for i := range all {
		g.Go(func() (err error) { parts[i], err = j.part(gctx, &all[i]); return err })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := j.merge(ctx, set, parts); err != nil {
		return err
	}
	for _, w := range all {
		is, err := labels(set.Layout, w.Ref)
		if err != nil {
			return err
		}
		w.StandsInFor = is[source.LabelStandsInFor]
		set.UpstreamEnvoy = set.UpstreamEnvoy || is[source.LabelEnvoy] == "upstream"
		set.Images = append(set.Images, w.Image)
	}
	return j.engineImages(ctx, set, node, all)
}

// part is the layout of one image, pulled or built.
func (j *job) part(ctx context.Context, w *wanted) (string, error) {
	if len(w.from) > 0 {
		dir, err := j.pull.layoutOf(ctx, *w)
		if err == nil || !w.build || !errors.Is(err, ErrNowhere) {
			return dir, err
		}
	}
	w.Origin = built
	b, err := j.build()
	if err != nil {
		return "", fmt.Errorf("build image %s, which no registry holds: %w", w.Ref, err)
	}
	return b.One(ctx, w.Ref)
}

// files are what a run needs besides images.
func (j *job) files(ctx context.Context, set *Set) error {
	b, err := j.build()
	if err != nil {
		return fmt.Errorf("make the files of a run available: %w", err)
	}
	if set.MetalLB, err = b.MetalLB(ctx); err != nil {
		return err
	}
	if j.release != nil {
		set.Hub, set.Tag, set.Istioctl = j.release.hub, j.release.tag, filepath.Join(j.ReleaseDir, "istioctl")
		return nil
	}
	set.Hub, set.Tag = source.Hub, j.v.Istio.Version
	if set.IstioModule, err = b.IstioFiles(ctx); err != nil {
		return err
	}
	dir, err := b.Executables(ctx, "istio")
	set.Istioctl = filepath.Join(dir, "istioctl")
	return err
}

// merge makes one layout of all parts.
func (j *job) merge(ctx context.Context, set *Set, parts []string) error {
	in := []string{"merged"}
	for _, dir := range parts {
		b, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if err != nil {
			return err
		}
		in = append(in, string(b))
	}
	dir, err := j.store.Entry(ctx, "layout-pulled", store.Key(in...), func(_ context.Context, dir string) error {
		return oci.Merge(dir, parts)
	})
	set.Layout = dir
	return err
}

// engineImages loads the rig's registry into the engine, and looks at what the node image is.
func (j *job) engineImages(ctx context.Context, set *Set, node wanted, all []wanted) error {
	var err error
	for _, w := range all {
		switch {
		case w.Ref == source.RegistryProgram(j.v) && w.Origin == built:
			var b *source.Builder
			if b, err = j.build(); err == nil {
				set.RegistryImage, err = b.Registry(ctx)
			}
		case w.Ref == source.RegistryProgram(j.v):
			set.RegistryImage, err = j.pull.load(ctx, "registry-pulled", w)
		}
		if err != nil {
			return err
		}
	}
	label, err := j.docker.Label(ctx, set.Node, source.LabelCNI)
	if err != nil {
		return err
	}
	if set.NoKindnet = label == "static"; set.NoKindnet {
		node.Image = nodeBuilt(j.v, pulled)
	}
	set.Images = append([]Image{node.Image}, set.Images...)
	set.Kubectl, err = j.kubectl(ctx, set.Node)
	return err
}

// labels reads an image's labels, which say what it is, wherever it was pulled from.
func labels(dir, ref string) (map[string]string, error) {
	img, err := layoutImage(dir, ref)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the configuration of image %s in %s: %w", ref, dir, err)
	}
	return config.Config.Labels, nil
}

// layoutImage finds an image in a layout by the name that nodes ask for.
func layoutImage(dir, ref string) (v1.Image, error) {
	index, err := oci.ReadIndex(dir)
	if err != nil {
		return nil, err
	}
	for _, d := range index.Manifests {
		if oci.RefOf(d) == ref {
			return layout.Path(dir).Image(d.Digest)
		}
	}
	return nil, fmt.Errorf("image layout %s holds no %s: remove that directory and run again", dir, ref)
}

// kubectl takes the executable out of the node image: that one fits the cluster, whatever this machine has.
func (j *job) kubectl(ctx context.Context, node string) (string, error) {
	dir, err := j.store.Entry(ctx, "kubectl", store.Key("kubectl", node), func(ctx context.Context, dir string) error {
		id, err := j.docker.Do(ctx, "create", "--entrypoint", "true", node)
		if err != nil {
			return err
		}
		_, err = j.docker.Do(ctx, "cp", id+":/usr/bin/kubectl", filepath.Join(dir, "kubectl"))
		_, rmErr := j.docker.Do(context.WithoutCancel(ctx), "rm", "--force", "--volumes", id)
		return errors.Join(err, rmErr)
	})
	return filepath.Join(dir, "kubectl"), err
}
