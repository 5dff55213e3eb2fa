// Package oci writes image layers, OCI layouts and docker archives as files, with digests that depend on content alone.
package oci

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Layer describes a layer's two forms: the compressed blob that registries serve, and the tar inside it.
type Layer struct {
	Digest    string `json:"digest"` // of the blob, "sha256:..."
	Size      int64  `json:"size"`   // of the blob, bytes
	DiffID    string `json:"diffID"` // of the tar, "sha256:..."
	MediaType string `json:"mediaType"`
}

const (
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar+zstd"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
)

// File is one entry of a layer; exactly one of Source, Data, Link and Dir says what it is.
type File struct {
	Path   string // absolute, inside the image
	Source string // a file on this machine
	Data   []byte
	Link   string // target of a symbolic link
	Dir    bool
	Mode   int64 // permission bits; 0 means 0755
}

// Tar streams files as a tar, sorted by path and without times or owners, so that equal content has an equal digest.
func Tar(files []File) io.ReadCloser {
	sorted := append([]File(nil), files...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	r, w := io.Pipe()
	go func() {
		tw := tar.NewWriter(w)
		var err error
		for _, f := range sorted {
			if err = add(tw, f); err != nil {
				break
			}
		}
		w.CloseWithError(errors.Join(err, tw.Close()))
	}()
	return r
}

func add(tw *tar.Writer, f File) error {
	h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: f.Mode, Typeflag: tar.TypeReg, Size: int64(len(f.Data))}
	if h.Mode == 0 {
		h.Mode = 0o755
	}
	var body io.Reader = bytes.NewReader(f.Data)
	switch {
	case f.Dir:
		h.Typeflag, h.Name = tar.TypeDir, strings.TrimSuffix(h.Name, "/")+"/"
	case f.Link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
	case f.Source != "":
		in, err := os.Open(f.Source)
		if err != nil {
			return err
		}
		defer in.Close()
		info, err := in.Stat()
		if err != nil {
			return err
		}
		body, h.Size = in, info.Size()
	}
	if err := tw.WriteHeader(h); err != nil {
		return fmt.Errorf("add %s to a layer: %w", f.Path, err)
	}
	if _, err := io.Copy(tw, body); err != nil {
		return fmt.Errorf("add %s to a layer: %w", f.Path, err)
	}
	return nil
}

const (
	blobFile  = "blob"
	layerFile = "layer.json"
)

// WriteLayer compresses a tar stream into dir, with its description beside it.
func WriteLayer(dir string, src io.Reader) error {
	out, err := os.Create(filepath.Join(dir, blobFile))
	if err != nil {
		return err
	}
	defer out.Close()
	digest, diff := sha256.New(), sha256.New()
	size := &counter{}
	z, err := zstd.NewWriter(io.MultiWriter(out, digest, size), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, io.TeeReader(src, diff)); err != nil {
		return fmt.Errorf("write layer: %w", err)
	}
	if err := errors.Join(z.Close(), out.Close()); err != nil {
		return fmt.Errorf("write layer: %w", err)
	}
	l := Layer{Digest: name(digest), Size: size.n, DiffID: name(diff), MediaType: mediaLayer}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, layerFile), b, 0o644)
}

// ReadLayer reads the description of a layer that WriteLayer wrote.
func ReadLayer(dir string) (Layer, error) {
	var l Layer
	b, err := os.ReadFile(filepath.Join(dir, layerFile))
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil {
		return l, fmt.Errorf("read layer %s: %w: remove that directory and run again", dir, err)
	}
	return l, nil
}

// counter counts the bytes written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

func name(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }
