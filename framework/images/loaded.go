package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	set, err := inCache(o)
	if err != nil {
		return nil, err
	}
	if set != nil && withEngine {
		if set, err = inEngine(ctx, set); err != nil {
			return nil, err
		}
	}
	if set == nil && o.Source == Archive {
		return nil, errors.New("use the images of an archive: none of this version of meshproof is loaded, or its images are not in the engine: run meshproof images load FILE")
	}
	return set, nil
}

func inCache(o Options) (*Set, error) {
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
	text, err := os.ReadFile(filepath.Join(entries[0], archive.ManifestName))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was loaded from an archive: %w: remove %s and load it again", err, entries[0])
	}
	set := c.Set
	for _, path := range set.paths() {
		*path = filepath.Join(entries[0], *path)
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

// inEngine gives the set when the engine holds its images, else nil: somebody removed them.
func inEngine(ctx context.Context, set *Set) (*Set, error) {
	docker := engine.Docker{}
	if err := engineAnswers(ctx, docker); err != nil {
		return nil, fmt.Errorf("make images available: %w", err)
	}
	for _, ref := range []string{set.Node, set.RegistryImage} {
		if there, err := docker.Has(ctx, ref); err != nil || !there {
			return nil, err
		}
	}
	return set, nil
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
