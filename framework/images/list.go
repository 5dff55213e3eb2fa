package images

import (
	"path/filepath"

	"github.com/meshproof/meshproof/framework/images/internal/versions"
	"github.com/meshproof/meshproof/framework/images/source"
)

// Origins of an image.
const (
	built  = "built"
	pulled = "pulled"
)

// nodeBuilt describes the node image that is built here.
func nodeBuilt(v versions.Versions, origin string) Image {
	return Image{Ref: builtNode(v), Purpose: nodePurpose, Origin: origin,
		StandsInFor: v.Images["node"] + "; this is kind's build of " + v.Modules["kubernetes"].Version + " on Debian " + v.Debian.Suite}
}

// List names every image of a run with its purpose, and what stands in for what. It asks nothing of any registry or
// release: with Source Auto it lists what building gives, and images that only a mirror may hold count as pulled.
func List(o Options) []Image {
	v, err := load()
	if err != nil {
		return nil // the embedded file is checked by this package's tests
	}
	if o.Source == Registry {
		var release *istioOf
		if o.ReleaseDir != "" {
			release = &istioOf{hub: "(of " + filepath.Join(o.ReleaseDir, "istioctl") + ")", tag: "(its own)"}
		}
		all := []Image{wantedNode(v, o.Registry).Image}
		for _, w := range wantedImages(v, o.Registry, release) {
			all = append(all, w.Image)
		}
		return all
	}
	all := []Image{nodeBuilt(v, built)}
	for _, r := range source.Recipes(v) {
		all = append(all, Image{Ref: r.Ref, Purpose: r.Purpose, StandsInFor: r.StandsInFor, Origin: built})
	}
	return all
}
