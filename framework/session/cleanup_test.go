package session

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/ledger"
)

// state makes a state directory with the run directories of these names, and gives it.
func state(t *testing.T, runs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, id := range runs {
		if err := os.MkdirAll(filepath.Join(dir, "runs", id, "kubeconfigs"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, dir, id string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(ledgerOf(filepath.Join(dir, "runs", id)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCleanUp(t *testing.T) {
	dir := state(t, "alive", "began", "done", "strange")
	alive := open(t, dir, "alive")
	defer alive.Close()
	done := open(t, dir, "done")
	e := ledger.Entry{Kind: "namespace", Name: "sample", Cluster: "east"}
	if err := errors.Join(done.Intend(e), done.Removed(e), done.Close()); err != nil {
		t.Fatal(err)
	}
	strange := open(t, dir, "strange") // something that is not for docker to remove, and no cluster is known
	if err := errors.Join(strange.Intend(e), strange.Close()); err != nil {
		t.Fatal(err)
	}
	runs, err := Runs(dir)
	want := []Left{{ID: "alive", Alive: true}, {ID: "began"}, {ID: "done"}, {ID: "strange", Things: []string{"namespace sample on cluster east"}}}
	if err != nil || !slices.EqualFunc(runs, want, func(a, b Left) bool {
		return a.ID == b.ID && a.Alive == b.Alive && slices.Equal(a.Things, b.Things)
	}) {
		t.Errorf("runs %+v, error %v, want %+v", runs, err, want)
	}
	var told []string
	err = CleanUp(t.Context(), runs, func(id string) error {
		told = append(told, id)
		return Down(t.Context(), dir, id, unsaid)
	})
	if err == nil || !strings.Contains(err.Error(), "remove run strange") || strings.Count(err.Error(), "remove run") != 1 || !slices.Equal(told, []string{"began", "done", "strange"}) {
		t.Errorf("removed %v, error %v: want an error for the run of which something is left, and for no other", told, err)
	}
	for id, stays := range map[string]bool{"alive": true, "began": false, "done": false, "strange": true} {
		if _, err := os.Stat(filepath.Join(dir, "runs", id)); (err == nil) != stays {
			t.Errorf("the files of run %s: %v, want them there: %t", id, err, stays)
		}
	}
}

func TestNoRuns(t *testing.T) {
	if runs, err := Runs(t.TempDir()); err != nil || len(runs) != 0 {
		t.Errorf("runs %+v, error %v", runs, err)
	}
	var usage *UsageError
	if err := Down(t.Context(), t.TempDir(), "nobody", unsaid); !errors.As(err, &usage) {
		t.Errorf("error %v, want a usage error", err)
	}
}
