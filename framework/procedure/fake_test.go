package procedure

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/shell"
)

// rig is two API servers in memory and a shell that does on them what the guide's commands would.
type rig struct {
	t       *testing.T
	servers map[string]*apitest.Server
	set     cluster.Set
	p       *Procedure

	mu       sync.Mutex
	commands []shell.Command
	notified []string
	// answer overrides what a command does, when its script contains the key.
	answer map[string]func(ctx context.Context, c shell.Command) (shell.Result, error)
}

func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	return newRigOf(t, []string{"east", "west"}, change)
}

// newRigOf is a rig of clusters with these names.
func newRigOf(t *testing.T, names []string, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, servers: map[string]*apitest.Server{}, answer: map[string]func(context.Context, shell.Command) (shell.Result, error){}}
	var members []intent.Cluster
	for i, name := range names {
		r.servers[name] = apitest.New(t)
		r.set = append(r.set, r.servers[name].Cluster(t, name))
		members = append(members, intent.Cluster{Name: name, ID: "cn-fleet-global-" + name, Network: fmt.Sprintf("network%d", i+1)})
	}
	kubectl := filepath.Join(t.TempDir(), "kubectl-1.37")
	if err := os.WriteFile(kubectl, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Intent: intent.Intent{
			RunID: "r1", Mode: intent.Corrected, Provision: intent.Kind, Platform: "kind", CA: "istio-ca", Fleet: "fleet", ProjectNumber: "123",
			MeshID: "proj-123", Revision: "asm-1232-2", Clusters: members,
		},
		Set: r.set, Release: &release.Dir{Path: t.TempDir(), Samples: "/samples-dir"}, Kubectl: kubectl, Dir: filepath.Join(t.TempDir(), "private"),
		OnStep: func(s evidence.Step) { r.notified = append(r.notified, s.ID) },
		Limits: Limits{Command: time.Minute, Gateway: time.Minute, Address: time.Minute, Pods: time.Minute, Calls: time.Minute, CleanUp: time.Minute, Joined: time.Minute},
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.run = r.run
	r.p = p
	return r
}

// run notes the command and does what it would.
func (r *rig) run(ctx context.Context, c shell.Command) (shell.Result, error) {
	script := c.Args[len(c.Args)-1]
	r.mu.Lock()
	r.commands = append(r.commands, c)
	var override func(context.Context, shell.Command) (shell.Result, error)
	for part, answer := range r.answer {
		if strings.Contains(script, part) {
			override = answer
		}
	}
	r.mu.Unlock()
	if override != nil {
		return override(ctx, c)
	}
	return r.act(ctx, c, script)
}

func (r *rig) act(ctx context.Context, c shell.Command, script string) (shell.Result, error) {
	var which []string
	for _, c := range r.set {
		which = append(which, c.Name)
	}
	for n, name := range which {
		if strings.Contains(script, fmt.Sprintf("CLUSTER_%d", n+1)) || strings.Contains(script, fmt.Sprintf("CTX_%d", n+1)) {
			which = []string{name}
			break
		}
	}
	switch {
	case strings.Contains(script, "export "):
		return shell.Run(ctx, c) // S1 to S5 need no cluster: bash itself does them
	case strings.Contains(script, "get-contexts"):
		table := "CURRENT   NAME       CLUSTER\n"
		for _, name := range which {
			table += "          ctx-" + name + "   " + name + "\n"
		}
		return shell.Result{Stdout: table}, nil
	case strings.Contains(script, "gen-eastwest-gateway.sh"):
		r.servers[which[0]].Put(r.t, servicePath, "{status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}")
	case strings.Contains(script, "get pods -l app=istiod"):
		return shell.Result{Stdout: "NAME LABELS\nistiod-1 app=istiod,istio.io/rev=asm-1232-2,istio=istiod\n"}, nil
	case strings.Contains(script, "create --context=${CTX} namespace"):
		for _, s := range r.servers {
			s.Put(r.t, r.moved(namespacePath), "{metadata: {name: "+r.p.o.Intent.Namespace()+"}}")
		}
	case strings.Contains(script, "version=v"):
		r.servers[which[0]].Put(r.t, r.moved(podsPath)+"hw", pod("hw", "helloworld"))
	case strings.Contains(script, "sleep.yaml"):
		for _, s := range r.servers {
			s.Put(r.t, r.moved(podsPath)+"sleep", pod("sleep", "sleep"))
		}
	case strings.Contains(script, "kubectl exec"):
		return shell.Result{Stdout: "Hello version: v1, instance: hw\n"}, nil
	}
	return shell.Result{}, nil
}

// moved is a path in the guide's namespace where the run has the sample.
func (r *rig) moved(path string) string {
	return strings.Replace(path, "/sample", "/"+r.p.o.Intent.Namespace(), 1)
}

const (
	servicePath   = "/api/v1/namespaces/istio-system/services/istio-eastwestgateway"
	namespacePath = "/api/v1/namespaces/sample"
	podsPath      = "/api/v1/namespaces/sample/pods/"
)

// pod is one that is 2/2 with a native sidecar.
func pod(name, app string) string {
	return fmt.Sprintf(`{metadata: {name: %s, labels: {app: %s}}, spec: {containers: [{name: app}], initContainers: [{name: istio-init}, {name: istio-proxy, restartPolicy: Always}]},
status: {phase: Running, containerStatuses: [{name: app, ready: true}], initContainerStatuses: [{name: istio-init, ready: true}, {name: istio-proxy, ready: true}]}}`, name, app)
}

// ids gives the steps' ids, those of one stage (which end in any order) sorted.
func ids(steps []evidence.Step) []string {
	var all []string
	for _, s := range steps {
		all = append(all, s.ID)
	}
	slices.Sort(all)
	return all
}

// script gives the one command that was run whose script contains the part.
func (r *rig) script(part string) shell.Command {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []shell.Command
	for _, c := range r.commands {
		if strings.Contains(c.Args[len(c.Args)-1], part) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		r.t.Fatalf("%d commands contain %q, want one", len(found), part)
	}
	return found[0]
}

// unsaid is told what stays where a test does not look at that.
func unsaid(string) {}

// notes is a ledger in memory.
type notes struct {
	mu    sync.Mutex
	lines []string
	all   []ledger.Entry
	err   error
}

func (n *notes) note(what string, e ledger.Entry) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, what+" "+e.String())
	if what == "intend" {
		e.Time = time.Now()
		n.all = append(n.all, e)
	}
	return n.err
}

func (n *notes) Intend(e ledger.Entry) error  { return n.note("intend", e) }
func (n *notes) Made(e ledger.Entry) error    { return n.note("made", e) }
func (n *notes) Removed(e ledger.Entry) error { return n.note("removed", e) }
func (n *notes) Remaining() []ledger.Entry    { return n.all }
func (n *notes) has(line string) bool         { return slices.Contains(n.lines, line) }
func (n *notes) before(a, b string) bool {
	return slices.Index(n.lines, a) >= 0 && slices.Index(n.lines, a) < slices.Index(n.lines, b)
}
