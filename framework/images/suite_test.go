package images

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestTheImagesProgramFindsItsTools lays out what the image holds in its cache, on a machine without go, docker and kubectl.
func TestTheImagesProgramFindsItsTools(t *testing.T) {
	entry, manifest, err := suiteEntry()
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	dir := filepath.Join(cache, "entries", entry)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "")
	set, err := Tools(t.Context(), Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range [][2]string{{set.Kubectl, "kubectl"}, {set.Istioctl, "istioctl"}, {set.IstioModule, "istio"}} {
		if tc[0] != filepath.Join(dir, tc[1]) {
			t.Errorf("%s is taken from %s, want it in %s", tc[1], tc[0], dir)
		}
	}
}
