// Package versions is the typed form of the one file that pins what images are made from.
package versions

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Module is one Go module with the checksum of its zip.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum"` // "h1:..." as go.sum has it
}

// Envoy is the wheel that holds a real Envoy.
type Envoy struct {
	Package string            `json:"package"`
	Version string            `json:"version"`
	Member  string            `json:"member"` // the executable's path inside the wheel
	SHA256  map[string]string `json:"sha256"` // of the wheel, by Go architecture
}

// Istio names the pinned Istio's builds.
type Istio struct {
	Version string `json:"version"` // what the programs say of themselves, and the tag of the images
}

// Debian is where root file systems come from.
type Debian struct {
	Suite string `json:"suite"`
}

// Versions is the whole file.
type Versions struct {
	Modules map[string]Module `json:"modules"` // by the short name that recipes use
	Istio   Istio             `json:"istio"`
	Envoy   Envoy             `json:"envoy"`
	Debian  Debian            `json:"debian"`
	Images  map[string]string `json:"images"` // full references, by the short name that recipes use
	// NodeDigest is what the node image of kind's release must be, "sha256:...".
	NodeDigest string `json:"nodeDigest"`
}

// Parse reads the file strictly: an unknown key, a module without a checksum or a reference without a tag is an error.
func Parse(data []byte) (Versions, error) {
	var v Versions
	if err := yaml.UnmarshalStrict(data, &v); err != nil {
		return v, fmt.Errorf("read versions.yaml: %w", err)
	}
	for name, m := range v.Modules {
		if m.Path == "" || m.Version == "" || !strings.HasPrefix(m.Sum, "h1:") {
			return v, fmt.Errorf("read versions.yaml: module %s: path, version and an h1: sum are all needed", name)
		}
	}
	for arch, sum := range v.Envoy.SHA256 {
		if len(sum) != 64 {
			return v, fmt.Errorf("read versions.yaml: envoy sha256 for %s: %q is not 64 hexadecimal digits", arch, sum)
		}
	}
	for name, ref := range v.Images {
		if i := strings.LastIndex(ref, ":"); i < strings.LastIndex(ref, "/") {
			return v, fmt.Errorf("read versions.yaml: image %s: %q has no tag", name, ref)
		}
	}
	return v, nil
}
