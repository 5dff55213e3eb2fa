package oci

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is one image of a layout: its name, its layers (directories that WriteLayer filled) and how it starts.
type Image struct {
	Ref    string
	Layers []string
	Config v1.Config
}

// The two keys under which importers look for an image's full name.
const (
	nameKey    = "io.containerd.image.name"
	refNameKey = "org.opencontainers.image.ref.name"
)

// WriteLayout writes images for one architecture into dir as an OCI layout. Layer blobs are hard links where the file
// system allows it. Equal inputs give equal bytes.
func WriteLayout(dir, arch string, images []Image) error {
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, img := range images {
		d, err := writeImage(dir, arch, img)
		if err != nil {
			return fmt.Errorf("write image %s: %w", img.Ref, err)
		}
		index.Manifests = append(index.Manifests, d)
	}
	return WriteIndex(dir, index)
}

const layoutVersion = `{"imageLayoutVersion":"1.0.0"}`

// WriteIndex writes the two files that make a directory of blobs an OCI layout.
func WriteIndex(dir string, index v1.IndexManifest) error {
	b, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "index.json"), b, 0o644),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(layoutVersion), 0o644))
}

// Named is the descriptor of an image in a layout's index, under its full name.
func Named(d v1.Descriptor, ref string) v1.Descriptor {
	d.Annotations = map[string]string{nameKey: ref, refNameKey: ref}
	return d
}

// RefOf is the full name that Named gave a descriptor.
func RefOf(d v1.Descriptor) string { return d.Annotations[nameKey] }

func writeImage(dir, arch string, img Image) (v1.Descriptor, error) {
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	c := v1.ConfigFile{OS: "linux", Architecture: arch, Config: img.Config, RootFS: v1.RootFS{Type: "layers"}}
	for _, from := range img.Layers {
		l, err := ReadLayer(from)
		if err != nil {
			return v1.Descriptor{}, err
		}
		digest, err := v1.NewHash(l.Digest)
		if err != nil {
			return v1.Descriptor{}, err
		}
		diff, err := v1.NewHash(l.DiffID)
		if err != nil {
			return v1.Descriptor{}, err
		}
		if err := link(filepath.Join(from, blobFile), blobPath(dir, digest)); err != nil {
			return v1.Descriptor{}, err
		}
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: types.MediaType(l.MediaType), Size: l.Size, Digest: digest})
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, diff)
	}
	config, err := writeJSON(dir, mediaConfig, c)
	if err != nil {
		return v1.Descriptor{}, err
	}
	m.Config = config
	d, err := writeJSON(dir, mediaManifest, m)
	d.Platform = &v1.Platform{OS: "linux", Architecture: arch}
	return Named(d, img.Ref), err
}

func writeJSON(dir, media string, value any) (v1.Descriptor, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return v1.Descriptor{}, err
	}
	h := sha256.Sum256(b)
	digest := v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", h)}
	return v1.Descriptor{MediaType: types.MediaType(media), Size: int64(len(b)), Digest: digest},
		os.WriteFile(blobPath(dir, digest), b, 0o644)
}

func blobPath(dir string, h v1.Hash) string { return filepath.Join(dir, "blobs", h.Algorithm, h.Hex) }

// link makes to the same file as from: by a hard link, or by copying where the file system has none.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, os.ErrExist) {
		return nil
	}
	if !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Repository splits a full reference into the path that a registry knows it by and its tag:
// "docker.io/curlimages/curl:8.16.0" is "curlimages/curl" and "8.16.0".
func Repository(ref string) (path, tag string) {
	rest := ref
	if host, after, ok := strings.Cut(ref, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		rest = after
	}
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		return rest[:i], rest[i+1:]
	}
	return rest, "latest"
}

// Merge writes a layout of every image of several layouts; blobs are hard links where the file system allows it.
func Merge(dir string, parts []string) error {
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	merged := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, part := range parts {
		index, err := ReadIndex(part)
		if err != nil {
			return err
		}
		blobs, err := Blobs(part, index.Manifests)
		if err != nil {
			return err
		}
		for _, h := range blobs {
			if err := link(blobPath(part, h), blobPath(dir, h)); err != nil {
				return err
			}
		}
		merged.Manifests = append(merged.Manifests, index.Manifests...)
	}
	return WriteIndex(dir, merged)
}
