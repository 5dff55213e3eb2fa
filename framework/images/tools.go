package images

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/images/source"
)

// Tools makes available what a run on given clusters needs on this machine, and no image: kubectl (the one on the PATH,
// else a built one), and, unless a release directory is given, istioctl and the files of the pinned Istio. It needs no
// container engine. Of the Set only Kubectl, Istioctl, IstioModule, Source and Reason are filled.
func Tools(ctx context.Context, o Options) (*Set, error) {
	if set, err := loadedTools(ctx, o); set != nil || err != nil {
		return set, err
	}
	j, err := newJob(ctx, o)
	if err != nil {
		return nil, err
	}
	set := &Set{Source: Source, Reason: "the clusters are given: no image is needed here, only tools"}
	if set.Kubectl, err = exec.LookPath("kubectl"); err != nil {
		if set.Kubectl, err = j.executable(ctx, "kubernetes", "kubectl"); err != nil {
			return nil, fmt.Errorf("make kubectl available (none is on the PATH): %w: or put kubectl on the PATH", err)
		}
	}
	if o.ReleaseDir != "" {
		return set, nil
	}
	if set.Istioctl, err = j.executable(ctx, "istio", "istioctl"); err != nil {
		return nil, fmt.Errorf("make istioctl available: %w: or give a release directory with --release-dir", err)
	}
	b, err := j.build()
	if err == nil {
		set.IstioModule, err = b.IstioFiles(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("make the pinned Istio's files available: %w", err)
	}
	return set, nil
}

// executable is the path of one of a unit's executables.
func (j *job) executable(ctx context.Context, unit, name string) (string, error) {
	b, err := j.build()
	if err != nil {
		return "", err
	}
	dir, err := b.Executables(ctx, unit)
	return filepath.Join(dir, name), err
}

// Istio fills a Set with what a control plane on given clusters is installed with: the images of the release directory, or of the pinned
// Istio without one, from the registry where one is named. "" as hub stands for the release's own.
func Istio(ctx context.Context, o Options, set *Set) error {
	of, err := installed(ctx, o)
	if err != nil {
		return err
	}
	set.UpstreamEnvoy = of.hub == source.Hub // those are built here, on upstream Envoy, and found in no public registry
	set.Hub, set.Tag = "", ""
	if o.Registry != "" {
		set.Hub, set.Tag = path.Dir(mirrored(o.Registry, of.image("pilot"))), of.tag
	}
	return nil
}

// ControlPlane gives the images that Istio has given clusters pull for a control plane and its proxies, by their own names.
func ControlPlane(ctx context.Context, o Options) ([]string, error) {
	of, err := installed(ctx, o)
	if err != nil {
		return nil, err
	}
	return []string{of.image("pilot"), of.image("proxyv2")}, nil
}

// installed is the Istio of the release directory, or the pinned one without.
func installed(ctx context.Context, o Options) (*istioOf, error) {
	v, err := load()
	if err != nil {
		return nil, err
	}
	of, err := releaseImages(ctx, o.ReleaseDir)
	if of == nil && err == nil {
		of = &istioOf{hub: source.Hub, tag: v.Istio.Version}
	}
	return of, err
}
