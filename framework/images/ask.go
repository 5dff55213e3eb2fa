package images

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"
)

// Asked is what a registry said of an image: nil when it holds it for this machine's architecture, an error that wraps ErrNowhere
// when it does not.
type Asked struct {
	Ref string
	Err error
}

// askLimit bounds all questions of one call.
const askLimit = 20 * time.Second

// Ask asks for the manifests of images: of a mirror, where the options name one, else of the images' own registries. No layer is
// downloaded, and nothing is kept. It asks as this machine, with the credentials that docker login has left here.
func Ask(ctx context.Context, o Options, refs []string) []Asked {
	var all []wanted
	for _, ref := range refs {
		w := wanted{Image: Image{Ref: ref}, from: []string{ref}}
		if o.Registry != "" {
			w.from = []string{mirrored(o.Registry, ref)}
		}
		all = append(all, w)
	}
	return ask(ctx, all)
}

// AskForRun asks for everything that a run on kind clusters would pull with these options. What no registry has to hold, because it
// is built otherwise, is not asked for.
func AskForRun(ctx context.Context, o Options) ([]Asked, error) {
	v, err := load()
	if err != nil {
		return nil, err
	}
	release, err := releaseImages(ctx, o.ReleaseDir)
	if err != nil {
		return nil, err
	}
	all := []wanted{wantedNode(v, o.Registry)}
	for _, w := range wantedImages(v, o.Registry, release) {
		if !w.build {
			all = append(all, w)
		}
	}
	return ask(ctx, all), nil
}

func ask(ctx context.Context, all []wanted) []Asked {
	ctx, cancel := context.WithTimeoutCause(ctx, askLimit, fmt.Errorf("no answer within %s", askLimit))
	defer cancel()
	asked := make([]Asked, len(all))
	var g errgroup.Group
	g.SetLimit(pullsAtOnce)
	for i, w := range all {
		g.Go(func() error {
			_, _, err := find(ctx, w)
			if err != nil && !errors.Is(err, ErrNowhere) && errors.Unwrap(err) != nil {
				err = errors.Unwrap(err) // what find says besides is about a pull
			}
			asked[i] = Asked{w.Ref, err}
			return nil
		})
	}
	_ = g.Wait() // every reason is in its answer
	return asked
}

// RegistryOf is the registry that a reference names; "" for what is no reference.
func RegistryOf(ref string) string {
	r, err := name.ParseReference(ref)
	if err != nil {
		return ""
	}
	return r.Context().RegistryStr()
}

// Same tells whether two references name one image: "curlimages/curl:1" and "docker.io/curlimages/curl:1" do.
func Same(a, b string) bool {
	one, err := name.ParseReference(a)
	if err != nil {
		return a == b
	}
	other, err := name.ParseReference(b)
	return err == nil && one.Name() == other.Name()
}
