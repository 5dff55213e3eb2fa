package kindcluster

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

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/meshproof/meshproof/framework/ledger"
)

// fakeDocker answers by the first rule whose words are all in the command; what no rule matches prints nothing.
type fakeDocker struct {
	mu    sync.Mutex
	calls []string
	rules []rule
	kind  *fakeKind
}

// rule: at happens while the command runs, which is cut off when that ends its context.
type rule struct {
	words string
	out   string
	err   string
	at    func()
}

func (f *fakeDocker) run(ctx context.Context, args ...string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := strings.Join(args, " ")
	f.calls = append(f.calls, call)
	for _, r := range f.rules {
		if strings.HasPrefix(call, r.words) {
			if r.at != nil {
				r.at()
				if ctx.Err() != nil {
					return "", &dockerError{args: args, cause: context.Cause(ctx)}
				}
			}
			if r.err != "" {
				return r.out, &dockerError{args: args, stderr: r.err, cause: fmt.Errorf("exit status 1")}
			}
			return r.out, nil
		}
	}
	if strings.HasPrefix(call, "inspect --format {{range .NetworkSettings.Networks}}") {
		return "172.29.1.2\n", nil
	}
	return f.kind.nodes(call), nil
}

func (f *fakeDocker) called(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.calls), func(c string) bool { return !strings.HasPrefix(c, prefix) })
}

// fakeKind makes a cluster by writing the kubeconfig that kind would write, through the options it was given.
type fakeKind struct {
	mu      sync.Mutex
	creates map[string]func() error
	made    []string
	network string
}

func (f *fakeKind) Create(name string, _ ...cluster.CreateOption) error {
	f.mu.Lock()
	f.network = os.Getenv(networkVariable)
	create := f.creates[name]
	f.made = append(f.made, name)
	f.mu.Unlock()
	if create == nil {
		return nil
	}
	return create()
}

// nodes gives the node of a cluster that was made, as docker lists it.
func (f *fakeKind) nodes(call string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range f.made {
		if call == "ps --all --filter label=io.x-k8s.kind.cluster="+name+" --format {{.Names}}" {
			return name + nodeSuffix + "\n"
		}
	}
	return ""
}

const kindsKubeconfig = `apiVersion: v1
kind: Config
current-context: kind-%[1]s
clusters: [{name: kind-%[1]s, cluster: {server: "https://127.0.0.1:40001"}}]
contexts: [{name: kind-%[1]s, context: {cluster: kind-%[1]s, user: kind-%[1]s}}]
users: [{name: kind-%[1]s, user: {}}]
`

// rig is a maker on fakes, for the clusters east and west of run "a".
type rig struct {
	*maker
	docker *fakeDocker
	kind   *fakeKind
}

func newRig(t *testing.T, rules ...rule) rig {
	t.Helper()
	dir := t.TempDir()
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	o := &Options{RunID: "a", Dir: dir, Names: []string{"east", "west"}, NodeImage: "node:1", Ledger: l, Deadline: time.Minute}
	k := &fakeKind{creates: map[string]func() error{}}
	d := &fakeDocker{rules: rules, kind: k}
	for _, name := range o.Names {
		full, path := clusterName(o.RunID, name), o.kubeconfig(name)
		k.creates[full] = func() error { return os.WriteFile(path, fmt.Appendf(nil, kindsKubeconfig, full), 0o600) }
	}
	m := &maker{Options: o, docker: d, kind: func(log.Logger) kindAPI { return k },
		ready: func(context.Context, Made, time.Duration) error { return nil }}
	return rig{m, d, k}
}

func (r rig) remaining() []string {
	var all []string
	for _, e := range r.Ledger.Remaining() {
		all = append(all, string(e.State)+" "+e.String())
	}
	slices.Sort(all)
	return all
}
