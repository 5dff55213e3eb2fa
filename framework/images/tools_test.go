package images

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/images/source"
)

// TestToolsThatAreThereNeedNoGo: for given clusters a kubectl and a release directory are all that is needed; what is missing is named,
// with what to do about it.
func TestToolsThatAreThereNeedNoGo(t *testing.T) {
	kubectl := filepath.Join(t.TempDir(), "kubectl")
	if err := os.WriteFile(kubectl, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		path, releaseDir string
		says             []string // nil: the tools are there
	}{
		"both are there":       {filepath.Dir(kubectl), "release", nil},
		"no kubectl":           {t.TempDir(), "release", []string{"make kubectl available", "the go command is not on PATH", "or put kubectl on the PATH"}},
		"no release directory": {filepath.Dir(kubectl), "", []string{"make istioctl available", "the go command is not on PATH", "or give a release directory with --release-dir"}},
	} {
		t.Setenv("PATH", tc.path)
		set, err := Tools(t.Context(), Options{CacheDir: t.TempDir(), ReleaseDir: tc.releaseDir})
		if tc.says == nil && (err != nil || set.Kubectl != kubectl) {
			t.Errorf("%s: %+v, error %v", name, set, err)
		}
		for _, part := range tc.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v, want ...%s...", name, err, part)
			}
		}
		if err != nil && strings.Contains(err.Error(), "--images") {
			t.Errorf("%s: error %v, but no image is needed", name, err)
		}
	}
}

// TestWayOut: a machine that cannot build is told what else there is; one that pulls already is not told to pull.
func TestWayOut(t *testing.T) {
	lacks := func(mode string) string { return wayOut(mode, source.ErrCannotBuild).Error() }
	if got := lacks(Source); !strings.Contains(got, "--images registry") {
		t.Errorf("building: %s", got)
	}
	if got := lacks(Registry); strings.Contains(got, "--images registry") || !strings.Contains(got, "images load") {
		t.Errorf("pulling: %s", got)
	}
	if other := errors.New("other"); wayOut(Source, other).Error() != other.Error() {
		t.Error("what a machine does not lack has another way out")
	}
}

// TestIstioOnGivenClusters: the release's own hub without a registry, else the name under which a mirror holds its images; those that
// only this program builds have upstream Envoy.
func TestIstioOnGivenClusters(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "istioctl"), []byte("#!/bin/sh\nprintf '  image: \"gcr.io/gke-release/asm/pilot:1.23.2-asm.2\"\\n'"), 0o755); err != nil {
		t.Fatal(err)
	}
	v, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		o    Options
		want Set
	}{
		{Options{}, Set{UpstreamEnvoy: true}},
		{Options{Registry: "registry.example/mesh/"}, Set{Hub: "registry.example/mesh/istio", Tag: v.Istio.Version, UpstreamEnvoy: true}},
		{Options{ReleaseDir: dir}, Set{}},
		{Options{ReleaseDir: dir, Registry: "registry.example:5000"}, Set{Hub: "registry.example:5000/gke-release/asm", Tag: "1.23.2-asm.2"}},
	} {
		var got Set
		if err := Istio(t.Context(), tc.o, &got); err != nil || got.Hub != tc.want.Hub || got.Tag != tc.want.Tag || got.UpstreamEnvoy != tc.want.UpstreamEnvoy {
			t.Errorf("%+v: got %+v, %v, want %+v", tc.o, got, err, tc.want)
		}
	}
	for release, want := range map[string][]string{
		dir: {"gcr.io/gke-release/asm/pilot:1.23.2-asm.2", "gcr.io/gke-release/asm/proxyv2:1.23.2-asm.2"},
		"":  {source.Hub + "/pilot:" + v.Istio.Version, source.Hub + "/proxyv2:" + v.Istio.Version},
	} {
		if got, err := ControlPlane(t.Context(), Options{ReleaseDir: release}); err != nil || !slices.Equal(got, want) {
			t.Errorf("release %q: %q, %v, want %q", release, got, err, want)
		}
	}
	if err := Istio(t.Context(), Options{ReleaseDir: t.TempDir()}, &Set{}); err == nil {
		t.Error("a release without istioctl is taken")
	}
}
