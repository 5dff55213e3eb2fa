package images

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sync/errgroup"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
)

// Push copies every image of a set to HOST/PREFIX of a registry, so that Ensure finds them there when it is given the
// same as Options.Registry: a machine that builds can serve others. The error names the image that could not be pushed.
func Push(ctx context.Context, set *Set, mirror string, o Options) error {
	j, err := newJob(ctx, o)
	if err != nil {
		return err
	}
	index, err := oci.ReadIndex(set.Layout)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pullsAtOnce)
	g.Go(func() error { return j.pushNode(ctx, set.Node, mirrored(mirror, builtNode(j.v))) })
	for _, d := range index.Manifests {
		g.Go(func() error {
			img, err := layout.Path(set.Layout).Image(d.Digest)
			if err != nil {
				return err
			}
			return push(ctx, img, mirrored(mirror, oci.RefOf(d)))
		})
	}
	return g.Wait()
}

func push(ctx context.Context, img v1.Image, to string) error {
	ref, err := name.ParseReference(to)
	if err == nil {
		err = remote.Write(ref, img, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	}
	if err != nil {
		return fmt.Errorf("push image %s: %w: check that the registry is reached and may be written to (docker login)", to, err)
	}
	return nil
}

// pushNode takes the node image out of the engine and pushes it.
func (j *job) pushNode(ctx context.Context, node, to string) error {
	unlock, err := j.store.Lock(ctx, "push-node")
	if err != nil {
		return err
	}
	defer unlock()
	tmp, remove, err := j.store.Temp("push-node")
	if err != nil {
		return err
	}
	archive := filepath.Join(tmp, "node.tar")
	if _, err = j.docker.Do(ctx, "save", "--output", archive, node); err != nil {
		return errors.Join(fmt.Errorf("save image %s: %w", node, err), remove())
	}
	img, err := tarball.ImageFromPath(archive, nil)
	if err == nil {
		err = push(ctx, img, to)
	}
	return errors.Join(err, remove())
}
