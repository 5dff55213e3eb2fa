package procedure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/shell"
)

func three() []string { return []string{"east", "west", "north"} }

func TestThreeClusters(t *testing.T) {
	r := newRigOf(t, three(), nil)
	steps, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ids(steps)
	for _, id := range []string{"S6.3", "S6.3.wait", "S7.3", "S9.3", "S11.3", "S12.3", "S12.3.check", "S13.3.check"} {
		if !slices.Contains(got, id) {
			t.Errorf("no step %s: %q", id, got)
		}
	}
	pairs := map[string]int{}
	for _, s := range steps {
		if strings.HasPrefix(s.ID, "S8.") {
			pairs[s.Title]++
		}
	}
	for _, from := range three() {
		for _, to := range three() {
			if n := pairs[fmt.Sprintf("Enable endpoint discovery: make %s known to %s", from, to)]; n != 1 && from != to || n != 0 && from == to {
				t.Errorf("%s is made known to %s %d times", from, to, n)
			}
		}
	}
	for _, want := range []string{"CLUSTER_3=cn-fleet-global-north", "CTX_3=ctx-north"} {
		if env := r.script("--cluster ${CLUSTER_3}").Env; !slices.Contains(env, want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
}

// table is what istioctl remote-clusters prints of clusters that are all in one state.
func table(status string, names ...string) string {
	text := "NAME     SECRET     STATUS     ISTIOD\n"
	for _, name := range names {
		text += fmt.Sprintf("ctx-%s  istio-system/istio-remote-secret-%s  %s  istiod-1\n", name, name, status)
	}
	return text
}

func TestAMeshThatGrows(t *testing.T) {
	r := newRigOf(t, three(), func(o *Options) { o.InTurn = true })
	asked := 0
	r.answer[r.p.o.Intent.Revision] = func(ctx context.Context, c shell.Command) (shell.Result, error) {
		if !slices.Contains(c.Args, "remote-clusters") {
			return r.act(ctx, c, c.Args[len(c.Args)-1])
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if asked++; asked == 1 {
			return shell.Result{Stdout: table("syncing", "east", "west")}, nil
		}
		return shell.Result{Stdout: table("synced", "east", "west")}, nil
	}
	steps, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range steps {
		if strings.HasPrefix(s.ID, "S8.") {
			order = append(order, strings.TrimPrefix(s.Title, "Enable endpoint discovery: "))
		}
	}
	slices.Sort(order[:2])
	slices.Sort(order[4:])
	want := []string{"make east known to west", "make west known to east",
		"wait until it has synced 1 other clusters", "wait until it has synced 1 other clusters",
		"make east known to north", "make east known to west", "make north known to east", "make north known to west", "make west known to east", "make west known to north"}
	if !slices.Equal(order, want) {
		t.Errorf("the clusters were joined so:\n%s\nwant\n%s", strings.Join(order, "\n"), strings.Join(want, "\n"))
	}
	if asked != 3 {
		t.Errorf("istioctl was asked %d times: want once more for the istiod that was not ready", asked)
	}
}

func TestSynced(t *testing.T) {
	p := newRigOf(t, three(), nil).p
	for _, tc := range []struct {
		name, table, state string
		good               bool
	}{
		{"synced", table("synced", "east", "west"), "all are synced", true},
		{"not yet", table("syncing", "east", "west"), "ctx-west is syncing", false},
		{"not there", table("synced", "east"), "ctx-west is not there", false},
		{"nothing printed", "", "ctx-west is not there", false},
	} {
		state, err := p.synced(tc.table, 0, 2)
		if state != tc.state || (err == nil) != tc.good {
			t.Errorf("%s: %q, %v", tc.name, state, err)
		}
	}
}
