package source

import (
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// Inputs condenses what the images of a run are made from, but for the Go release that compiles them: two programs with the
// same inputs can use each other's images.
func Inputs(v versions.Versions, arch string) (string, error) {
	b := &Builder{v: v, arch: arch}
	layout, err := b.layoutKey(Recipes(v))
	if err != nil {
		return "", err
	}
	base, err := b.baseKey()
	if err != nil {
		return "", err
	}
	bake, err := templates.ReadFile("templates/bake.sh")
	if err != nil {
		return "", err
	}
	in := []string{"inputs", layout, base, string(bake)}
	for _, name := range []string{"istio", "kind", "metallb"} { // files of these modules are used as they are
		in = append(in, v.Modules[name].Sum)
	}
	return store.Key(in...), nil
}
