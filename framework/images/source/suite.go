package source

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

// Suite says what the suite's own image holds besides its root file system.
type Suite struct {
	// Program is the suite's executable; the image is for its architecture, which is this machine's.
	Program string
	// Entry is the name of the cache entry in which the program finds its tools and files, and Manifest what describes it: in the
	// image there is no go command.
	Entry, Manifest string
}

// Places in the suite's own image.
const (
	suiteCache = "/var/cache"
	suiteWork  = "/work"
	suiteUser  = "65532:65532"
)

// Names within the cache entry that the image holds.
const (
	SuiteKubectl  = "kubectl"
	SuiteIstioctl = "istioctl"
	SuiteIstio    = "istio"
)

// SuiteRef is the name of the suite's own image, which changes with what is in it; each architecture has its own.
func SuiteRef(key, arch string) string { return Host + "/meshproof/suite:" + key + "-" + arch }

// suiteConfig is how the image runs: as nobody in particular, writing to /work and /tmp only.
func suiteConfig() v1.Config {
	return v1.Config{Entrypoint: []string{"/usr/local/bin/meshproof"}, User: suiteUser, WorkingDir: suiteWork,
		Env: []string{searchPath, "HOME=/tmp", "XDG_CACHE_HOME=" + suiteCache, "XDG_STATE_HOME=/tmp/state"}}
}

// SuiteLayout returns a layout of the suite's own image: the program, bash and what else the guide's commands call, kubectl,
// istioctl, and the files of the pinned Istio.
func (b *Builder) SuiteLayout(ctx context.Context, s Suite) (dir string, err error) {
	if err := static(s.Program); err != nil {
		return "", fmt.Errorf("put %s into an image: %w", s.Program, err)
	}
	sum, err := sumOf(s.Program)
	if err != nil {
		return "", err
	}
	base, err := b.fsLayer(ctx, suiteFS())
	if err != nil {
		return "", err
	}
	kubernetes, err := b.Executables(ctx, "kubernetes")
	if err != nil {
		return "", err
	}
	istio, err := b.Executables(ctx, "istio")
	if err != nil {
		return "", err
	}
	files, err := b.IstioFiles(ctx)
	if err != nil {
		return "", err
	}
	// The paths of cache entries end with the keys of what they hold.
	key := store.Key("suite", base, kubernetes, istio, files, sum, s.Entry, s.Manifest, fmt.Sprint(suiteConfig()))
	const item = "put the suite's own image together"
	return b.entry(ctx, "layout-suite", key, item, b.work(item, func(_ context.Context, dir string) error {
		all, err := s.files(kubernetes, istio, files)
		if err != nil {
			return err
		}
		own := filepath.Join(dir, "layer")
		if err := os.Mkdir(own, 0o755); err != nil {
			return err
		}
		tar := oci.Tar(all)
		if err := errors.Join(oci.WriteLayer(own, tar), tar.Close()); err != nil {
			return err
		}
		return errors.Join(oci.WriteLayout(dir, b.arch, []oci.Image{{Ref: SuiteRef(key, b.arch), Config: suiteConfig(), Layers: []string{base, own}}}), os.RemoveAll(own))
	}))
}

// files are those above the root file system. Tools lie where the program looks for what an archive brought, with links on
// the PATH.
func (s Suite) files(kubernetes, istio, istioFiles string) ([]oci.File, error) {
	cache := suiteCache + "/meshproof"
	entry := cache + "/entries/" + s.Entry
	all := []oci.File{
		{Path: "/usr/local/bin/meshproof", Source: s.Program},
		{Path: entry + "/manifest.json", Data: []byte(s.Manifest), Mode: 0o644},
		{Path: entry + "/" + SuiteKubectl, Source: filepath.Join(kubernetes, "kubectl")},
		{Path: entry + "/" + SuiteIstioctl, Source: filepath.Join(istio, "istioctl")},
		{Path: "/usr/local/bin/kubectl", Link: entry + "/" + SuiteKubectl},
		{Path: "/usr/local/bin/istioctl", Link: entry + "/" + SuiteIstioctl},
		{Path: cache + "/locks", Dir: true}, {Path: cache + "/tmp", Dir: true}, {Path: suiteWork, Dir: true, Mode: 0o1777},
	}
	err := filepath.WalkDir(istioFiles, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(istioFiles, p)
		all = append(all, oci.File{Path: entry + "/" + SuiteIstio + "/" + filepath.ToSlash(rel), Source: p, Mode: int64(info.Mode().Perm())})
		return err
	})
	return all, err
}

// static refuses a program that needs a loader or libraries of the machine that built it.
func static(program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("it is no program for Linux: %w", err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("it is linked with libraries of this machine: build it with CGO_ENABLED=0, as make build does")
		}
	}
	return nil
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// SuiteArchive writes the suite's own image in docker's form (its manifest.json beside layers that gzip compresses): engines
// before docker 25 read neither an OCI layout nor zstd.
func SuiteArchive(w io.Writer, dir, ref string) error {
	index, err := oci.ReadIndex(dir)
	if err != nil {
		return err
	}
	if len(index.Manifests) != 1 {
		return fmt.Errorf("write the suite's image: %s holds %d images, not 1", dir, len(index.Manifests))
	}
	kept, err := layout.Path(dir).Image(index.Manifests[0].Digest)
	if err != nil {
		return err
	}
	img, err := inDockersForm(kept)
	if err != nil {
		return fmt.Errorf("write the suite's image: %w", err)
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	return tarball.Write(tag, img, w)
}

// inDockersForm gives an image with the same files and configuration whose layers gzip compresses.
func inDockersForm(kept v1.Image) (v1.Image, error) {
	config, err := kept.ConfigFile()
	if err != nil {
		return nil, err
	}
	layers, err := kept.Layers()
	if err != nil {
		return nil, err
	}
	for i, l := range layers {
		if layers[i], err = tarball.LayerFromOpener(l.Uncompressed, tarball.WithCompressionLevel(gzip.BestSpeed)); err != nil {
			return nil, err
		}
	}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.History = nil // one entry a layer, or none
	return mutate.ConfigFile(img, config)
}
