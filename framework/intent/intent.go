// Package intent says what one run expects: the clusters and their networks, the mesh's identity, the mode in which the
// guide is followed, and the error rates of its random checks. It is saved with the evidence, and claims read it, so
// that a saved run is judged again without a cluster and with the same result.
package intent

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Mode says how the guide's commands are taken.
type Mode string

// Literal runs the commands exactly as printed; Corrected applies the listed deviations (findings F1 and F2).
const (
	Literal   Mode = "literal"
	Corrected Mode = "corrected"
)

// Provision says where the clusters came from.
type Provision string

// Kind clusters are made (and removed) by the run; Supplied ones are somebody's.
const (
	Kind     Provision = "kind"
	Supplied Provision = "supplied"
)

// The guide's certificate authorities. With IstioCA istiod itself signs, with what the clusters hold; it is that of a mesh of
// which nobody says it. The others are the fleet's.
const (
	IstioCA   = "istio-ca"
	MeshCA    = "mesh-ca"
	CAService = "ca-service"
)

// UnspecifiedPlatform is the platform of given clusters of which nobody says it.
const UnspecifiedPlatform = "unspecified"

// EmulatedCA marks a run in which a stand-in signed for the fleet's CA.
const EmulatedCA = "emulated-ca"

// Intent is what a run expects. Its JSON form is evidence/intent.json.
type Intent struct {
	RunID     string    `json:"runID"`
	Mode      Mode      `json:"mode"`
	Provision Provision `json:"provision"`
	Platform  string    `json:"platform"`
	CA        string    `json:"ca"`
	// EmulatedCA is true when a stand-in signs for the fleet's CA: whatever the run shows, it shows of the stand-in.
	EmulatedCA bool `json:"emulatedCA,omitempty"`
	// Fleet is FLEET_PROJECT_ID, ProjectNumber what `gcloud projects describe` prints for it (guide, step S1).
	Fleet         string `json:"fleet"`
	ProjectNumber string `json:"projectNumber"`
	// MeshID is "proj-" and the project number (S2).
	MeshID      string `json:"meshID"`
	Revision    string `json:"revision"`
	TrustDomain string `json:"trustDomain"`
	// UpstreamEnvoy is true when the proxies run an Envoy without Istio's own filters.
	UpstreamEnvoy bool `json:"upstreamEnvoy"`
	// Clusters in the guide's order: CLUSTER_1 gets v1, CLUSTER_2 gets v2, and so on.
	Clusters []Cluster `json:"clusters"`
	// GuideCalls is the number of calls in the guide's own check (S14): 20.
	GuideCalls int `json:"guideCalls"`
	// Samples is the number of measured calls per direction.
	Samples int `json:"samples"`
	// Alpha is the declared false-fail rate of each random check.
	Alpha float64 `json:"alpha"`
	// Planted names faults that the run itself put in, to see that it fails; empty in an honest run.
	Planted []string `json:"planted,omitempty"`
	// Expect are the ids of the findings about the guide that a literal run is to find, all of them and nothing else.
	Expect []string `json:"expect,omitempty"`
	// Handshakes tells that the gateways are asked as those whom they must refuse, too (claims "denies-..."). Runs of earlier
	// versions did not.
	Handshakes bool `json:"handshakes,omitempty"`
	// Certificates tells that some of those who ask have certificates of the mesh's own root, which only a run has that made
	// the mesh.
	Certificates bool `json:"certificates,omitempty"`
	// SecondCalls is how often each cluster calls the suite's own second service; 0 = it was not there.
	SecondCalls int `json:"secondCalls,omitempty"`
	// Logs tells that the control plane's logs are looked through for hidden errors (claims "istiod-log" and "istiod-panics").
	Logs bool `json:"logs,omitempty"`
	// Disruptions names what was done to the mesh on purpose, and undone, to see that it is noticed; DisruptionSamples is the
	// number of measured calls per direction in each of their epochs.
	Disruptions       []string `json:"disruptions,omitempty"`
	DisruptionSamples int      `json:"disruptionSamples,omitempty"`
	// Injections names the failures from which the mesh had to recover under load.
	Injections []string `json:"injections,omitempty"`
	// Asmcli is the version of the real asmcli that performs S8, with a real gcloud; "" = the built-in join does.
	Asmcli string `json:"asmcli,omitempty"`
	// LeftOut are the claims that the run was asked not to judge, by their ids, each with what left it out: "--skip split".
	LeftOut map[string]string `json:"leftOut,omitempty"`
	// Standing is true when a mesh is judged that stays: S15 is not performed, and no claim about it is made.
	Standing bool `json:"standing,omitempty"`
	// From is where a run on given clusters began that did not begin at the gateway.
	From Begin `json:"from,omitempty"`
	// ReadOnly is true when nothing was deployed and no traffic was sent: claims that need either are skipped. NoSample is true
	// when such a run found no sample.
	ReadOnly bool `json:"readOnly,omitempty"`
	NoSample bool `json:"noSample,omitempty"`
	// SampleNamespace is where the guide's sample is instead of GuideNamespace; "" = there. Namespace gives the one that counts.
	SampleNamespace string `json:"sampleNamespace,omitempty"`
}

// Cluster is one member of the mesh as it is expected to be.
type Cluster struct {
	// Name is the short name in reports ("east").
	Name string `json:"name"`
	// ID is the mesh's name for it: cn-FLEET-global-NAME (S3).
	ID string `json:"id"`
	// Network is its Istio network.
	Network string `json:"network"`
	// Version is the helloworld version that runs here: v1, v2, ...
	Version string `json:"version"`
	// RemoteName is the name under which the other clusters' remote secrets know it: asmcli's form of the context.
	RemoteName string `json:"remoteName"`
}

// Authority is the CA as reports name it.
func (i Intent) Authority() string {
	if i.EmulatedCA {
		return i.CA + " (" + EmulatedCA + ")"
	}
	return i.CA
}

// IstiodSigns tells that istiod itself signs the workloads' certificates. With every other CA the root that istiod publishes
// is its own, for its API only, and may differ from cluster to cluster.
func (i Intent) IstiodSigns() bool { return i.CA == IstioCA || i.CA == "" }

// Names gives the clusters' names, in order.
func (i Intent) Names() []string {
	var names []string
	for _, c := range i.Clusters {
		names = append(names, c.Name)
	}
	return names
}

// Cluster gives the cluster of that name, and whether there is one.
func (i Intent) Cluster(name string) (Cluster, bool) {
	at := slices.IndexFunc(i.Clusters, func(c Cluster) bool { return c.Name == name })
	if at < 0 {
		return Cluster{}, false
	}
	return i.Clusters[at], true
}

// Peers gives the other clusters, in order.
func (i Intent) Peers(name string) []Cluster {
	return slices.DeleteFunc(slices.Clone(i.Clusters), func(c Cluster) bool { return c.Name == name })
}

// ClusterID is the guide's cluster name, cn-FLEET_PROJECT_ID-global-CLUSTER_NAME (S3).
func ClusterID(fleet, name string) string { return "cn-" + fleet + "-global-" + name }

// MeshID is the guide's mesh ID, proj-PROJECT_NUMBER (S2).
func MeshID(projectNumber string) string { return "proj-" + projectNumber }

var (
	dns1123 = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	digits  = regexp.MustCompile(`^[0-9]+$`)
)

// MinSamples is the smallest sample in which even the most one-sided result (p = 2^(1-n)) is below the default rate of 1e-8.
const MinSamples = 28

// MaxAlpha is the highest false-fail rate that a run may declare for a check.
const MaxAlpha = 0.05

// Validate names every value that cannot be right, joined; nil when the intent is sound.
func (i Intent) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !dns1123.MatchString(i.RunID) || len(i.RunID) > 32 {
		bad("run id %q: use at most 32 lower-case letters, digits and '-'", i.RunID)
	}
	if i.Mode != Literal && i.Mode != Corrected {
		bad("mode %q: use %q or %q", i.Mode, Literal, Corrected)
	}
	if !digits.MatchString(i.ProjectNumber) {
		bad("project number %q: use digits only, as `gcloud projects describe` prints it", i.ProjectNumber)
	}
	if !dns1123.MatchString(i.Fleet) {
		bad("fleet %q: use a project ID (lower-case letters, digits and '-')", i.Fleet)
	}
	if !dns1123.MatchString(i.Revision) {
		bad("revision %q: use the value of the istio.io/rev label, such as asm-1232-2", i.Revision)
	}
	if i.Samples < MinSamples {
		bad("samples %d: use at least %d per direction: a smaller sample cannot reject anything at the declared rate", i.Samples, MinSamples)
	}
	if !(i.Alpha > 0 && i.Alpha <= MaxAlpha) { // nor what is no number
		bad("alpha %g: use a rate above 0 and at most %g", i.Alpha, MaxAlpha)
	}
	errs = append(errs, i.validateClusters()...)
	return errors.Join(errs...)
}

// ValidateNames refuses clusters whose names are none, or not their own: they stand in the ledger and in names of files.
func (i Intent) ValidateNames() error {
	var errs []error
	names := map[string]bool{}
	for _, c := range i.Clusters {
		if !dns1123.MatchString(c.Name) {
			errs = append(errs, fmt.Errorf("cluster name %q: use lower-case letters, digits and '-'", c.Name))
		}
		if names[c.Name] {
			errs = append(errs, fmt.Errorf("cluster name %q is used twice: give each cluster its own", c.Name))
		}
		names[c.Name] = true
	}
	return errors.Join(errs...)
}

func (i Intent) validateClusters() (errs []error) {
	if len(i.Clusters) < 2 {
		errs = append(errs, fmt.Errorf("%d clusters: a mesh of several has at least 2: give 2 or more", len(i.Clusters)))
	}
	errs = append(errs, i.ValidateNames())
	networks, remote := map[string]string{}, map[string]string{}
	for _, c := range i.Clusters {
		if other, taken := networks[c.Network]; taken && i.Mode == Corrected {
			errs = append(errs, fmt.Errorf("clusters %s and %s are both on network %q: the gateways would be by-passed (finding F1): give each its own network",
				other, c.Name, c.Network))
		}
		networks[c.Network] = c.Name
		if other, taken := remote[c.RemoteName]; taken && c.RemoteName != "" {
			errs = append(errs, fmt.Errorf("clusters %s and %s are both %q in the other clusters' remote secrets: give each its own name: another context, or --remote-names cluster-id",
				other, c.Name, c.RemoteName))
		}
		remote[c.RemoteName] = c.Name
	}
	return errs
}
