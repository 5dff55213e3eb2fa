// Package kindcluster makes and removes the kind clusters of a run: all of them at once, on a docker network of the
// run's own, with an in-rig registry, a load balancer, and the deadlines and readiness checks that kind itself lacks.
// What it makes is in the ledger before it is made, and nothing that is not in the ledger is ever removed.
package kindcluster

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/ledger"
)

// Options say what to make.
type Options struct {
	// RunID is in every name that is made: network mp-ID, clusters mp-ID-NAME, registry mp-ID-registry.
	RunID string
	// Dir is the run's folder: kubeconfigs/NAME.yaml and registry/ are written there.
	Dir string
	// Diagnostics is the folder in which NAME/ gets the logs of a cluster that did not come up; "" means DIR/diagnostics.
	Diagnostics string
	// Names are the clusters' short names, in the guide's order: "east", "west".
	Names []string
	// NodeImage is the kind node image.
	NodeImage string
	// RegistryImage serves the image layout in the folder Layout on images.RegistryPort; both empty means no registry in the rig.
	// Its container gets the layout, read-only, at images.LayoutMount.
	RegistryImage, Layout string
	// NoKindnet is true when the node image has a CNI configuration of its own and no kindnet image.
	NoKindnet bool
	// MetalLBManifest is metallb-native.yaml as MetalLB's module has it; used by InstallLoadBalancer only.
	MetalLBManifest string
	// Ledger gets every name before the thing is made.
	Ledger *ledger.Ledger
	// Deadline bounds Create as a whole, and each InstallLoadBalancer; 0 means DefaultDeadline.
	Deadline time.Duration
	// Progress is told what happens; it is called from several goroutines, with "" for what is not of one cluster.
	Progress func(cluster, message string)
}

// DefaultDeadline is ten times what a creation takes on two busy cores, so that only a cluster that hangs meets it.
const DefaultDeadline = 5 * time.Minute

// Made is a cluster that is up: its API server answers and its node is ready.
type Made struct {
	// Name is the short name, KindName kind's name for it.
	Name, KindName string
	// Kubeconfig is a file of its own (0600) whose current context is Context. Its server is the node's own address, so
	// that it serves from this machine and from the other clusters' pods alike.
	Kubeconfig, Context string
	// NodeIP is the node container's address on the run's network; NodeName the container's and the node's name.
	NodeIP, NodeName string
	// AddressRange is this cluster's part of the run's network for LoadBalancer services: "172.29.7.64-172.29.7.151".
	AddressRange string
	// Phases say where the time went, in order.
	Phases []Phase
}

// Phase is a part of a creation and how long it took.
type Phase struct {
	What string
	Took time.Duration
}

// ErrNameTaken is wrapped when something with a name that the run needs is already there. Nothing was changed then.
var ErrNameTaken = errors.New("the name is taken")

// The kinds of ledger entries that this package makes and removes.
const (
	kindNetwork   = "docker network"
	kindRegistry  = "docker container"
	kindCluster   = "kind cluster"
	runLabel      = "meshproof.run"
	maxClusters   = 8
	nodeSuffix    = "-control-plane" // kind's name for the container of a cluster's first node
	maxHostname   = 63               // bytes; a node's container name is its host name
	registryHosts = "registry/certs.d"
)

func networkName(run string) string       { return "mp-" + run }
func clusterName(run, name string) string { return "mp-" + run + "-" + name }
func registryName(run string) string      { return "mp-" + run + "-registry" }

var dns1123 = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func (o *Options) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !dns1123.MatchString(o.RunID) {
		bad("run id %q: use lower-case letters, digits and '-'", o.RunID)
	}
	if n := len(o.Names); n == 0 || n > maxClusters {
		bad("%d clusters: use 1 to %d", n, maxClusters)
	}
	for i, name := range o.Names {
		if !dns1123.MatchString(name) || slices.Contains(o.Names[:i], name) || name == "registry" {
			bad("cluster name %q: use different names of lower-case letters, digits and '-', and not \"registry\"", name)
		}
		if host := clusterName(o.RunID, name) + nodeSuffix; len(host) > maxHostname {
			bad("node name %s has %d characters, at most %d are allowed: use a shorter run id or cluster name", host, len(host), maxHostname)
		}
	}
	if o.NodeImage == "" {
		bad("no node image is given")
	}
	if (o.RegistryImage == "") != (o.Layout == "") {
		bad("registry image %q and layout %q: give both or neither", o.RegistryImage, o.Layout)
	}
	for _, path := range []string{o.Dir, o.Layout} {
		if path != "" && !filepath.IsAbs(path) || strings.Contains(path, ":") {
			bad("folder %q: use an absolute path without ':', which docker takes for a separator", path)
		}
	}
	if o.Dir == "" {
		bad("no folder for the run is given")
	}
	if o.Ledger == nil {
		bad("no ledger is given")
	}
	return errors.Join(errs...)
}

func (o *Options) deadline() time.Duration {
	if o.Deadline > 0 {
		return o.Deadline
	}
	return DefaultDeadline
}

func (o *Options) tell(cluster, format string, args ...any) {
	if o.Progress != nil {
		o.Progress(cluster, fmt.Sprintf(format, args...))
	}
}

func (o *Options) kubeconfig(name string) string {
	return filepath.Join(o.Dir, "kubeconfigs", name+".yaml")
}
