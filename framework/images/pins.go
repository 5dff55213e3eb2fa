package images

import (
	"maps"
	"slices"
	"strings"
)

// Kinds of a Pin.
const (
	PinModule = "module"
	PinBinary = "binary"
	PinSystem = "system"
	PinImage  = "image"
)

// Pin is one thing that a run is made from, at the version that versions.yaml names.
type Pin struct {
	// Kind is what it is, Name the short name that recipes use.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// From is where it comes from: a module's path, a package's name, an image's reference without its tag.
	From    string `json:"from"`
	Version string `json:"version"`
	// Sums are its checksums: one of a module, or one for each architecture; empty where it is checked in another way.
	Sums []string `json:"sums,omitempty"`
}

// Pins gives everything that versions.yaml pins: modules, programs, the system of the root file systems, and images, each
// kind in the order of its names.
func Pins() ([]Pin, error) {
	v, err := load()
	if err != nil {
		return nil, err
	}
	var all []Pin
	for _, name := range slices.Sorted(maps.Keys(v.Modules)) {
		m := v.Modules[name]
		all = append(all, Pin{Kind: PinModule, Name: name, From: m.Path, Version: m.Version, Sums: []string{m.Sum}})
	}
	envoy := Pin{Kind: PinBinary, Name: "envoy", From: v.Envoy.Package, Version: v.Envoy.Version}
	for _, arch := range slices.Sorted(maps.Keys(v.Envoy.SHA256)) {
		envoy.Sums = append(envoy.Sums, "sha256:"+v.Envoy.SHA256[arch]+" ("+arch+")")
	}
	istioctl := Pin{Kind: PinBinary, Name: "istioctl", From: v.Modules["istio"].Path, Version: v.Istio.Version}
	all = append(all, envoy, istioctl, Pin{Kind: PinSystem, Name: "debian", From: "debian", Version: v.Debian.Suite})
	for _, name := range slices.Sorted(maps.Keys(v.Images)) {
		ref := v.Images[name]
		tag := strings.LastIndex(ref, ":") // versions.Parse refuses a reference without one
		p := Pin{Kind: PinImage, Name: name, From: ref[:tag], Version: ref[tag+1:]}
		if name == "node" {
			p.Sums = []string{v.NodeDigest}
		}
		all = append(all, p)
	}
	return all, nil
}
