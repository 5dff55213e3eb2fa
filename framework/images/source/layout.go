package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

// recipeKey depends on everything that an image is made of.
func (b *Builder) recipeKey(r Recipe) (string, error) {
	layer, err := b.fileLayerKey(r)
	if err != nil || !r.Slim {
		return store.Key("image", r.Ref, fmt.Sprint(r.Config), layer), err
	}
	root, err := b.rootFSKey(slimFS())
	return store.Key("image", r.Ref, fmt.Sprint(r.Config), layer, root), err
}

// fileLayerKey depends on a recipe's own files.
func (b *Builder) fileLayerKey(r Recipe) (string, error) {
	in := []string{"layer", fmt.Sprint(r.Files), b.arch}
	if r.Unit != "" {
		u, err := b.unit(r.Unit)
		if err != nil {
			return "", err
		}
		key, err := b.unitKey(u)
		if err != nil {
			return "", err
		}
		in = append(in, key)
	}
	if r.Envoy {
		in = append(in, b.envoyKey())
	}
	return store.Key(in...), nil
}

// fsLayer is the layer of a root file system, made once for all images on it.
func (b *Builder) fsLayer(ctx context.Context, fs rootFS) (string, error) {
	key, err := b.rootFSKey(fs)
	if err != nil {
		return "", err
	}
	item := "compress the " + fs.name + " root file system"
	return b.entry(ctx, "layer-"+fs.name, key, item, func(ctx context.Context, dir string) error {
		root, err := b.RootFS(ctx, fs)
		if err != nil {
			return err
		}
		return b.work(item, func(_ context.Context, dir string) error {
			f, err := os.Open(filepath.Join(root, rootTar))
			if err != nil {
				return err
			}
			defer f.Close()
			return oci.WriteLayer(dir, f)
		})(ctx, dir)
	})
}

// fileLayer is the layer of a recipe's own files.
func (b *Builder) fileLayer(ctx context.Context, r Recipe) (string, error) {
	key, err := b.fileLayerKey(r)
	if err != nil {
		return "", err
	}
	item := "compress image " + r.Name
	return b.entry(ctx, "layer-"+r.Name, key, item, func(ctx context.Context, dir string) error {
		executables, err := b.Executables(ctx, r.Unit)
		if err != nil {
			return err
		}
		var envoy, istio string
		if r.Envoy {
			if envoy, err = b.Envoy(ctx); err != nil {
				return err
			}
			if istio, err = b.IstioFiles(ctx); err != nil {
				return err
			}
		}
		return b.work(item, func(_ context.Context, dir string) error {
			tar := oci.Tar(r.files(executables, envoy, istio))
			return errors.Join(oci.WriteLayer(dir, tar), tar.Close())
		})(ctx, dir)
	})
}

// image makes a recipe's layers.
func (b *Builder) image(ctx context.Context, r Recipe) (oci.Image, error) {
	img := oci.Image{Ref: r.Ref, Config: r.Config}
	g, ctx := errgroup.WithContext(ctx)
	var base, own string
	if r.Slim {
		g.Go(func() (err error) { base, err = b.fsLayer(ctx, slimFS()); return err })
	}
	if r.Unit != "" {
		g.Go(func() (err error) { own, err = b.fileLayer(ctx, r); return err })
	}
	if err := g.Wait(); err != nil {
		return img, err
	}
	for _, layer := range []string{base, own} {
		if layer != "" {
			img.Layers = append(img.Layers, layer)
		}
	}
	return img, nil
}

func (b *Builder) layoutKey(recipes []Recipe) (string, error) {
	in := []string{"layout"}
	for _, r := range recipes {
		key, err := b.recipeKey(r)
		if err != nil {
			return "", err
		}
		in = append(in, key)
	}
	return store.Key(in...), nil
}

// Layout returns a directory that holds the images of recipes as an OCI layout.
func (b *Builder) Layout(ctx context.Context, name string, recipes []Recipe) (string, error) {
	key, err := b.layoutKey(recipes)
	if err != nil {
		return "", err
	}
	item := "assemble the " + name + " images"
	return b.entry(ctx, "layout-"+name, key, item, func(ctx context.Context, dir string) error {
		images := make([]oci.Image, len(recipes))
		g, gctx := errgroup.WithContext(ctx)
		for i, r := range recipes {
			g.Go(func() (err error) { images[i], err = b.image(gctx, r); return err })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		return b.work(item, func(_ context.Context, dir string) error { return oci.WriteLayout(dir, b.arch, images) })(ctx, dir)
	})
}

// istioFolders are the parts of the Istio module that a run uses: charts, samples and the scripts beside them.
func istioFolders() []string { return []string{"manifests", "samples", "tools/packaging/common"} }

// IstioFiles returns a copy of what a run uses of the pinned Istio module's files, so that a cleaned module cache does
// no harm.
func (b *Builder) IstioFiles(ctx context.Context) (string, error) {
	return b.moduleFiles(ctx, "istio", istioFolders())
}

// MetalLB returns the path of MetalLB's manifest, as its module holds it.
func (b *Builder) MetalLB(ctx context.Context) (string, error) {
	const folder = "config/manifests"
	dir, err := b.moduleFiles(ctx, "metallb", []string{folder})
	return filepath.Join(dir, folder, "metallb-native.yaml"), err
}

func (b *Builder) moduleFiles(ctx context.Context, name string, folders []string) (string, error) {
	return b.entry(ctx, "files-"+name, b.filesKey(name, folders), "copy files of "+name, func(ctx context.Context, dir string) error {
		from, err := b.ModuleDir(ctx, name)
		if err != nil {
			return err
		}
		for _, f := range folders {
			if err := copyTree(filepath.Join(from, f), filepath.Join(dir, f)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Builder) filesKey(name string, folders []string) string {
	m := b.v.Modules[name]
	return store.Key("files", m.Path, m.Version, m.Sum, strings.Join(folders, " "))
}

// copyTree copies regular files, writable for their owner: a module cache holds them read-only, and without execute
// bits, which scripts are given back.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(dst, 0o755)
		}
		mode := os.FileMode(0o644)
		if filepath.Ext(p) == ".sh" {
			mode = 0o755
		}
		in, err := os.Open(p)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.OpenFile(dst, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close())
	})
}

// One returns a layout of the one image that nodes know by that name.
func (b *Builder) One(ctx context.Context, ref string) (string, error) {
	for _, r := range Recipes(b.v) {
		if r.Ref == ref {
			return b.Layout(ctx, r.Name, []Recipe{r})
		}
	}
	return "", fmt.Errorf("build image %s: there is no recipe for it: push it to a registry", ref)
}
