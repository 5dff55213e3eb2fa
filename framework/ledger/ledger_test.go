package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meshproof/meshproof/framework/ledger"
)

func open(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// reopen reads a ledger again, as the next process would.
func reopen(t *testing.T, l *ledger.Ledger) *ledger.Ledger {
	t.Helper()
	must(t, l.Close())
	return open(t, l.Path())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(entries []ledger.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, string(e.State)+" "+e.String())
	}
	return all
}

var (
	network = ledger.Entry{Kind: "docker network", Name: "mp-a", Run: "a"}
	east    = ledger.Entry{Kind: "kind cluster", Name: "mp-a-east", Path: "east.yaml"}
	sample  = ledger.Entry{Kind: "namespace", Name: "sample", Cluster: "east"}
)

func TestRemainingFollowsTheLatestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l := open(t, path)
	must(t, l.Intend(network))
	must(t, l.Made(network))
	must(t, l.Intend(east))
	must(t, l.Intend(sample))
	must(t, l.Made(sample))
	must(t, l.Removed(sample))
	want := []string{"made docker network mp-a", "intended kind cluster mp-a-east"}
	if got := names(l.Remaining()); !slices.Equal(got, want) {
		t.Errorf("remaining: got %q, want %q", got, want)
	}
	again := reopen(t, l)
	if got := names(again.Remaining()); !slices.Equal(got, want) {
		t.Errorf("remaining after a restart: got %q, want %q", got, want)
	}
	if left := again.Remaining(); left[1].Path != "east.yaml" || left[0].Run != "a" || left[0].Time.IsZero() {
		t.Errorf("details were lost: %+v", left)
	}
}

// Made and Removed take the entry by its identity and keep what Intend said about it.
func TestMadeKeepsTheDetails(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"))
	must(t, l.Intend(east))
	must(t, l.Made(ledger.Entry{Kind: east.Kind, Name: east.Name}))
	if got := l.Remaining()[0].Path; got != "east.yaml" {
		t.Errorf("path: got %q", got)
	}
}

func TestSameNameElsewhereIsAnotherThing(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"))
	west := sample
	west.Cluster = "west"
	must(t, l.Intend(sample))
	must(t, l.Intend(west))
	must(t, l.Removed(sample))
	if got := names(l.Remaining()); !slices.Equal(got, []string{"intended namespace sample on cluster west"}) {
		t.Errorf("got %q", got)
	}
}

func TestUnfinishedLastLine(t *testing.T) {
	whole := `{"kind":"docker network","name":"mp-a","state":"made","time":"2026-01-01T00:00:00Z"}` + "\n"
	for name, tail := range map[string]string{
		"cut in the middle":    `{"kind":"kind cluster","na`,
		"whole but no newline": `{"kind":"kind cluster","name":"mp-a-east","state":"intended"}`,
		"nothing":              "",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l")
			must(t, os.WriteFile(path, []byte(whole+tail), 0o600))
			l := open(t, path)
			if got := names(l.Remaining()); !slices.Equal(got, []string{"made docker network mp-a"}) {
				t.Fatalf("got %q", got)
			}
			must(t, l.Intend(sample))
			if got := names(reopen(t, l).Remaining()); len(got) != 2 {
				t.Errorf("after writing on: got %q", got)
			}
		})
	}
}

func TestALiveRunKeepsItsLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	if _, err := ledger.Open(path); !errors.Is(err, ledger.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("a ledger in use was opened: %v", err)
	}
	must(t, l.Close())
	open(t, path)
}

func TestDamagedLineIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	must(t, os.WriteFile(path, []byte("{\"kind\":\n{\"kind\":\"a\",\"name\":\"b\"}\n"), 0o600))
	_, err := ledger.Open(path)
	if err == nil || !strings.Contains(err.Error(), "line 1") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestWrongUse(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"))
	if err := l.Intend(ledger.Entry{Kind: "namespace"}); err == nil {
		t.Error("an entry without a name was taken")
	}
	for _, err := range []error{l.Made(sample), l.Removed(sample)} {
		if !errors.Is(err, ledger.ErrNotIntended) || !strings.Contains(err.Error(), "namespace sample on cluster east") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := ledger.Open(filepath.Join(t.TempDir(), "no", "such", "folder")); err == nil {
		t.Error("a ledger in a missing folder was opened")
	}
}

func TestRemovedTwiceWritesOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	must(t, l.Intend(sample))
	must(t, l.Removed(sample))
	must(t, l.Removed(sample))
	content, err := os.ReadFile(path)
	must(t, err)
	if got := strings.Count(string(content), "\n"); got != 2 {
		t.Errorf("got %d lines:\n%s", got, content)
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	open(t, path)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}

func TestConcurrentWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			e := ledger.Entry{Kind: "namespace", Name: fmt.Sprint("n", i)}
			if err := errors.Join(l.Intend(e), l.Made(e)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(reopen(t, l).Remaining()); got != 20 {
		t.Errorf("got %d entries", got)
	}
}

// TestUIDsAreKept: what is noted of an object when it is there outlives the process, and may be noted anew.
func TestUIDsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	e := ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: "east", Run: "r1"}
	marked, again := e, e
	marked.UIDs, again.UIDs = "uid-1", "uid-2"
	for _, step := range []error{l.Intend(e), l.Made(marked), l.Made(again), l.Made(e), l.Close()} {
		if step != nil {
			t.Fatal(step)
		}
	}
	l, err = ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if left := l.Remaining(); len(left) != 1 || left[0].UIDs != "uid-2" || left[0].State != ledger.Made {
		t.Errorf("%+v", left)
	}
}
