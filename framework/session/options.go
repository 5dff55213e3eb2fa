// Package session is one run from its clusters to their removal: it brings or takes the clusters, performs the guide,
// has the mesh looked at and judged, writes what was found, and removes what it made. It knows no test runner.
package session

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
)

// Keep says when clusters that the run made stay.
type Keep string

// KeepNever removes them always, KeepOnFailure leaves them when the verdict is not passed, KeepAlways leaves them.
const (
	KeepNever     Keep = "never"
	KeepOnFailure Keep = "on-failure"
	KeepAlways    Keep = "always"
)

// DifferentRoots is the fault that gives each cluster a root of its own.
const DifferentRoots = "different-roots"

// ReportsDir is where reports go unless Options.ReportDir says otherwise.
const ReportsDir = "reports"

// Options are what a person can ask of a run.
type Options struct {
	// RunID names everything that the run makes; "" = one is chosen.
	RunID string
	// Targets are given clusters; none = kind clusters are made.
	Targets []Target
	// Clusters is how many kind clusters are made; 0 = the guide's 2.
	Clusters int
	// InTurn has endpoint discovery enabled for the first two clusters, and then for one more at a time, with the entire set.
	InTurn bool
	// Platform and CA name the guide's cell whose commands are run. For kind clusters "" is no platform of the guide's, and Istio
	// CA; a CA of a fleet is emulated there. For given clusters "" is what the targets say.
	Platform, CA string
	// Fleet and ProjectNumber stand for FLEET_PROJECT_ID and what S1 prints; on given clusters "" = read from the mesh.
	Fleet, ProjectNumber string
	Revision             string
	Samples              int
	Alpha                float64
	// ReleaseDir is a release directory as asmcli makes it; "" = one is put together.
	ReleaseDir string
	// Tools perform S1 and S8, where they are given.
	Tools Tools
	// ProbeImage is the image of the suite's own pods; "" = the rig's, and without a tag it gets that of this version's probe.
	ProbeImage string
	// Place says how that image is pulled, and on which nodes the suite's own pods run.
	Place  Placement
	Images images.Options
	Keep   Keep
	// Mode says how the guide's commands are taken; "" = corrected. Expect are the findings about the guide that a literal run is
	// to find.
	Mode   intent.Mode
	Expect []string
	// Namespace is where the guide's sample goes; "" = where the guide puts it.
	Namespace string
	Beginning
	// Plant names faults that the run puts in itself.
	Plant []string
	// Disruptive allows the run to change the mesh on purpose, and to change it back, for the claims that need it;
	// Disruptions are ids of those that it is to do, none = all.
	Disruptive  bool
	Disruptions []string
	// LeftOut are claims that are not to be judged, by their ids, each with what leaves it out. What would be done to the mesh for
	// them alone is not done.
	LeftOut map[string]string
	// FailFast leaves out what is still to be done to the mesh once a claim about it has failed.
	FailFast bool
	// By and Where are told in the report: who runs this, and on which machine or CI job. "" = nothing is told.
	By, Where string
	// ReportDir is where the report goes; "" = reports/RUN-ID, with reports/latest pointing at it.
	ReportDir string
	// StateDir holds what a run needs while it lives (kubeconfigs, ledger); "" = the user's state directory.
	StateDir string
	// Timeout bounds the run without its removal.
	Timeout time.Duration
	// Limits of the waits; the zero value = DefaultLimits. TimeoutMultiplier stretches all of them; 0 = 1.
	Limits            Limits
	TimeoutMultiplier float64
	// Tell receives the progress.
	Tell Teller
}

// Teller is told what happens; its methods may be called from several goroutines.
type Teller interface {
	// Note says what a person wants to know unasked.
	Note(what string)
	// Doing says that something began; Done with the same words says that it ended. Cluster "" means the run as a whole.
	Doing(cluster, what string)
	// Done says that something ended, well (err nil) or not.
	Done(cluster, what string, took time.Duration, err error)
	// Progress says how far something is.
	Progress(Progress)
}

// UsageError is input that was refused before anything was changed.
type UsageError struct{ Err error }

// Error gives the reason.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *UsageError) Unwrap() error { return e.Err }

// Defaults fills what was left open, and refuses what cannot be.
func (o Options) Defaults() (Options, error) {
	if o.RunID == "" {
		o.RunID = newRunID(time.Now())
	}
	if o.Mode == "" {
		o.Mode = intent.Corrected
	}
	if o.Keep == "" {
		o.Keep = KeepNever
	}
	o, err := o.placed()
	if err != nil {
		return o, err
	}
	if o.ReportDir == "" {
		o.ReportDir = filepath.Join(ReportsDir, o.RunID)
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.TimeoutMultiplier == 0 {
		o.TimeoutMultiplier = 1
	}
	o.ProbeImage = images.ProbeImage(o.ProbeImage)
	return o, o.validate()
}

// dir is the run's own directory.
func (o Options) dir() string { return filepath.Join(o.StateDir, "runs", o.RunID) }

// maxClusters is how many clusters a run makes at most: docker gives each as many addresses for its load balancer as the rest
// of the run's network allows.
const maxClusters = 8

// kindNames are the clusters that a run makes, CLUSTER_1 first.
func (o Options) kindNames() []string {
	names := []string{"east", "west", "north", "south", "fifth", "sixth", "seventh", "eighth"}
	return names[:min(max(o.Clusters, guide.Clusters), maxClusters)]
}

// kindIntent is what a run on clusters of its own expects.
func (o Options) kindIntent() intent.Intent {
	in := intent.Intent{
		RunID: o.RunID, Mode: o.Mode, Expect: o.Expect, Provision: intent.Kind, Platform: cmp.Or(o.Platform, onKind), CA: cmp.Or(o.CA, intent.IstioCA),
		Fleet: o.Fleet, ProjectNumber: o.ProjectNumber, MeshID: intent.MeshID(o.ProjectNumber),
		Revision:   o.Revision,
		GuideCalls: guideCalls, Samples: o.Samples, Alpha: o.Alpha, Planted: o.Plant,
		From: o.begin(), ReadOnly: o.ReadOnly, LeftOut: maps.Clone(o.LeftOut),
	}
	in = in.InNamespace(o.Namespace)
	in.EmulatedCA, in.TrustDomain = in.CA != intent.IstioCA, trustDomain(in.CA, o.Fleet)
	for i, name := range o.kindNames() {
		in.Clusters = append(in.Clusters, member(i, intent.Cluster{Name: name, ID: intent.ClusterID(o.Fleet, name), Network: o.network(i)}))
	}
	return in
}

// givenIntent is what a run on given clusters expects, but for the clusters.
func (o Options) givenIntent() intent.Intent {
	in := o.kindIntent()
	in.Provision, in.Platform, in.Clusters, in.CA = intent.Supplied, o.Targets[0].platform(), nil, o.Targets[0].Authority()
	return in
}

// member is the i-th cluster of a mesh, with the version of helloworld that the guide puts there.
func member(i int, c intent.Cluster) intent.Cluster {
	c.Version = fmt.Sprintf("v%d", i+1)
	return c
}

// onKind is the platform of kind clusters that stand for none of the guide's.
const onKind = "kind"

// trustDomain is that of the guide's CA; "" for one that the guide has not, which checkCell refuses.
func trustDomain(ca, fleet string) string {
	m, err := guide.LoadMatrix()
	if err != nil {
		return "" // the embedded data are checked by their package's tests
	}
	return m.TrustDomain(ca, fleet)
}

// network is that of the i-th cluster: one of its own, or the one that the guide prints for all.
func (o Options) network(i int) string {
	if o.Mode == intent.Literal {
		return "default"
	}
	return fmt.Sprintf("network%d", i+1)
}

// clusters is how many clusters the run is about.
func (o Options) clusters() int {
	if n := len(o.Targets); n > 0 {
		return max(n, guide.Clusters) // one is refused
	}
	return len(o.kindNames())
}

// Share is what each cluster answers of the calls when all are alike.
func (o Options) Share() float64 { return 1 / float64(o.clusters()) }

// guideCalls is how often the guide calls helloworld from each cluster (S14).
const guideCalls = 20

// placed gives the options with the state directory that they mean. A look is not a run, and has none yet.
func (o Options) placed() (Options, error) {
	if o.StateDir != "" {
		return o, nil
	}
	var err error
	o.StateDir, err = stateDir()
	return o, err
}

func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "meshproof"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the run's files: %w: set HOME or XDG_STATE_HOME", err)
	}
	return filepath.Join(home, ".local", "state", "meshproof"), nil
}

// newRunID is the time of day and a random end: short, because it is part of cluster and host names.
func newRunID(now time.Time) string {
	return strings.ToLower(now.UTC().Format("0102-150405")) + "-" + randomHex(2)
}
