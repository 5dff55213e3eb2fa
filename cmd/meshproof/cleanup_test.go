package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/exitcode"
)

// leave puts on both clusters what run r1 has made there, with its ledger, beside what it has not.
func (w *world) leave() {
	for _, name := range []string{"east", "west"} {
		put := func(path, text string) { w.farm.Server(name).Put(w.t, path, text) }
		put("/api/v1/namespaces/sample", "{metadata: {name: sample, labels: {meshproof.dev/run: r1}}}")
		put(exposure, "{metadata: {name: cross-network-gateway, uid: uid-x, labels: {meshproof.dev/run: r1}}}")
		put("/api/v1/namespaces/theirs", "{metadata: {name: theirs}}")
		put(system+"/configmaps/meshproof-run-r1", `{metadata: {name: meshproof-run-r1, labels: {meshproof.dev/run: r1}}, data: {who: ann@there, ledger.json: '[
{"kind":"Namespace","name":"sample","cluster":"blue","run":"r1","state":"made"},
{"kind":"Gateway","namespace":"istio-system","name":"cross-network-gateway","cluster":"blue","run":"r1","state":"made","uids":"uid-x"}]'}}`)
	}
}

func (w *world) cleanup(args string) (out string, code int, err error) {
	c := cleanupCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	var printed bytes.Buffer
	c.SetOut(&printed)
	c.SetArgs(strings.Fields(args))
	err = c.ExecuteContext(w.t.Context())
	return printed.String(), codeOf(err), err
}

// paths gives what is on both clusters.
func (w *world) paths() []string {
	return slices.Concat(w.farm.Server("east").Paths(), w.farm.Server("west").Paths())
}

// TestCleanupFromAnotherMachine removes with kubeconfigs and a run id alone what the run's ledger on the clusters names.
func TestCleanupFromAnotherMachine(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"east", "west"} {
		w.farm.Server(name).Put(t, "/api/v1/namespaces/theirs", "{metadata: {name: theirs}}")
	}
	clean := w.paths()
	w.leave()
	for args, says := range map[string][]string{
		both:                            {"run r1 of ann@there: 2 things on cluster cluster-1", "2 things on cluster cluster-2", "remove one of them with --run-id"},
		both + " --dry-run":             {"  Namespace sample on cluster cluster-1\n", "  Gateway istio-system/cross-network-gateway on cluster cluster-2\n"},
		both + " --dry-run --run-id r1": {"  Namespace sample on cluster cluster-1\n"},
	} {
		out, code, err := w.cleanup(args)
		w.unchanged(w.tree())
		for _, want := range says {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("%s: exit code %d, %v, %q does not say %q", args, code, err, out, want)
			}
		}
	}
	out, code, err := w.cleanup(both + " --run-id r1")
	if code != 0 || !strings.Contains(out, "run r1 is removed from these clusters") {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
	if calls := w.farm.Server("west").Calls(); !slices.Contains(calls, "POST /apis/coordination.k8s.io/v1/namespaces/istio-system/leases") {
		t.Errorf("it held no lease: %q", calls)
	}
	if left := w.paths(); !slices.Equal(left, clean) {
		t.Errorf("left %q, want %q", left, clean)
	}
	if out, code, _ := w.cleanup(both); code != 0 || !strings.Contains(out, "no run left anything on these clusters") {
		t.Errorf("exit code %d, %s", code, out)
	}
}

// TestCleanupLeavesWhatIsNotTheRuns: an object that somebody has put in the place of the run's own stays, and is named.
func TestCleanupLeavesWhatIsNotTheRuns(t *testing.T) {
	w := newWorld(t)
	w.leave()
	put("/api/v1/namespaces/sample", "{metadata: {name: sample, uid: uid-new, labels: {}}}")(w)
	out, code, err := w.cleanup(both + " --run-id r1")
	if code != exitcode.CouldNotTell || err == nil || !strings.Contains(err.Error(), "Namespace sample on cluster cluster-2 is not known to be the one that run r1 made") {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
	for path, there := range map[string]bool{"/api/v1/namespaces/sample": true, exposure: false, system + "/configmaps/meshproof-run-r1": true} {
		if got := w.farm.Server("west").Get(path) != nil; got != there {
			t.Errorf("%s is there: %t", path, got)
		}
	}
	if out, _, _ := w.cleanup(both); !strings.Contains(out, "1 things on cluster cluster-2") || strings.Contains(out, "cluster-1") {
		t.Errorf("%s", out)
	}
}

// TestCleanupOfAnotherNamespace: what a ledger on a cluster names is believed of no namespace that nobody here has named.
func TestCleanupOfAnotherNamespace(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"east", "west"} {
		put := func(path, text string) { w.farm.Server(name).Put(t, path, text) }
		put("/api/v1/namespaces/ours", "{metadata: {name: ours, labels: {meshproof.dev/run: r1}}}")
		put(system+"/configmaps/meshproof-run-r1", `{metadata: {name: meshproof-run-r1, labels: {meshproof.dev/run: r1}}, data: {who: ann@there, ledger.json: '[
{"kind":"Namespace","name":"ours","cluster":"blue","run":"r1","state":"made"}]'}}`)
	}
	there := func() bool { return w.farm.Server("west").Get("/api/v1/namespaces/ours") != nil }
	for args, want := range map[string]struct {
		code int
		says string
	}{"": {exitcode.CouldNotTell, "--namespace"}, " --namespace kube-system": {exitcode.Usage, "--namespace kube-system"}} {
		out, code, err := w.cleanup(both + " --run-id r1" + args)
		if code != want.code || err == nil || !strings.Contains(err.Error(), want.says) || !there() {
			t.Errorf("%s: exit code %d, %v, still there: %t: %s", args, code, err, there(), out)
		}
	}
	if out, code, err := w.cleanup(both + " --run-id r1 --namespace ours"); code != 0 || there() {
		t.Errorf("exit code %d, %v, still there: %t: %s", code, err, there(), out)
	}
}

func TestCleanupIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		args  string
		spoil func(*world)
		says  string
	}{
		"a run that nobody knows":           {both + " --run-id r2", nil, `no cluster says that run "r2" has left anything`},
		"a run that nobody knows, dry":      {both + " --run-id r2 --dry-run", nil, `run "r2"`},
		"a run that this machine knows not": {"--run-id r1", nil, `this machine knows of no run "r1"`},
		"while a run works there":           {both + " --run-id r1", worked(time.Second), "run r9 of ann@there since"},
		"one cluster twice": {both + " --run-id r1", func(w *world) {
			w.farm.Server("west").Put(w.t, "/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-east}}")
		}, "one and the same"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leave()
			if tc.spoil != nil {
				tc.spoil(w)
			}
			before := w.paths()
			out, code, err := w.cleanup(tc.args)
			if code != exitcode.Usage || err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("exit code %d, %v: %s", code, err, out)
			}
			if after := w.paths(); !slices.Equal(before, after) {
				t.Errorf("before %q, after %q", before, after)
			}
		})
	}
}
