package images

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

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
		"":  {IstioHub + "/pilot:" + v.Istio.Version, IstioHub + "/proxyv2:" + v.Istio.Version},
	} {
		if got, err := ControlPlane(t.Context(), Options{ReleaseDir: release}); err != nil || !slices.Equal(got, want) {
			t.Errorf("release %q: %q, %v, want %q", release, got, err, want)
		}
	}
	if err := Istio(t.Context(), Options{ReleaseDir: t.TempDir()}, &Set{}); err == nil {
		t.Error("a release without istioctl is taken")
	}
}
