package source

import (
	"context"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// Result is everything that a run of images built here needs.
type Result struct {
	Node, Registry    string // references in the engine
	Layout            string // directory of the images that the rig's registry serves
	Kubectl, Istioctl string // executables
	MetalLB           string // manifest
	Istio             string // directory of the pinned Istio's files
}

// All builds whatever is missing. What does not compile overlaps what does: downloads, packages, compression, and the
// node image, whose executables are compiled first.
func (b *Builder) All(ctx context.Context) (*Result, error) {
	units, err := b.units()
	if err != nil {
		return nil, err
	}
	if err := b.announce(units); err != nil {
		return nil, err
	}
	var r Result
	g, ctx := errgroup.WithContext(ctx)
	g.Go(b.inOrder(ctx, units))
	g.Go(func() error {
		dir, err := b.Executables(ctx, "kubernetes")
		r.Kubectl = filepath.Join(dir, "kubectl")
		return err
	})
	g.Go(func() error {
		dir, err := b.Executables(ctx, "istio")
		r.Istioctl = filepath.Join(dir, "istioctl")
		return err
	})
	g.Go(func() error { _, err := b.kubernetes(ctx); return err })
	g.Go(func() (err error) {
		if r.Layout, err = b.Layout(ctx, "mesh", Recipes(b.v)); err != nil {
			return err
		}
		r.Node, err = b.Node(ctx, r.Layout)
		return err
	})
	g.Go(func() error { _, err := b.RootFS(ctx, nodeFS()); return err })
	g.Go(func() (err error) { r.Registry, err = b.Registry(ctx); return err })
	g.Go(func() (err error) { r.MetalLB, err = b.MetalLB(ctx); return err })
	g.Go(func() (err error) { r.Istio, err = b.IstioFiles(ctx); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &r, nil
}
