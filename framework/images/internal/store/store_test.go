package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), quietly)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func quietly(ctx context.Context, _ string, wait func(context.Context) error) error { return wait(ctx) }

func writeFile(name, text string) Build {
	return func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
	}
}

func TestEntryIsBuiltOnceAndKept(t *testing.T) {
	s := open(t)
	dir, err := s.Entry(t.Context(), "thing", "1", writeFile("f", "one"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Entry(t.Context(), "thing", "1", func(context.Context, string) error { return errors.New("built again") })
	if err != nil || again != dir {
		t.Fatalf("second call: %s, %v; want %s", again, err, dir)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(b) != "one" {
		t.Errorf("the entry holds %q, %v", b, err)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	s := open(t)
	broken := errors.New("broken")
	_, err := s.Entry(t.Context(), "thing", "1", func(ctx context.Context, dir string) error {
		return errors.Join(writeFile("half", "x")(ctx, dir), broken)
	})
	if !errors.Is(err, broken) || s.Has("thing", "1") {
		t.Errorf("err %v, entry there: %v; want the error and no entry", err, s.Has("thing", "1"))
	}
	if left, _ := os.ReadDir(filepath.Join(s.Root(), "tmp")); len(left) != 0 {
		t.Errorf("%v was left in tmp", left)
	}
}

func TestRestOfAKilledBuildIsRemoved(t *testing.T) {
	s := open(t)
	rest := filepath.Join(s.Root(), "tmp", "thing-1")
	if err := os.MkdirAll(rest, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(rest, "half"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dir, err := s.Entry(t.Context(), "thing", "1", writeFile("whole", "x"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "whole" {
		t.Errorf("the entry holds %v, %v; want only the new build's file", files, err)
	}
}

// A killed run's child can outlive it: what it still writes must land in no entry.
func TestWhatAKilledRunStillWritesIsInNoEntry(t *testing.T) {
	s := open(t)
	killed, _, err := s.Temp("thing-1")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := s.Entry(t.Context(), "thing", "1", func(ctx context.Context, dir string) error {
		late := filepath.Join(killed, "late")
		return errors.Join(os.MkdirAll(killed, 0o755), os.WriteFile(late, nil, 0o644), writeFile("whole", "x")(ctx, dir))
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "whole" {
		t.Errorf("the entry holds %v, %v; want only the new build's file", files, err)
	}
	_, remove, err := s.Temp("thing-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(s.Root(), "tmp")); err != nil || len(left) != 0 {
		t.Errorf("%v, %v was left in tmp", left, err)
	}
}

func TestTwoRunsBuildOnce(t *testing.T) {
	s := open(t)
	var builds atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			other, err := Open(s.Root(), quietly)
			if err == nil {
				_, err = other.Entry(t.Context(), "thing", "1", func(ctx context.Context, dir string) error {
					builds.Add(1)
					return writeFile("f", "x")(ctx, dir)
				})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := builds.Load(); n != 1 {
		t.Errorf("%d builds, want 1", n)
	}
}

func TestWaitForALockEndsWithTheContext(t *testing.T) {
	s := open(t)
	unlock, err := s.Lock(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	why := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	told := ""
	s.waits = func(ctx context.Context, item string, wait func(context.Context) error) error {
		told = item
		return wait(ctx)
	}
	if _, err := s.Lock(ctx, "a/b"); !errors.Is(err, why) {
		t.Errorf("got %v, want the context's cause", err)
	}
	if told == "" {
		t.Error("nobody was told that a lock is waited for")
	}
}

func TestKeyTellsInputsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, in := range [][]string{{}, {""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"a", "b", ""}} {
		k := Key(in...)
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q have the same key", in, other)
		}
		seen[k] = in
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, quietly); err == nil {
		t.Error("a file was taken for a cache directory")
	}
}
