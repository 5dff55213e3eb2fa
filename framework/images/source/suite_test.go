package source

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
)

// anELF writes a program's file; interpreted ones name a loader.
func anELF(t *testing.T, interpreted bool) string {
	t.Helper()
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Phoff: 64, Phentsize: 56, Shentsize: 64}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var b bytes.Buffer
	if interpreted {
		h.Phnum = 1
	}
	err := binary.Write(&b, binary.LittleEndian, h)
	if interpreted {
		err = errors.Join(err, binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_INTERP)}))
	}
	file := filepath.Join(t.TempDir(), "meshproof")
	if err := errors.Join(err, os.WriteFile(file, b.Bytes(), 0o755)); err != nil {
		t.Fatal(err)
	}
	return file
}

// entryOf puts files into the cache as what was built under that name and key.
func entryOf(t *testing.T, b *Builder, name, key string, files ...string) {
	t.Helper()
	_, err := b.store.Entry(t.Context(), name, key, func(_ context.Context, dir string) error {
		for _, f := range files {
			path := filepath.Join(dir, f)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(f), 0o755)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// builtBefore fills the cache with all that the suite's image is made of, in small.
func builtBefore(t *testing.T, b *Builder) {
	t.Helper()
	root, err := b.rootFSKey(suiteFS())
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.store.Entry(t.Context(), "layer-suite", root, func(_ context.Context, dir string) error {
		return oci.WriteLayer(dir, oci.Tar([]oci.File{{Path: "/bin/bash", Data: []byte("bash")}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for unit, file := range map[string]string{"kubernetes": "kubectl", "istio": "istioctl"} {
		u, err := b.unit(unit)
		if err != nil {
			t.Fatal(err)
		}
		key, err := b.unitKey(u)
		if err != nil {
			t.Fatal(err)
		}
		entryOf(t, b, "bin-"+unit, key, file)
	}
	entryOf(t, b, "files-istio", b.filesKey("istio", istioFolders()), "samples/sleep.yaml", "manifests/a/b.yaml")
}

func TestSuiteImage(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		b := builder(t)
		b.arch = arch
		builtBefore(t, b)
		dir, err := b.SuiteLayout(t.Context(), Suite{Program: anELF(t, false), Entry: "archive-x-0", Manifest: "{}"})
		if err != nil {
			t.Fatal(err)
		}
		index, err := oci.ReadIndex(dir)
		if err != nil || len(index.Manifests) != 1 || !strings.HasPrefix(oci.RefOf(index.Manifests[0]), Host+"/meshproof/suite:") || oci.RefOf(index.Manifests[0]) != SuiteRef(strings.TrimPrefix(filepath.Base(dir), "layout-suite-"), arch) {
			t.Fatalf("index %+v, error %v", index, err)
		}
		img, err := layout.Path(dir).Image(index.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil || config.Architecture != arch || config.Config.User != suiteUser || !slices.Contains(config.Config.Env, "XDG_CACHE_HOME=/var/cache") {
			t.Errorf("configuration %+v, error %v", config, err)
		}
		names := entriesOf(t, dir)
		const entry = "var/cache/meshproof/entries/archive-x-0/"
		for _, want := range []string{"bin/bash", "usr/local/bin/meshproof", entry + "manifest.json", entry + "kubectl", entry + "istioctl", entry + "istio/samples/sleep.yaml",
			"usr/local/bin/kubectl -> /" + entry + "kubectl", "usr/local/bin/istioctl -> /" + entry + "istioctl", "var/cache/meshproof/locks/", "var/cache/meshproof/tmp/", "work/"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s lacks %s: it holds %v", arch, want, names)
			}
		}
		checkArchive(t, dir, img, oci.RefOf(index.Manifests[0]))
	}
}

// checkArchive sees that the file that docker load reads holds the same image, and nothing that an old engine cannot read.
func checkArchive(t *testing.T, dir string, img v1.Image, ref string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "suite.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(SuiteArchive(f, dir, ref), f.Close()); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatal(err)
	}
	want, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got, err := loaded.ConfigFile()
	if err != nil || !slices.Equal(got.RootFS.DiffIDs, want.RootFS.DiffIDs) || got.Config.User != want.Config.User || got.Architecture != want.Architecture {
		t.Errorf("the file holds %+v, error %v; want %+v", got, err, want)
	}
	layers, err := loaded.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		packed, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		begins := make([]byte, 2)
		if _, err := io.ReadFull(packed, begins); err != nil || !bytes.Equal(begins, []byte{0x1f, 0x8b}) {
			t.Errorf("a layer begins with %x, error %v: it is not gzip's", begins, err)
		}
		packed.Close()
	}
}

// entriesOf lists what the layers of an image hold.
func entriesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		packed, err := os.ReadFile(blob)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) || err != nil && errors.Is(err, zstd.ErrMagicMismatch) { // the others are JSON
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			name := h.Name
			if h.Linkname != "" {
				name += " -> " + h.Linkname
			}
			names = append(names, name)
		}
		z.Close()
	}
	return names
}

func TestOnlyAProgramThatNeedsNothingGoesIntoTheImage(t *testing.T) {
	b := builder(t)
	_, err := b.SuiteLayout(t.Context(), Suite{Program: anELF(t, true)})
	wantError(t, err, "libraries of this machine", "CGO_ENABLED=0")
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = b.SuiteLayout(t.Context(), Suite{Program: script})
	wantError(t, err, "no program for Linux")
}
