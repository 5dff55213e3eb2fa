// Package procedure runs the guide's steps on a set of clusters: each command in the release directory with bash, as the
// guide package renders it, under a deadline and in an environment of its own. Every command and every wait becomes a
// step of the evidence. A step that fails ends the procedure.
package procedure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/shell"
)

// Ledger is told of what is about to be made on a supplied cluster, before and after, and of what was removed.
type Ledger interface {
	Book
	Intend(ledger.Entry) error
	Made(ledger.Entry) error
}

// Limits bound the steps.
type Limits struct {
	// Command bounds a command that changes or reads a few objects.
	Command time.Duration
	// Gateway bounds S6: istioctl itself gives up on a gateway that does not become ready after 5 min.
	Gateway time.Duration
	// Join bounds S8 where a real asmcli performs it: for two clusters it took 33 s, and as printed it downloads a release first.
	Join time.Duration
	// Address bounds the wait for the load balancer's address.
	Address time.Duration
	// Joined bounds the wait, where clusters are joined in turn, until those so far know each other.
	Joined time.Duration
	// Pods bounds the waits for the sample's pods.
	Pods time.Duration
	// Calls bounds S14: with a dead path each of the 20 calls may stall for 10 s before its retry.
	Calls time.Duration
	// CleanUp bounds S15 and the wait after it.
	CleanUp time.Duration
	// Gone bounds the wait of Undo for one object to be gone; a namespace with pods in it takes about 20 s.
	Gone time.Duration
}

// DefaultLimits are several times what was measured on two cores.
func DefaultLimits() Limits {
	return Limits{
		Command: time.Minute, Gateway: 330 * time.Second, Join: 10 * time.Minute, Address: 90 * time.Second, Joined: 2 * time.Minute, Pods: 3 * time.Minute,
		Calls: 4 * time.Minute, CleanUp: 3 * time.Minute, Gone: 2 * time.Minute,
	}
}

// longest is how long a step may work on what the ledger said that it is about to make.
func (l Limits) longest() time.Duration {
	return max(l.Command, l.Gateway, l.Join, l.Address, l.Joined, l.Pods, l.Calls, l.CleanUp)
}

// Options are what the procedure needs.
type Options struct {
	Intent  intent.Intent
	Set     cluster.Set
	Release *release.Dir
	// Kubectl is the program; "" = the one on the caller's PATH.
	Kubectl string
	// Dir is a private directory of the run: kubeconfigs and kubectl's cache are kept there.
	Dir string
	// InTurn has S8 performed for the first two clusters, and then, with the entire set so far, for one more at a time.
	InTurn bool
	// Joiner performs S8; nil = the built-in one, which does what asmcli create-mesh leaves behind, or asmcli where it is given.
	Joiner Joiner
	// Tools are a real asmcli and gcloud, for S1 and S8; nil = there are none.
	Tools *asm.Driver
	// Limits; the zero value = DefaultLimits.
	Limits Limits
	// OnBegin is told of each step as it begins, of two clusters' at once; OnStep as it ends, one at a time; both may be nil.
	OnBegin, OnStep func(evidence.Step)
	// OnNamespace is called once S10 has made the sample's namespace, before anything runs in it; may be nil.
	OnNamespace func(context.Context) error
	// Ledger is used on supplied clusters; may be nil.
	Ledger Ledger
	// Variables are what S1 to S5 exported on these clusters before, for a mesh that is set up; nil = SetUp sets them.
	Variables map[string]string
}

// Procedure is the guide on one set of clusters. Its methods are to be called one after the other.
type Procedure struct {
	o      Options
	steps  []guide.Step
	values guide.Values
	files  files
	// run is shell.Run; tests put another in its place.
	run func(context.Context, shell.Command) (shell.Result, error)

	mu sync.Mutex
	// variables are what S1 to S5 exported.
	variables map[string]string
}

// New checks that the intent and the set belong together, and writes the kubeconfigs that the guide's commands use.
func New(o Options) (*Procedure, error) {
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if len(o.Set) < guide.Clusters || len(o.Intent.Clusters) != len(o.Set) {
		return nil, fmt.Errorf("prepare the guide's steps: %d clusters and %d in the intent, but the guide is about %d, and more are treated as the second",
			len(o.Set), len(o.Intent.Clusters), guide.Clusters)
	}
	steps, err := guide.Steps(len(o.Set))
	if err != nil {
		return nil, err
	}
	words, err := guide.Words(o.Intent.Platform, o.Intent.CA)
	if err != nil {
		return nil, err
	}
	if o.Kubectl == "" {
		if o.Kubectl, err = exec.LookPath("kubectl"); err != nil {
			return nil, fmt.Errorf("find kubectl, which the guide's commands call: %w: install it", err)
		}
	}
	p := &Procedure{o: o, steps: steps, run: shell.Run, variables: map[string]string{}}
	maps.Copy(p.variables, o.Variables)
	p.values = guide.Values{
		Fleet: o.Intent.Fleet, ProjectNumber: o.Intent.ProjectNumber, Revision: o.Intent.Revision, Namespace: o.Intent.Namespace(), Words: words,
	}
	if o.Tools != nil {
		p.values.ProjectNumber = "" // gcloud is asked for it, as printed
		p.values.Asmcli, p.values.OutputDir = o.Tools.Asmcli(), o.Tools.OutputDir()
	}
	if p.files, err = prepareFiles(o); err != nil {
		return nil, fmt.Errorf("prepare the guide's steps in %s: %w", o.Dir, err)
	}
	return p, p.fillClusters()
}

// fillClusters gives the guide's placeholders their values for each cluster.
func (p *Procedure) fillClusters() error {
	for i, c := range p.o.Set {
		member := p.o.Intent.Clusters[i]
		if member.Name != c.Name {
			return fmt.Errorf("prepare the guide's steps: cluster %d is %s, but the intent says %s", i+1, c.Name, member.Name)
		}
		p.values.Clusters = append(p.values.Clusters, guide.Cluster{
			ID: member.ID, Network: member.Network, RemoteName: remoteName(p.o.Intent, p.o.Set, i), Kubeconfig: p.files.own[i], Context: p.files.contexts[i],
		})
	}
	return nil
}

// remoteName is the name under which the others know cluster i.
func remoteName(in intent.Intent, set cluster.Set, i int) string {
	if name := in.Clusters[i].RemoteName; name != "" {
		return name
	}
	return RemoteName(set[i].Context)
}

// supplied tells whether the clusters are somebody's, so that everything that is made on them must be remembered.
func (p *Procedure) supplied() bool { return p.o.Intent.Provision == intent.Supplied }

// environment is everything that a command of the guide inherits. On supplied clusters the rest is the caller's,
// because a kubeconfig's credential plugin may need any of it (HOME, proxies, AWS_*, GOOGLE_*, AZURE_*).
func (p *Procedure) environment() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	env := []string{
		"PATH=" + p.files.bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"HOME=" + p.files.home, "LANG=C.UTF-8", "SAMPLES_DIR=" + p.o.Release.Samples,
	}
	env = append(env, p.kubectl()...)
	if p.supplied() {
		caller := shell.Callers("PATH", "LANG", "KUBECONFIG", "KUBECACHEDIR", "KUBERC", "SAMPLES_DIR", "BASH_ENV", "ENV")
		env = append(env, caller...) // the last one of a name counts
	}
	for name, value := range p.variables {
		env = append(env, name+"="+value)
	}
	return env
}

// Variables are what S1 to S5 exported, for another process that goes on with the mesh.
func (p *Procedure) Variables() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.variables)
}

var errNotSetUp = errors.New("the guide's variables are not set: call SetUp first")

// needsVariables refuses a step whose command would otherwise reach whichever cluster is kubectl's current one.
func (p *Procedure) needsVariables(names ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		if p.variables[name] == "" {
			return errNotSetUp
		}
	}
	return nil
}
