package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/images/internal/archive"
	"github.com/meshproof/meshproof/framework/images/internal/engine"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/source"
)

// archiveSchema is the form of an archive's contents.
const archiveSchema = "meshproof.dev/image-archive/v1"

// Parts of an archive: files of the cache, and what the engine holds.
const (
	filesPart  = "files"
	enginePart = "engine"
)

// contents is an archive's manifest: what it was made from, and the set, whose paths are relative to its files.
type contents struct {
	Schema string `json:"schema"`
	Arch   string `json:"arch"`
	// Pins are the versions of everything that is pinned, by kind and name; Inputs also covers the suite's own programs.
	Pins   map[string]string `json:"pins"`
	Inputs string            `json:"inputs"`
	Set    Set               `json:"set"`
}

// ErrOtherArchive is wrapped when an archive is not what this program would make.
var ErrOtherArchive = errors.New("the archive is of another version")

// own is what this program's archives are made from.
func own() (contents, error) {
	v, err := load()
	if err != nil {
		return contents{}, err
	}
	pins, err := Pins()
	if err != nil {
		return contents{}, err
	}
	c := contents{Schema: archiveSchema, Arch: runtime.GOARCH, Pins: map[string]string{}}
	for _, p := range pins {
		c.Pins[p.Kind+" "+p.Name] = p.Version
	}
	c.Inputs, err = source.Inputs(v, c.Arch)
	return c, err
}

// fits says by name what of an archive is not what this program would make; nil when all is.
func (c contents) fits(want contents) error {
	if c.Schema != want.Schema {
		return fmt.Errorf("%w: its contents have the form %q, this program reads %q", ErrOtherArchive, c.Schema, want.Schema)
	}
	var differ []string
	differs := func(what, has, needs string) {
		if has != needs {
			differ = append(differ, fmt.Sprintf("%s: it has %s, this program needs %s", what, orNone(has), orNone(needs)))
		}
	}
	differs("architecture", c.Arch, want.Arch)
	for _, name := range slices.Sorted(maps.Keys(c.Pins)) {
		differs(name, c.Pins[name], want.Pins[name])
	}
	for _, name := range slices.Sorted(maps.Keys(want.Pins)) {
		if _, there := c.Pins[name]; !there {
			differs(name, "", want.Pins[name])
		}
	}
	if len(differ) == 0 && c.Inputs != want.Inputs {
		differ = append(differ, "the suite's own programs and recipes are of another version of meshproof")
	}
	if len(differ) > 0 {
		return fmt.Errorf("%w: %s: save one with the version of meshproof that loads it", ErrOtherArchive, strings.Join(differ, "; "))
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// paths are those of a set's files, each with its place in an archive.
func (s *Set) paths() map[string]*string {
	return map[string]*string{"layout": &s.Layout, "kubectl": &s.Kubectl, "istioctl": &s.Istioctl, "metallb-native.yaml": &s.MetalLB, "istio": &s.IstioModule}
}

// Save writes everything that a run on kind needs beside an engine into one file: the images of a set that Ensure made
// available, its tools and files. The file appears whole or not at all.
func Save(ctx context.Context, set *Set, file string) error {
	c, err := own()
	if err != nil {
		return err
	}
	c.Set = *set
	from := map[string]string{}
	for name, path := range c.Set.paths() {
		if *path == "" {
			return fmt.Errorf("save an archive: this set has no %s: save without a release directory", name)
		}
		from[name], *path = *path, name
	}
	manifest, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return archive.Create(file, manifest, func(w *archive.Writer) error {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			info, err := os.Stat(from[name])
			if err != nil {
				return err
			}
			add := w.AddFile
			if info.IsDir() {
				add = w.AddTree
			}
			if err := add(filesPart+"/"+name, from[name]); err != nil {
				return err
			}
		}
		return engine.Docker{}.Save(ctx, []string{set.Node, set.RegistryImage}, func(r io.Reader) error { return w.AddTar(enginePart, r) })
	})
}

// Load puts an archive's files into the cache and its images into the engine, so that Ensure finds them there without a
// network and without the go command. An archive of other versions is refused, by name, before anything is changed; one that
// was damaged is too.
func Load(ctx context.Context, file string, o Options) (*Set, error) {
	want, err := own()
	if err != nil {
		return nil, err
	}
	text, err := archive.Manifest(file)
	if err != nil {
		return nil, err
	}
	var c contents
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("read archive %s: its manifest: %w", file, err)
	}
	if err := c.fits(want); err != nil {
		return nil, fmt.Errorf("load archive %s: %w", file, err)
	}
	_, st, report, err := openStore(o)
	if err != nil {
		return nil, err
	}
	docker := engine.Docker{}
	if err := engineAnswers(ctx, docker); err != nil {
		return nil, fmt.Errorf("load archive %s: %w", file, err)
	}
	if err := report.Do(ctx, "check the archive", func(context.Context) error { return archive.Verify(file) }); err != nil {
		return nil, err
	}
	err = report.Do(ctx, "unpack the archive's files", func(ctx context.Context) error { return intoCache(ctx, st, file, archiveEntry(c), text) })
	if err != nil {
		return nil, fmt.Errorf("load archive %s: %w", file, err)
	}
	err = report.Do(ctx, "load the archive's images into the engine", func(ctx context.Context) error {
		return docker.Load(ctx, c.Set.Node+" and "+c.Set.RegistryImage, func(w io.Writer) error { return archive.Tar(file, enginePart, w) })
	})
	if err != nil {
		return nil, fmt.Errorf("load archive %s: %w", file, err)
	}
	set, err := loaded(ctx, Options{Source: Archive, CacheDir: o.CacheDir}, true)
	if err != nil {
		return nil, fmt.Errorf("load archive %s: %w", file, err)
	}
	return set, nil
}

// intoCache makes an archive's files the entry of that name that was made last, also where it was loaded before.
func intoCache(ctx context.Context, st *store.Store, file, name string, manifest []byte) error {
	key := store.Key("archive", string(manifest)) // its set names the images by their keys
	entry, err := st.Entry(ctx, name, key, func(_ context.Context, dir string) error {
		return errors.Join(archive.Unpack(file, filesPart, dir), os.WriteFile(filepath.Join(dir, archive.ManifestName), manifest, 0o644))
	})
	if err != nil {
		return err
	}
	now := time.Now()
	return os.Chtimes(entry, now, now)
}

// archiveEntry is the name of the cache entries of archives that were made from the same.
func archiveEntry(c contents) string { return "archive-" + c.Inputs }
