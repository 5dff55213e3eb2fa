package oci

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// layerOf makes a layer of one file and returns its directory.
func layerOf(t *testing.T, path, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := WriteLayer(dir, Tar([]File{{Path: path, Data: []byte(text)}})); err != nil {
		t.Fatal(err)
	}
	return dir
}

// layoutOf makes a layout of two images that share a layer.
func layoutOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	base := layerOf(t, "/etc/base", "base")
	err := WriteLayout(dir, "amd64", []Image{
		{Ref: "docker.io/some/one:1", Layers: []string{base, layerOf(t, "/one", "1")}, Config: v1.Config{User: "7"}},
		{Ref: "quay.io/two:2", Layers: []string{base}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTarIsSortedAndTimeless(t *testing.T) {
	source := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(source, []byte("from disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []File{{Path: "/z", Source: source}, {Path: "/a", Data: []byte("x"), Mode: 0o644}, {Path: "/d", Dir: true}, {Path: "/l", Link: "z"}}
	first, err := io.ReadAll(Tar(files))
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	second, err := io.ReadAll(Tar(files))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the order of the list changes the tar (%v)", err)
	}
	var got []string
	for tr := tar.NewReader(bytes.NewReader(first)); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.IsZero() && h.ModTime.Unix() != 0 {
			t.Errorf("%s has the time %s", h.Name, h.ModTime)
		}
		body, _ := io.ReadAll(tr)
		got = append(got, strings.Join([]string{h.Name, string(h.Typeflag), h.Linkname, string(body)}, "|"))
	}
	want := []string{"a|0||x", "d/|5||", "l|2|z|", "z|0||from disk"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTarGivesTheErrorOfAMissingFile(t *testing.T) {
	if _, err := io.ReadAll(Tar([]File{{Path: "/x", Source: filepath.Join(t.TempDir(), "none")}})); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
}

func TestWriteLayerSaysThatTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, blobFile)); err != nil {
		t.Fatal(err)
	}
	if err := WriteLayer(dir, strings.NewReader(strings.Repeat("x", 1<<20))); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want no space left", err)
	}
}

// validLayout checks manifests, sizes and the two digests of each layer. The library's own full check knows gzip only.
func validLayout(t *testing.T, dir string) {
	t.Helper()
	index, err := ReadIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range index.Manifests {
		img, err := layout.Path(dir).Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img, validate.Fast); err != nil {
			t.Error(err)
		}
		layers, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			digest, diff := hashOf(t, l.Compressed), hashOf(t, l.Uncompressed)
			if want, err := l.Digest(); err != nil || digest != want {
				t.Errorf("%s: a blob has the digest %s, named %s, %v", RefOf(d), digest, want, err)
			}
			if want, err := l.DiffID(); err != nil || diff != want {
				t.Errorf("%s: a layer has the digest %s, named %s, %v", RefOf(d), diff, want, err)
			}
		}
	}
}

func hashOf(t *testing.T, open func() (io.ReadCloser, error)) v1.Hash {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h, _, err := v1.SHA256(r)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The layouts are read back by a library that others wrote, which checks every digest and size.
func TestLayoutIsValid(t *testing.T) {
	dir := layoutOf(t)
	validLayout(t, dir)
	got, err := ReadIndex(dir)
	if err != nil || len(got.Manifests) != 2 || RefOf(got.Manifests[0]) != "docker.io/some/one:1" {
		t.Fatalf("index %v, %v", got, err)
	}
	img, err := layout.Path(dir).Image(got.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := img.ConfigFile(); err != nil || config.Config.User != "7" || config.Architecture != "amd64" {
		t.Errorf("configuration %+v, %v", config, err)
	}
	blobs, err := Blobs(dir, got.Manifests)
	if err != nil || len(blobs) != 6 { // two manifests, two configurations, two layers of which one is shared
		t.Errorf("%d blobs, %v; want 6", len(blobs), err)
	}
}

func TestEqualInputsGiveEqualDigests(t *testing.T) {
	a, err := ReadIndex(layoutOf(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadIndex(layoutOf(t))
	if err != nil || a.Manifests[0].Digest != b.Manifests[0].Digest {
		t.Errorf("digests %s and %s, %v", a.Manifests[0].Digest, b.Manifests[0].Digest, err)
	}
}

func TestMergeHoldsEveryImage(t *testing.T) {
	other := t.TempDir()
	if err := WriteLayout(other, "amd64", []Image{{Ref: "quay.io/three:3", Layers: []string{layerOf(t, "/three", "3")}}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Merge(dir, []string{layoutOf(t), other}); err != nil {
		t.Fatal(err)
	}
	validLayout(t, dir)
	if m, err := ReadIndex(dir); err != nil || len(m.Manifests) != 3 {
		t.Errorf("%d images, %v; want 3", len(m.Manifests), err)
	}
}

func TestLayoutArchiveStartsWithItsNames(t *testing.T) {
	var b bytes.Buffer
	if err := LayoutArchive(&b, layoutOf(t), func(ref string) bool { return ref == "quay.io/two:2" }); err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(&b)
	h, err := tr.Next()
	if err != nil || h.Name != "repositories" {
		t.Fatalf("the first entry is %v, %v; want repositories", h, err)
	}
	var names map[string]map[string]string
	if err := json.NewDecoder(tr).Decode(&names); err != nil || len(names) != 1 || names["quay.io/two"]["2"] == "" {
		t.Errorf("repositories %v, %v; want quay.io/two:2 alone", names, err)
	}
	blobs := 0
	for {
		h, err := tr.Next()
		if err != nil {
			break
		}
		if strings.HasPrefix(h.Name, "blobs/sha256/") {
			blobs++
		}
	}
	if blobs != 3 {
		t.Errorf("%d blobs, want 3: manifest, configuration and layer of the image that was kept", blobs)
	}
}

func TestDockerArchiveIsReadable(t *testing.T) {
	dir := t.TempDir()
	layer, file := filepath.Join(dir, "layer.tar"), filepath.Join(dir, "image.tar")
	data, err := io.ReadAll(Tar([]File{{Path: "/f", Data: []byte("x")}}))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = errors.Join(os.WriteFile(layer, data, 0o644),
		DockerArchive(&b, "arm64", "example.com/a:1", v1.Config{StopSignal: "SIGRTMIN+3"}, []string{layer}),
		os.WriteFile(file, b.Bytes(), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	if c, err := img.ConfigFile(); err != nil || c.Config.StopSignal != "SIGRTMIN+3" || c.Architecture != "arm64" {
		t.Errorf("configuration %+v, %v", c, err)
	}
}

func TestRepository(t *testing.T) {
	for ref, want := range map[string][2]string{
		"docker.io/curlimages/curl:8.16.0":    {"curlimages/curl", "8.16.0"},
		"registry.k8s.io/coredns/coredns:v1":  {"coredns/coredns", "v1"},
		"127.0.0.1:9/meshproof/kind-node:key": {"meshproof/kind-node", "key"},
		"localhost/istio/pilot:dev":           {"istio/pilot", "dev"},
		"library/busybox":                     {"library/busybox", "latest"},
		"localhost:5000/busybox":              {"busybox", "latest"},
	} {
		if path, tag := Repository(ref); path != want[0] || tag != want[1] {
			t.Errorf("%s: %s and %s, want %v", ref, path, tag, want)
		}
	}
}
