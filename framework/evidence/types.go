// Package evidence holds the types of everything that a run saw, and the folder that keeps it. Evidence is what claims
// are judged from: nothing in it is an opinion, and nothing in it is secret (keys, tokens and kubeconfigs are left out
// when it is collected). Bodies of Envoy's and istiod's own pages are kept in the form in which they were sent, without
// what may be secret, and decoded when asked for, with Istio's and Envoy's own types.
package evidence

import (
	"encoding/json"
	"time"

	"github.com/meshproof/meshproof/framework/intent"
)

// Epochs of an honest run, in order.
const (
	// Joined is the mesh after S13, once everything that must converge has converged (or its limit has passed).
	Joined = "10-joined"
	// Removed is the mesh after S15.
	Removed = "20-removed"
)

// Broken names the epoch in which a disruption is in force.
func Broken(disruption string) string { return "15-" + disruption + "-broken" }

// Repaired names the epoch after a disruption was undone.
func Repaired(disruption string) string { return "15-" + disruption + "-repaired" }

// Run is all evidence of one run.
type Run struct {
	Intent intent.Intent
	// Steps are the guide's steps and the ones before them, in the order in which they started.
	Steps []Step
	// Epochs by name.
	Epochs map[string]Epoch
	// Unreadable names the files that could not be read, with the reason; a claim that needs one is inconclusive.
	Unreadable []Unreadable
}

// Unreadable is one file of the folder that could not be used.
type Unreadable struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Step is one command of the procedure as it was run. Its file is steps.json.
type Step struct {
	// ID is the guide's step, with the cluster's ordinal where there is one: "S6.1". Steps before the guide are "P..." ones.
	ID    string `json:"id"`
	Title string `json:"title"`
	// Cluster is the cluster's name; empty when the step is about all of them or none.
	Cluster string `json:"cluster,omitempty"`
	// Command is the script as it was run; empty for steps that are waits.
	Command    string      `json:"command,omitempty"`
	Deviations []Deviation `json:"deviations,omitempty"`
	Started    time.Time   `json:"started"`
	Seconds    float64     `json:"seconds"`
	// ExitCode of the command; -1 when it was ended by its deadline or could not be started.
	ExitCode int `json:"exitCode"`
	// Stdout and Stderr, the last 16 KiB of each.
	Stdout string `json:"stdout,omitempty"`
	Stderr string `json:"stderr,omitempty"`
	// Error is why the step did not do what it should; empty when it did.
	Error string `json:"error,omitempty"`
	// Finding is the id of what the guide's log of oddities says of the printed command, when it failed in just that way; the
	// step after it is the same command with that one correction.
	Finding string `json:"finding,omitempty"`
	// Skipped is why the step was not performed ("--from expose"); empty when it was.
	Skipped string `json:"skipped,omitempty"`
	// Reachable tells, after a failed step, whether each cluster's API server answered then; by cluster name.
	Reachable map[string]bool `json:"reachable,omitempty"`
}

// StepOtherFleet is the step in which a real asmcli is given OtherFleet in place of the clusters' own fleet; the steps with
// an ordinal after it list the names of the remote secrets on each cluster then.
const (
	StepOtherFleet = "N18"
	OtherFleet     = "meshproof-other-fleet"
)

// InTheWay is what the error of a step says that was not begun, as clusters hold what it would make.
const InTheWay = "the guide's steps would overwrite what is there already"

// Deviation is one difference between the command that was run and the one that the guide prints.
type Deviation struct {
	Printed string `json:"printed"`
	Run     string `json:"run"`
	Reason  string `json:"reason"`
	// Finding is the id of the finding that forces it ("F1"), if one does.
	Finding string `json:"finding,omitempty"`
}

// Epoch is what was seen of all clusters at one stage, by cluster name.
type Epoch struct {
	Name     string
	Clusters map[string]*Cluster
}

// Cluster is what was seen of one cluster in one epoch. A nil or absent part was not collected: see Problems.
type Cluster struct {
	Kubernetes *Kubernetes
	Istiods    []Istiod
	Proxies    []Proxy
	Dials      []Dial
	// Handshakes are nil when none were attempted.
	Handshakes []Handshake
	Traffic    []Traffic
	// Logs are what the control plane's replicas logged beside information; nil when they were not read.
	Logs []IstiodLog
	// Steady is nil where no steady calls were made.
	Steady *SteadyCalls
	// Problems says what could not be collected and why.
	Problems []Problem
}

// Problem is one thing that could not be collected.
type Problem struct {
	What  string    `json:"what"`
	Error string    `json:"error"`
	At    time.Time `json:"at"`
}

// Kubernetes is the part of the API objects that claims read. Its file is kubernetes.json.
type Kubernetes struct {
	At             time.Time    `json:"at"`
	Version        string       `json:"version"`
	Server         string       `json:"server"`
	Namespaces     []Object     `json:"namespaces"`
	Deployments    []Deployment `json:"deployments"`
	Pods           []Pod        `json:"pods"`
	Services       []Service    `json:"services"`
	RemoteSecrets  []Object     `json:"remoteSecrets"`
	EndpointSlices []Endpoints  `json:"endpointSlices"`
	Gateways       []Gateway    `json:"gateways"`
	Events         []Event      `json:"events"`
	// MeshRoot is the SHA-256 (hex) of the certificate in istio-system's config map istio-ca-root-cert, of several that of the
	// sorted set; in evidence of older runs that of the first.
	MeshRoot string `json:"meshRoot,omitempty"`
	// MeshRoots are the digests of each of these certificates, sorted; nil in evidence of older runs.
	MeshRoots []string `json:"meshRoots,omitempty"`
	// The lists below are nil in evidence of runs that did not take them, or could not; then Problems says why.

	// RemoteServers are the API servers that the remote secrets point at.
	RemoteServers []RemoteServer `json:"remoteServers"`
	// APIServers are the addresses (host:port) under which the cluster knows its own API server.
	APIServers []string `json:"apiServers"`
	// ReaderMay tells what the account of the guide's remote secrets may do here: "list services": true.
	ReaderMay map[string]bool `json:"readerMay"`
	// Webhooks are the sidecar injectors' configurations.
	Webhooks              []Object              `json:"webhooks"`
	DestinationRules      []DestinationRule     `json:"destinationRules"`
	VirtualServices       []VirtualService      `json:"virtualServices"`
	AuthorizationPolicies []AuthorizationPolicy `json:"authorizationPolicies"`
}

// Object is a name and its labels and annotations.
type Object struct {
	Namespace   string            `json:"namespace,omitempty"`
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Created     time.Time         `json:"created"`
	Terminating bool              `json:"terminating,omitempty"`
}

// Deployment is a Deployment's counts and images.
type Deployment struct {
	Object
	Replicas  int32    `json:"replicas"`
	Available int32    `json:"available"`
	Images    []string `json:"images"`
}

// Pod is a Pod with the state of its containers.
type Pod struct {
	Object
	IP             string            `json:"ip"`
	Node           string            `json:"node"`
	Phase          string            `json:"phase"`
	ServiceAccount string            `json:"serviceAccount"`
	Containers     []Container       `json:"containers"`
	Env            map[string]string `json:"env,omitempty"` // the ISTIO_META_*, PILOT_CERT_PROVIDER, TRUST_DOMAIN and CA_ADDR of istio-proxy, or of istiod's discovery
}

// Container is one container's (or native sidecar's) state.
type Container struct {
	Name     string `json:"name"`
	Image    string `json:"image"`
	Ready    bool   `json:"ready"`
	Restarts int32  `json:"restarts"`
	Waiting  string `json:"waiting,omitempty"` // reason: message
	Sidecar  bool   `json:"sidecar,omitempty"` // an init container that keeps running (KEP-753)
}

// Service is a Service with its load balancer's addresses.
type Service struct {
	Object
	Type      string   `json:"type"`
	ClusterIP string   `json:"clusterIP"`
	Ports     []int32  `json:"ports"`
	Addresses []string `json:"addresses"` // status.loadBalancer.ingress: IP or hostname
	Ranges    []string `json:"sourceRanges,omitempty"`
}

// Endpoints is an EndpointSlice.
type Endpoints struct {
	Object
	Ready    []string `json:"ready"`
	NotReady []string `json:"notReady,omitempty"`
}

// Gateway is networking.istio.io Gateway.
type Gateway struct {
	Object
	Selector map[string]string `json:"selector"`
	Servers  []GatewayServer   `json:"servers"`
}

// GatewayServer is one server of a Gateway.
type GatewayServer struct {
	Port    uint32   `json:"port"`
	TLSMode string   `json:"tlsMode"`
	Hosts   []string `json:"hosts"`
}

// Event is a Kubernetes event, without its object's contents.
type Event struct {
	Namespace string    `json:"namespace"`
	Object    string    `json:"object"` // kind/name
	Type      string    `json:"type"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Count     int32     `json:"count"`
	Last      time.Time `json:"last"`
}

// Istiod is one replica of the control plane. Its file is istiod-POD.json.
type Istiod struct {
	At       time.Time `json:"at"`
	Pod      string    `json:"pod"`
	Revision string    `json:"revision"`
	Version  string    `json:"version,omitempty"`
	// Pages are the bodies of its debug pages by name (clusterz, networkz, endpointShardz, syncz, mesh), as sent.
	// endpointShardz is cut to the hosts in the run's namespaces, mesh to the settings that claims read.
	Pages map[string]json.RawMessage `json:"pages"`
	// Metrics are those about remote clusters; nil when they were not taken.
	Metrics []Metric `json:"metrics"`
	// Complaints are what the replica's log says of remote clusters.
	Complaints []Complaint `json:"complaints,omitempty"`
}

// Proxy is one Envoy. Its file is proxy-NAMESPACE-POD.json.
type Proxy struct {
	At        time.Time `json:"at"`
	Namespace string    `json:"namespace"`
	Pod       string    `json:"pod"`
	// Role is "sleep", "helloworld" or "gateway".
	Role string `json:"role"`
	// Clusters is the body of Envoy's /clusters?format=json.
	Clusters json.RawMessage `json:"clusters,omitempty"`
	// ConfigDump is /config_dump?include_eds cut to its sections of clusters, listeners, routes and endpoints, and these to names,
	// addresses, filter chains, domains and where calls go: the rest may hold what must not be kept. In evidence of older runs
	// these sections are whole.
	ConfigDump json.RawMessage `json:"configDump,omitempty"`
	// Certs is the body of /certs: subjects, serials and validity, no key.
	Certs json.RawMessage `json:"certs,omitempty"`
	// Stats is the body of /stats?format=json. Istio's bootstrap keeps few of Envoy's counters: those of its managers of
	// clusters and listeners, of the connection to istiod and of the server.
	Stats json.RawMessage `json:"stats,omitempty"`
	// RootSHA256 is the hex digest of the ROOTCA that the proxy trusts, as `istioctl proxy-config secret` shows it; of several
	// certificates that of the sorted set.
	RootSHA256 string `json:"rootSHA256,omitempty"`
	// Roots are the digests of each of these certificates, sorted; nil in evidence of older runs.
	Roots []string `json:"roots,omitempty"`

	decoded *decoded // nil: the pages are decoded each time
}

// Dial is one TCP connection attempted from a probe pod of ours. All of one cluster are in dials.json.
type Dial struct {
	At time.Time `json:"at"`
	// To is the name of the cluster whose gateway, or whose API server, was dialled.
	To        string  `json:"to"`
	Pod       string  `json:"pod"`
	Address   string  `json:"address"` // host:port
	Connected bool    `json:"connected"`
	Seconds   float64 `json:"seconds"`
	Error     string  `json:"error,omitempty"`
}
