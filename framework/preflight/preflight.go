// Package preflight looks whether given clusters and this machine have what the guide takes for granted, and often does not
// say: tools that fit, addresses that the other cluster reaches, a load balancer, networks, one root, permissions, admission,
// clocks. Read looks and changes nothing; Rows judges what was read, and is pure.
package preflight

import (
	"slices"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/images"
)

// Verdict is what a row says.
type Verdict string

// OK holds; Failed does not, and the run would fail for it; Unknown could not be seen.
const (
	OK      Verdict = "ok"
	Failed  Verdict = "failed"
	Unknown Verdict = "unknown"
)

// Row is one check.
type Row struct {
	// Name is the check's, Cluster the cluster that it is about; "" is the mesh or this machine.
	Name, Cluster string
	Verdict       Verdict
	// Seen is what the verdict rests on, Do what to do about it; "" when nothing is to be done.
	Seen, Do string
}

// ExitCode is 1 when a row failed, else 3 when one could not be told, else 0.
func ExitCode(rows []Row) int {
	has := func(v Verdict) bool { return slices.ContainsFunc(rows, func(r Row) bool { return r.Verdict == v }) }
	switch {
	case has(Failed):
		return exitcode.Failed
	case has(Unknown):
		return exitcode.CouldNotTell
	}
	return exitcode.Passed
}

// Seen is something that was read, or why it was not.
type Seen[T any] struct {
	Value T
	Err   error
}

// Facts are what was read.
type Facts struct {
	// Kind tells that the run would make its clusters on this machine; then there are none here.
	Kind bool
	// Asked has where the run would begin, and whether it would only look: then it needs no tools, and makes no namespace.
	Asked Asked
	// ByID tells that the built-in join would name clusters after their ids.
	ByID     bool
	Host     Host
	Clusters []Cluster
	// CA is the mesh's certificate authority, Platform the guide's that was said for all clusters; "" = none was.
	CA, Platform string
	// ProbeImage is that of the suite's own pods; PullSecret are the registries of which a pull secret is given, nil = none is.
	ProbeImage string
	PullSecret []string
	// Dialled is what the probe pods saw of the other clusters' API servers, by the name of their cluster; nil = none was deployed.
	// Read leaves it nil: it changes nothing.
	Dialled map[string]Seen[[]evidence.Dial]
}

// Host is this machine.
type Host struct {
	// Bash and Kubectl are versions; Istioctl is that of the release directory.
	Bash, Kubectl, Istioctl Seen[string]
	// Script is how the release directory's gateway script did.
	Script Seen[bool]
	// Released tells that a release directory was given.
	Released bool
	// Asmcli is a real asmcli that was given; nil = none.
	Asmcli *Asmcli
	Docker Seen[string]
	// Images are what registries said of those of a run on kind clusters; nil = none was asked.
	Images *Seen[[]images.Asked]
	// Instances and Watches are inotify's limits per user; Memory and Disk are bytes that are free.
	Instances, Watches, Memory, Disk Seen[uint64]
}

// Cluster is one given cluster.
type Cluster struct {
	Name, Server string
	// Local tells of an address that means the pod that uses it, Proxied of one that is reached through a proxy from here.
	Local, Proxied bool
	Answer         Seen[Answer]
	// Context is that of the kubeconfig, after which asmcli, and the built-in join unless it is told otherwise, names the cluster.
	// Kubeconfig is its file, or several as KUBECONFIG lists them.
	Context, Kubeconfig string
	// Member tells that the cluster is registered in a fleet; it is asked for asmcli only.
	Member Seen[bool]
	// UID tells two names of one cluster from two clusters.
	UID  Seen[string]
	Mesh Seen[Mesh]
	// Vacant is, where the run would bring the control plane, what is in its way; then nothing of Mesh, Root and Secrets was read.
	Vacant error
	// Root is the digest of the root certificate that istiod gives to the pods.
	Root Seen[string]
	// Denied is what the user may not do and the run does.
	Denied    Seen[[]string]
	Admission Seen[Admission]
	Balancer  Seen[Balancer]
	Ports     Seen[Ports]
	Pulls     Seen[Pulls]
	Secrets   Seen[Secrets]
}

// Answer is what an API server says at once.
type Answer struct {
	Version string
	// Ahead is how far its clock is ahead of this machine's.
	Ahead time.Duration
}

// Mesh is what the installed control plane says.
type Mesh struct{ Network, Version string }

// Admission is what becomes of the namespaces that the run makes.
type Admission struct {
	// Enforced is the Pod Security level of each, as admission would label it; "" = none of its own.
	Enforced map[string]string
	// CNI tells that Istio's network plugin does what istio-init needs rights for.
	CNI bool
}

// Balancer is what hints at a load balancer.
type Balancer struct {
	// Addressed and Pending are services of that type with and without an address.
	Addressed, Pending []string
	// Pools tells that MetalLB has pools of addresses; Clouds are the providers that the nodes name.
	Pools  bool
	Clouds []string
}
