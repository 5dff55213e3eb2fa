package mirror

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const path = "/api/v1/namespaces/istio-system/configmaps/meshproof-run-r1"

func rig(t *testing.T) (map[string]*apitest.Server, cluster.Set, *ledger.Ledger, *Mirror) {
	t.Helper()
	servers, set := map[string]*apitest.Server{}, cluster.Set{}
	for _, name := range []string{"east", "west"} {
		servers[name] = apitest.New(t)
		set = append(set, servers[name].Cluster(t, name))
	}
	l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return servers, set, l, New(l, set, "r1", "ann@here")
}

func thing(cluster, name string) ledger.Entry {
	return ledger.Entry{Kind: "Namespace", Name: name, Cluster: cluster, Run: "r1"}
}

// copies gives the things that a cluster, under another name, says that r1 has left.
func copies(t *testing.T, s *apitest.Server) (*Copy, []string) {
	t.Helper()
	all, err := Copies(t.Context(), s.Cluster(t, "cluster-9"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	var things []string
	for _, e := range all[0].Remaining() {
		things = append(things, string(e.State)+" "+e.String()+" "+e.UIDs)
	}
	return all[0], things
}

// TestEachClusterHoldsItsOwnPart: a copy is there when Intend returns, holds nothing of the other cluster, and goes with the last
// thing.
func TestEachClusterHoldsItsOwnPart(t *testing.T) {
	servers, _, l, m := rig(t)
	marked := thing("east", "sample")
	marked.UIDs = "uid-7"
	for i, step := range []struct {
		do         func(ledger.Entry) error
		e          ledger.Entry
		east, west []string
	}{
		{m.Intend, thing("east", "sample"), []string{"intended Namespace sample on cluster cluster-9 "}, nil},
		{m.Made, marked, []string{"made Namespace sample on cluster cluster-9 uid-7"}, nil},
		{m.Intend, thing("west", "sample"), []string{"made Namespace sample on cluster cluster-9 uid-7"}, []string{"intended Namespace sample on cluster cluster-9 "}},
		{m.Intend, thing("east", "probe"), []string{"made Namespace sample on cluster cluster-9 uid-7", "intended Namespace probe on cluster cluster-9 "}, []string{"intended Namespace sample on cluster cluster-9 "}},
		{m.Removed, thing("east", "sample"), []string{"intended Namespace probe on cluster cluster-9 "}, []string{"intended Namespace sample on cluster cluster-9 "}},
		{m.Removed, thing("west", "sample"), []string{"intended Namespace probe on cluster cluster-9 "}, nil},
		{m.Removed, thing("east", "probe"), nil, nil},
	} {
		if err := step.do(step.e); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		for name, want := range map[string][]string{"east": step.east, "west": step.west} {
			if one, got := copies(t, servers[name]); !slices.Equal(got, want) || one != nil && (one.Run != "r1" || one.Who != "ann@here" || one.Err != nil) {
				t.Errorf("step %d: %s holds %q, want %q", i, name, got, want)
			}
		}
	}
	for name, s := range servers {
		if left := s.Paths(); len(left) != 0 {
			t.Errorf("left on %s: %q", name, left)
		}
	}
	if len(l.Remaining()) != 0 {
		t.Errorf("the ledger has %v left", l.Remaining())
	}
}

// TestSettle: copies that a killed process has left behind its ledger are mended, and none is made where nothing is left.
func TestSettle(t *testing.T) {
	servers, _, l, m := rig(t)
	for _, e := range []ledger.Entry{thing("east", "sample"), thing("west", "sample"), thing("west", "probe")} {
		if err := m.Intend(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []ledger.Entry{thing("east", "sample"), thing("west", "sample")} {
		if err := l.Removed(e); err != nil { // the file knows, the clusters do not
			t.Fatal(err)
		}
	}
	if err := m.Settle(); err != nil {
		t.Fatal(err)
	}
	_, west := copies(t, servers["west"])
	if left := servers["east"].Paths(); len(left) != 0 || !slices.Equal(west, []string{"intended Namespace probe on cluster cluster-9 "}) {
		t.Errorf("east holds %q, west %q", left, west)
	}
}

// TestWithoutACopyNothingIsBegun: Intend fails when the cluster does not take the copy, and the ledger knows all the same.
func TestWithoutACopyNothingIsBegun(t *testing.T) {
	servers, _, l, m := rig(t)
	servers["east"].Fail(http.MethodPatch, path, http.StatusForbidden)
	err := m.Intend(thing("east", "sample"))
	for _, want := range []string{"copy the ledger to cluster east", "istio-system/meshproof-run-r1", "meshproof rbac"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if len(l.Remaining()) != 1 {
		t.Errorf("%v", l.Remaining())
	}
}

// TestCopiesAreNotTrustedBlindly reads what others may have put there.
func TestCopiesAreNotTrustedBlindly(t *testing.T) {
	const entry = `[{"kind":"Namespace","name":"sample","cluster":"east","run":"r1","state":"made"}]`
	for name, tc := range map[string]struct {
		object, text string
		found        int
		says         string
	}{
		"a copy":               {"meshproof-run-r1", entry, 1, ""},
		"another's ConfigMap":  {"settings", entry, 0, ""},
		"a copy of another":    {"meshproof-run-r2", entry, 0, ""},
		"a damaged copy":       {"meshproof-run-r1", entry[:20], 0, "remove by hand"},
		"entries of somebody":  {"meshproof-run-r1", strings.Replace(entry, `"r1"`, `"r2"`, 1), 1, `of run "r2"`},
		"a copy without a run": {"meshproof-run-", entry, 0, ""},
	} {
		s := apitest.New(t)
		s.Put(t, "/api/v1/namespaces/istio-system/configmaps/"+tc.object, `{metadata: {name: `+tc.object+`, labels: {meshproof.dev/run: r1}}, data: {ledger.json: '`+tc.text+`'}}`)
		one, things := copies(t, s)
		if len(things) != tc.found || tc.says == "" && one != nil && one.Err != nil || tc.says != "" && (one == nil || one.Err == nil || !strings.Contains(one.Err.Error(), tc.says)) {
			t.Errorf("%s: %q, %+v", name, things, one)
		}
	}
}

// TestACopyGoesWithItsNamespace: where that is gone, or is being removed, there is nothing to note what is gone in; that nothing can be
// noted of what is about to be made is an error all the same.
func TestACopyGoesWithItsNamespace(t *testing.T) {
	servers, _, l, m := rig(t)
	for _, name := range []string{"sample", "probe"} {
		if err := m.Intend(thing("east", name)); err != nil {
			t.Fatal(err)
		}
	}
	servers["east"].Fail(http.MethodPatch, path, http.StatusNotFound)
	if err := errors.Join(m.Removed(thing("east", "sample")), m.Settle()); err != nil || len(l.Remaining()) != 1 {
		t.Errorf("%v, noted %v", err, l.Remaining())
	}
	if err := m.Intend(thing("east", "other")); err == nil {
		t.Error("something is begun without a copy")
	}
	servers["east"].Fail(http.MethodPatch, path, http.StatusForbidden)
	if err := m.Removed(thing("east", "probe")); err == nil {
		t.Error("a copy that says too much is passed over")
	}
}

// TestAlone: only what other runs have left counts.
func TestAlone(t *testing.T) {
	servers, set, _, m := rig(t)
	if err := m.Intend(thing("east", "sample")); err != nil {
		t.Fatal(err)
	}
	if err := Alone(t.Context(), set[0], "r1"); err != nil {
		t.Errorf("its own copy: %v", err)
	}
	if err := Alone(t.Context(), set[0], "r2"); !errors.Is(err, ErrOthers) || !strings.Contains(err.Error(), "run r1 of ann@here") {
		t.Errorf("another's copy: %v", err)
	}
	servers["east"].Fail(http.MethodGet, "/api/v1/namespaces/istio-system/configmaps", http.StatusForbidden)
	if err := Alone(t.Context(), set[0], "r1"); err == nil {
		t.Error("what cannot be seen counts as nothing")
	}
}
