package kindcluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// freezer lays out a freezer with one frozen pod in each of the containers 0123 and 4567.
func freezer(t *testing.T) (root, pod, other string) {
	t.Helper()
	root = t.TempDir()
	pod = filepath.Join(root, "docker", "0123", "kubelet.slice", "pod", "freezer.state")
	other = filepath.Join(root, "system.slice", "docker-4567.scope", "pod", "freezer.state")
	for _, path := range []string{pod, other} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("FROZEN"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, pod, other
}

func state(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestThaw(t *testing.T) {
	root, pod, other := freezer(t)
	if err := thaw(filepath.Join(root, "none"), "0123"); err != nil || state(t, pod) != "FROZEN" {
		t.Errorf("without a freezer: %v, %s", err, state(t, pod))
	}
	if err := thaw(root, "4567"); err != nil || state(t, pod) != "FROZEN" || state(t, other) != "THAWED" {
		t.Errorf("got %v, %s, %s", err, state(t, pod), state(t, other))
	}
	if err := thaw(root, "0123"); err != nil || state(t, pod) != "THAWED" {
		t.Errorf("got %v, %s", err, state(t, pod))
	}
}

func TestRemoveContainersThawsOnlyWhenItMust(t *testing.T) {
	for name, c := range map[string]struct {
		says  string
		thaws bool
		fails bool
	}{
		"removed":      {"", false, false},
		"already gone": {"Error: No such container: x", false, false},
		"busy":         {"device or resource busy", false, true},
		"unkillable":   {"Could not kill running container x, cannot remove - tried to kill container, but did not receive an exit event", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			root, pod, _ := freezer(t)
			d := &fakeDocker{rules: []rule{{words: "rm", err: c.says}, {words: "inspect", out: "0123\n"}}}
			err := removeContainers(t.Context(), d, root, "x")
			if (err != nil) != c.fails || (state(t, pod) == "THAWED") != c.thaws {
				t.Errorf("got %v, pod %s", err, state(t, pod))
			}
			if c.thaws && strings.Join(d.calls[len(d.calls)-1:], "") != "rm --force --volumes x" {
				t.Errorf("not tried again: %q", d.calls)
			}
		})
	}
}
