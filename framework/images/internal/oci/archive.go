package oci

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DockerArchive writes what `docker load` reads: one image whose layers are plain tar files.
func DockerArchive(w io.Writer, arch string, ref string, config v1.Config, layers []string) error {
	c := v1.ConfigFile{OS: "linux", Architecture: arch, Config: config, RootFS: v1.RootFS{Type: "layers"}}
	names := make([]string, len(layers))
	for i, path := range layers {
		diff, err := hashFile(path)
		if err != nil {
			return err
		}
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, diff)
		names[i] = fmt.Sprintf("layer%d.tar", i)
	}
	configJSON, err := json.Marshal(c)
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{ref}, "Layers": names}})
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	for i, path := range layers {
		if err := add(tw, File{Path: names[i], Source: path, Mode: 0o644}); err != nil {
			return err
		}
	}
	return errors.Join(add(tw, File{Path: "config.json", Data: configJSON, Mode: 0o644}),
		add(tw, File{Path: "manifest.json", Data: manifest, Mode: 0o644}), tw.Close())
}

func hashFile(path string) (v1.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return v1.Hash{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return v1.Hash{}, err
	}
	return v1.NewHash(name(h))
}

// LayoutArchive writes those images of an OCI layout that keep accepts by their names as one tar. It starts with a
// `repositories` entry, as docker archives once did: kind's node image builder learns the names from it.
func LayoutArchive(w io.Writer, dir string, keep func(ref string) bool) error {
	index, err := ReadIndex(dir)
	if err != nil {
		return err
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return !keep(RefOf(d)) })
	repositories := map[string]map[string]string{}
	for _, d := range index.Manifests {
		ref := RefOf(d)
		_, tag := Repository(ref)
		repo := strings.TrimSuffix(ref, ":"+tag)
		if repositories[repo] == nil {
			repositories[repo] = map[string]string{}
		}
		repositories[repo][tag] = d.Digest.Hex
	}
	names, err := json.Marshal(repositories)
	if err != nil {
		return err
	}
	list, err := json.Marshal(index)
	if err != nil {
		return err
	}
	files := []File{{Path: "repositories", Data: names}, {Path: "oci-layout", Data: []byte(layoutVersion)}, {Path: "index.json", Data: list}}
	blobs, err := Blobs(dir, index.Manifests)
	if err != nil {
		return err
	}
	for _, h := range blobs {
		files = append(files, File{Path: "blobs/" + h.Algorithm + "/" + h.Hex, Source: blobPath(dir, h)})
	}
	tw := tar.NewWriter(w)
	for _, f := range files {
		f.Mode = 0o644
		if err := add(tw, f); err != nil {
			return err
		}
	}
	return tw.Close()
}

// Blobs lists, each once, the manifests, configurations and layers of images in a layout.
func Blobs(dir string, images []v1.Descriptor) ([]v1.Hash, error) {
	var out []v1.Hash
	note := func(h v1.Hash) {
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	for _, d := range images {
		b, err := os.ReadFile(blobPath(dir, d.Digest))
		if err != nil {
			return nil, fmt.Errorf("read the manifest of %s: %w", RefOf(d), err)
		}
		m, err := v1.ParseManifest(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("read the manifest of %s: %w", RefOf(d), err)
		}
		note(d.Digest)
		note(m.Config.Digest)
		for _, l := range m.Layers {
			note(l.Digest)
		}
	}
	return out, nil
}

// ReadIndex reads a layout's index.
func ReadIndex(dir string) (v1.IndexManifest, error) {
	var index v1.IndexManifest
	b, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(b, &index)
	}
	if err != nil {
		return index, fmt.Errorf("read image layout %s: %w: remove that directory and run again", dir, err)
	}
	return index, nil
}
