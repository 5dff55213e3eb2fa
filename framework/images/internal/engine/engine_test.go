package engine

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// fakeDocker puts a docker on PATH that runs script.
func fakeDocker(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestHas(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   bool
		err    error // nil: none; errAny: some
	}{
		"there":         {`echo sha256:1`, true, nil},
		"not there":     {`echo "Error: No such image: $5" >&2; exit 1`, false, nil},
		"no daemon":     {`echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1`, false, ErrNoEngine},
		"not for us":    {`echo "permission denied while trying to connect" >&2; exit 1`, false, ErrNoEngine},
		"a denied file": {`echo "open /var/lib/docker/tmp/x: permission denied" >&2; exit 1`, false, errAny},
		"other fail":    {`echo "disk on fire" >&2; exit 1`, false, errAny},
	} {
		t.Run(name, func(t *testing.T) {
			fakeDocker(t, c.script)
			got, err := Docker{}.Has(t.Context(), "example.com/a:1")
			if got != c.want || (err == nil) != (c.err == nil) || errors.Is(c.err, ErrNoEngine) != errors.Is(err, ErrNoEngine) {
				t.Errorf("got %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

var errAny = errors.New("any error")

func TestNoDockerAtAll(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := (Docker{}).Has(t.Context(), "a"); !errors.Is(err, ErrNoEngine) {
		t.Errorf("got %v, want ErrNoEngine", err)
	}
}

func TestLoadJoinsTheWritersError(t *testing.T) {
	fakeDocker(t, "cat > /dev/null")
	broken := errors.New("half an image")
	err := Docker{}.Load(t.Context(), "example.com/a:1", func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

// Running clusters are containers of images that were made from the base: they must never be taken for left-overs.
func TestLeftOver(t *testing.T) {
	list := "kind-build-1 base:1\nkind-build-2 base:2\nmy-kind-build-3 base:1\nmp-east-control-plane node:1\n"
	if got := leftOver(list, "base:1", "kind-build-"); !slices.Equal(got, []string{"kind-build-1"}) {
		t.Errorf("got %v, want only kind-build-1", got)
	}
}
