// Package images says which container images a run needs and where they come from, and makes them available: built
// from package registries (framework/images/source) or pulled from image registries. Nodes get every image from a
// registry inside the rig, which serves what this package put into a directory.
package images

import (
	_ "embed"
	"sync"

	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
	"github.com/meshproof/meshproof/framework/images/source"
)

//go:embed versions.yaml
var pinned []byte

// References that other parts of the suite put into manifests.
const (
	// LayoutMount is where the registry's container expects Set.Layout; it then serves plain HTTP on RegistryPort, its own default.
	LayoutMount  = source.LayoutMount
	RegistryPort = 5000
)

// Sources of images, as Options.Source names them.
const (
	Auto     = "auto"
	Registry = "registry"
	Source   = "source"
	Archive  = "archive"
)

// Sources are all of them.
func Sources() []string { return []string{Auto, Registry, Source, Archive} }

// Event tells what long work is doing.
type Event = progress.Event

// State is what happened to an event's item.
type State = progress.State

// States of an event's item.
const (
	Started = progress.Started
	Running = progress.Running
	Done    = progress.Done
	Failed  = progress.Failed
)

// Options says where images come from.
type Options struct {
	Source     string      // Auto, Registry, Source or Archive; "" is Auto
	Registry   string      // HOST/PREFIX of a mirror; "" is the images' own registries
	CacheDir   string      // "" is os.UserCacheDir()/meshproof
	ReleaseDir string      // a release directory: in registry mode, its Istio version's images are pulled
	Progress   func(Event) // what is being done, how long it has run and what is left; may be nil; one call at a time
}

// Image is one image of a run.
type Image struct {
	Ref         string // as nodes ask for it
	Purpose     string
	StandsInFor string // what it stands in for, and what it is; "" when it is the real thing
	Origin      string // "built" or "pulled"
}

// Set is what Ensure made available.
type Set struct {
	Source        string  // Registry, Source or Archive
	Reason        string  // why that source: one sentence
	Node          string  // the kind node image, in the engine
	Layout        string  // the directory that the rig's registry serves: an OCI image layout, to be mounted read-only
	RegistryImage string  // the rig's registry, in the engine; mount Layout at LayoutMount; port RegistryPort
	Hub, Tag      string  // of Istio's images, for istioctl
	UpstreamEnvoy bool    // the proxy is upstream Envoy: istiod must not configure Istio's own filters
	NoKindnet     bool    // the node image has a fixed network configuration instead of kindnetd
	Kubectl       string  // absolute path
	Istioctl      string  // absolute path
	MetalLB       string  // absolute path of metallb-native.yaml
	IstioModule   string  // directory with the pinned istio.io/istio's manifests/, samples/ and tools/packaging/common/
	Images        []Image // every image of the run
}

// load parses the pinned versions, once.
var load = sync.OnceValues(func() (versions.Versions, error) { return versions.Parse(pinned) })
