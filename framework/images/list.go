package images

import (
	"github.com/meshproof/meshproof/framework/images/source"
)

// Origins of an image.
const (
	built  = "built"
	pulled = "pulled"
)

// List names every image of a run with its purpose, and what stands in for what. It builds and asks nothing; with
// Source Auto it lists what building would give.
func List(o Options) []Image {
	v, err := load()
	if err != nil {
		return nil // the embedded file is checked by this package's tests
	}
	all := []Image{{Ref: v.Images["node"], Purpose: "a cluster's node, run by kind", Origin: built,
		StandsInFor: "kind's own node image; this is built by kind from compiled Kubernetes " + v.Modules["kubernetes"].Version}}
	recipes := append(source.KubernetesRecipes(v), source.MeshRecipes(v)...)
	for _, r := range append(recipes, source.RegistryRecipe()) {
		all = append(all, Image{Ref: r.Ref, Purpose: r.Purpose, StandsInFor: r.StandsInFor, Origin: built})
	}
	return all
}
