package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
)

// sharedEngine puts a docker on PATH that says that the containers of a file run, and notes what it is asked for in another.
func sharedEngine(t *testing.T) (containers, asked string) {
	t.Helper()
	dir := t.TempDir()
	containers, asked = filepath.Join(dir, "containers"), filepath.Join(dir, "asked")
	onPath(t, map[string]string{"docker": `echo "$@" >>` + asked + `
case "$1" in
ps) cat ` + containers + ` 2>/dev/null || true ;;
exec) cat >/dev/null ;;
esac
`})
	return containers, asked
}

// TestCachesOnOneEngineLeaveEachOtherAlone: two runs with caches of their own build the same at once, in one engine. Each removes what an
// interrupted run with its own cache left, and nothing of the other's.
func TestCachesOnOneEngineLeaveEachOtherAlone(t *testing.T) {
	layout := t.TempDir()
	if err := oci.WriteLayout(layout, "amd64", nil); err != nil {
		t.Fatal(err)
	}
	const base, node = Local + "kind-base:1", Local + "kind-node:1"
	kind := filepath.Join(t.TempDir(), "kind")
	if err := os.WriteFile(kind, []byte("#!/bin/sh\ndocker run --name kind-build-1 kind \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		build func(ctx context.Context, b *Builder) error
		left  func(ran []string) string // the container that a build leaves when it is killed, as docker ps tells it
	}{
		"bake": {func(ctx context.Context, b *Builder) error { return b.bake(ctx, base, node, layout, "true") },
			func(ran []string) string { return after(ran, "--name") + " " + base }},
		"kind": {func(ctx context.Context, b *Builder) error {
			return b.kindBuild(ctx, kind, base, node, layout, "server.tar.gz")
		},
			func(ran []string) string { return "kind-build-1 " + after(ran, "--base-image") }},
	} {
		t.Run(name, func(t *testing.T) {
			containers, asked := sharedEngine(t)
			one, other := builder(t), builder(t)
			removed := func(b *Builder) string {
				t.Helper()
				if err := os.WriteFile(asked, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := tc.build(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				return strings.Join(lines(t, asked, "rm "), "\n")
			}
			removed(one)
			left := tc.left(strings.Fields(strings.Join(lines(t, asked, "run "), " ")))
			if err := os.WriteFile(containers, []byte(left+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := removed(other); got != "" {
				t.Errorf("%q is the other cache's, and it was asked to %s", left, got)
			}
			own, _, _ := strings.Cut(left, " ")
			if got := removed(one); !strings.Contains(got, own) {
				t.Errorf("what was left of its own, %q, was not removed: %q", left, got)
			}
		})
	}
}

// lines are those of a file that start with prefix.
func lines(t *testing.T, file, prefix string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, prefix) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// after is the word that follows another.
func after(words []string, word string) string {
	for i, w := range words[:len(words)-1] {
		if w == word {
			return words[i+1]
		}
	}
	return ""
}
