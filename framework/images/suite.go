package images

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/source"
	"github.com/meshproof/meshproof/framework/whole"
)

// SuiteImage is the suite's own image: this program with everything that the guide's commands need, for runs on given clusters
// from within one of them.
type SuiteImage struct {
	// Ref names it, with the architecture; Layout is the directory that holds it.
	Ref, Layout string
}

// Suite builds the suite's own image around a program, which must be an executable of this machine's architecture that needs no
// library. In the image it finds its tools as it finds those of a loaded archive.
func Suite(ctx context.Context, program string, o Options) (SuiteImage, error) {
	j, err := newJob(ctx, o)
	if err != nil {
		return SuiteImage{}, err
	}
	entry, manifest, err := suiteEntry()
	if err != nil {
		return SuiteImage{}, err
	}
	b, err := j.build()
	if err != nil {
		return SuiteImage{}, err
	}
	dir, err := b.SuiteLayout(ctx, source.Suite{Program: program, Entry: entry, Manifest: manifest})
	if err != nil {
		return SuiteImage{}, err
	}
	index, err := oci.ReadIndex(dir)
	if err != nil {
		return SuiteImage{}, err
	}
	if len(index.Manifests) != 1 {
		return SuiteImage{}, fmt.Errorf("read the suite's image: %s holds %d images, not 1: remove that directory and run again", dir, len(index.Manifests))
	}
	return SuiteImage{Ref: oci.RefOf(index.Manifests[0]), Layout: dir}, nil
}

// suiteEntry gives the cache entry in which this program finds the tools of its image, and what describes it.
func suiteEntry() (name, manifest string, err error) {
	c, err := own()
	if err != nil {
		return "", "", err
	}
	c.Set = Set{Source: Source, Kubectl: source.SuiteKubectl, Istioctl: source.SuiteIstioctl, IstioModule: source.SuiteIstio}
	text, err := json.MarshalIndent(c, "", " ")
	return archiveEntry(c) + "-0", string(text), err
}

// Push pushes the image to HOST/PREFIX of a registry, and gives the name that it has there.
func (s SuiteImage) Push(ctx context.Context, mirror string) (string, error) {
	index, err := oci.ReadIndex(s.Layout)
	if err != nil {
		return "", err
	}
	to := mirrored(mirror, s.Ref)
	for _, d := range index.Manifests {
		img, err := layout.Path(s.Layout).Image(d.Digest)
		if err != nil {
			return "", err
		}
		if err := push(ctx, img, to); err != nil {
			return "", err
		}
	}
	return to, nil
}

// Write writes the image as a file that docker load, kind load image-archive and other tools read.
func (s SuiteImage) Write(file string) error {
	return whole.File(file, 0o644, func(w io.Writer) error { return source.SuiteArchive(w, s.Layout, s.Ref) })
}
