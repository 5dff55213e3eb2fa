package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/meshproof/meshproof/framework/images/internal/engine"
	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/source"
)

// ErrNowhere is wrapped when none of the references of an image is in its registry.
var ErrNowhere = errors.New("no registry holds it")

// puller pulls images on this machine: nodes get them from the rig's registry, so that a second run pulls nothing.
type puller struct {
	store  *store.Store
	report *progress.Reporter
	docker engine.Docker
}

// find returns the first of an image's references that a registry holds, for this machine's architecture. Some registries deny
// what they do not hold, so the references after a refusal are tried too; where none is there, the first refusal is the reason.
func find(ctx context.Context, w wanted) (name.Reference, v1.Image, error) {
	var denied error
	for _, from := range w.from {
		ref, err := name.ParseReference(from)
		if err != nil {
			return nil, nil, fmt.Errorf("pull image %s: %w: a mirror is given as HOST or HOST/PREFIX", from, err)
		}
		img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain),
			remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
		var answer *transport.Error
		if errors.As(err, &answer) && (answer.StatusCode == http.StatusNotFound || refused(answer)) {
			if denied == nil && refused(answer) && !w.build {
				denied = pullError(from, err)
			}
			continue
		}
		if err != nil {
			return nil, nil, pullError(from, err)
		}
		return ref, img, nil
	}
	if denied != nil {
		return nil, nil, denied
	}
	return nil, nil, fmt.Errorf("pull image %s: %w: push it there, choose another --registry, or use --images source", strings.Join(w.from, " or "), ErrNowhere)
}

// refused says whether a registry denies access.
func refused(answer *transport.Error) bool {
	return answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden
}

// pullError says what to do about a registry that does not give an image. Layers are checked against their digests
// while they are read, so a download that was cut or changed ends here too.
func pullError(from string, err error) error {
	return fmt.Errorf("pull image %s: %w: run again if the download was cut (what was finished is kept); check that this machine "+
		"reaches the registry and may read it (docker login); or use --images source", from, err)
}

// layoutOf pulls an image into a layout of its own, in the cache, under the name that nodes ask for.
func (p *puller) layoutOf(ctx context.Context, w wanted) (string, error) {
	path, _ := oci.Repository(w.Ref)
	key := store.Key(append([]string{"pulled", w.Ref, runtime.GOARCH}, w.from...)...)
	item := "pull " + w.Ref
	return p.store.Entry(ctx, "pulled-"+strings.ReplaceAll(path, "/", "-"), key, func(ctx context.Context, dir string) error {
		from, img, err := find(ctx, w)
		if err != nil {
			return err
		}
		return p.report.Do(ctx, item, func(context.Context) error {
			l, err := layout.Write(dir, empty.Index)
			if err == nil {
				err = l.AppendImage(img, layout.WithAnnotations(oci.Named(v1.Descriptor{}, w.Ref).Annotations))
			}
			if err != nil {
				return pullError(from.String(), err)
			}
			return nil
		})
	})
}

// load pulls an image into the engine under a name that says where it came from.
func (p *puller) load(ctx context.Context, as string, w wanted) (string, error) {
	ref := source.Local + as + ":" + store.Key(append([]string{"engine", runtime.GOARCH}, w.from...)...)
	unlock, err := p.store.Lock(ctx, "engine-"+as)
	if err != nil {
		return "", err
	}
	defer unlock()
	there, err := p.docker.Has(ctx, ref)
	if err != nil || there {
		return ref, err
	}
	from, img, err := find(ctx, w)
	if err != nil {
		return "", err
	}
	tmp, remove, err := p.store.Temp("engine-" + as)
	if err != nil {
		return "", err
	}
	return ref, p.report.Do(ctx, "pull "+from.String(), func(ctx context.Context) error {
		if err := errors.Join(p.loadImage(ctx, ref, img, tmp), remove()); err != nil {
			return pullError(from.String(), err)
		}
		return nil
	})
}

// loadImage gives an image to the engine with its layers unpacked into tar files, since engines differ in the
// compressions that they read.
func (p *puller) loadImage(ctx context.Context, ref string, img v1.Image, tmp string) error {
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	files := make([]string, len(layers))
	for i, l := range layers {
		files[i] = filepath.Join(tmp, fmt.Sprintf("%d.tar", i))
		if err := unpack(l, files[i]); err != nil {
			return err
		}
	}
	return p.docker.Load(ctx, ref, func(w io.Writer) error {
		return oci.DockerArchive(w, config.Architecture, ref, config.Config, files)
	})
}

func unpack(l v1.Layer, to string) error {
	in, err := l.Uncompressed()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, in.Close(), out.Close())
}
