package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/images/internal/archive"
	"github.com/meshproof/meshproof/framework/images/internal/engine"
)

// loaded gives the set of the archive that was loaded last, nil when there is none that serves these options: registries were
// asked for by name, or a release directory brings another Istio. With engine its images must be in the engine; without, the
// files alone count. Where an archive was asked for by name, none is an error.
func loaded(ctx context.Context, o Options, withEngine bool) (*Set, error) {
	if o.Source == Registry || o.Source != Archive && o.Source != Source && (o.Registry != "" || o.ReleaseDir != "") {
		return nil, nil
	}
	set, err := newest(ctx, o, withEngine)
	if set == nil && err == nil && o.Source == Archive {
		return nil, errNotLoaded
	}
	return set, err
}

var errNotLoaded = errors.New("use the images of an archive: none of this version of meshproof is loaded, or its images are not in the engine: run meshproof images load FILE")

// CheckArchive refuses to take the images of an archive where none of this version was loaded. It asks no engine, and makes nothing.
func CheckArchive(ctx context.Context, o Options) error {
	if o.Source != Archive {
		return nil
	}
	if _, err := os.Stat(CacheDir(o)); errors.Is(err, fs.ErrNotExist) {
		return errNotLoaded
	}
	_, err := loaded(ctx, o, false)
	return err
}

// newest gives the set that was loaded last; with engine, of those whose images the engine holds. nil when there is none.
func newest(ctx context.Context, o Options, withEngine bool) (*Set, error) {
	c, err := own()
	if err != nil {
		return nil, err
	}
	_, st, _, err := openStore(o)
	if err != nil {
		return nil, err
	}
	entries, err := st.Named(archiveEntry(c))
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	docker := engine.Docker{}
	if withEngine {
		if err := engineAnswers(ctx, docker); err != nil {
			return nil, fmt.Errorf("make images available: %w", err)
		}
	}
	for _, entry := range entries {
		set, err := inCache(entry)
		there := true
		if err == nil && withEngine {
			there, err = inEngine(ctx, docker, set)
		}
		if err != nil {
			return nil, err
		}
		if there {
			return set, nil
		}
	}
	return nil, nil
}

// inCache reads what an archive brought from its entry.
func inCache(entry string) (*Set, error) {
	var c contents
	text, err := os.ReadFile(filepath.Join(entry, archive.ManifestName))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was loaded from an archive: %w: remove %s and load it again", err, entry)
	}
	set := c.Set
	for _, path := range set.paths() {
		*path = filepath.Join(entry, *path)
	}
	set.Source, set.Reason = Archive, "images are those of the archive that was loaded; they were "+madeHow(c.Set.Source)
	return &set, nil
}

func madeHow(source string) string {
	if source == Source {
		return "built from source"
	}
	return "pulled"
}

// inEngine says whether the engine holds the images of a set: somebody may have removed them.
func inEngine(ctx context.Context, docker engine.Docker, set *Set) (bool, error) {
	for _, ref := range []string{set.Node, set.RegistryImage} {
		if there, err := docker.Has(ctx, ref); err != nil || !there {
			return false, err
		}
	}
	return true, nil
}

// loadedTools gives the tools of a loaded archive, with the kubectl of the PATH where there is one; nil without an archive.
func loadedTools(ctx context.Context, o Options) (*Set, error) {
	o.ReleaseDir, o.Registry = "", "" // neither brings a kubectl, and what a release directory brings is not looked for here
	set, err := loaded(ctx, o, false)
	if err != nil || set == nil {
		return nil, err
	}
	tools := &Set{Source: Archive, Reason: "the clusters are given: no image is needed here, only tools, and those are of the archive that was loaded",
		Kubectl: set.Kubectl, Istioctl: set.Istioctl, IstioModule: set.IstioModule}
	if found, err := exec.LookPath("kubectl"); err == nil {
		tools.Kubectl = found
	}
	return tools, nil
}
