package images

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/meshproof/meshproof/framework/images/internal/versions"
	"github.com/meshproof/meshproof/framework/images/source"
)

func pinnedVersions(t *testing.T) versions.Versions {
	t.Helper()
	v, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What the suite links and what the rig runs must be the same Istio and the same kind.
func TestVersionsAgreeWithGoMod(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join("..", "..", "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	v := pinnedVersions(t)
	for _, name := range []string{"istio", "kind", "registry"} {
		m, found := v.Modules[name], false
		for _, r := range mod.Require {
			if r.Mod.Path == m.Path {
				found = true
				if r.Mod.Version != m.Version {
					t.Errorf("%s: versions.yaml has %s, go.mod %s", m.Path, m.Version, r.Mod.Version)
				}
			}
		}
		if !found || !strings.Contains(string(sums), m.Path+" "+m.Version+" "+m.Sum+"\n") {
			t.Errorf("%s %s with the sum %s is not in go.mod and go.sum", m.Path, m.Version, m.Sum)
		}
	}
}

func TestEveryArchitectureThatKindKnowsHasAnEnvoy(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		if len(pinnedVersions(t).Envoy.SHA256[arch]) != 64 {
			t.Errorf("no checksum of a wheel for %s", arch)
		}
	}
}

func TestListNamesEveryImageInEachSource(t *testing.T) {
	v := pinnedVersions(t)
	for _, o := range []Options{{Source: Source}, {Source: Auto}, {}} {
		list := List(o)
		if want := len(source.Recipes(v)) + 1; len(list) != want {
			t.Errorf("%+v: %d images, want %d", o, len(list), want)
		}
		for _, i := range list {
			if i.Ref == "" || i.Purpose == "" || i.Origin != built {
				t.Errorf("%+v: %+v", o, i)
			}
		}
	}
	origins := map[string]string{}
	for _, i := range List(Options{Source: Registry}) {
		origins[i.Ref] = i.Origin
	}
	for ref, want := range map[string]string{v.Images["curl"]: pulled, v.Images["node"]: pulled, ProbeRef(): built,
		source.Hub + "/pilot:" + v.Istio.Version: built} {
		if origins[ref] != want {
			t.Errorf("from registries, %s is %q, want %s", ref, origins[ref], want)
		}
	}
	for _, i := range List(Options{Source: Registry, Registry: "mirror.example.com/x"}) {
		if i.Origin != pulled {
			t.Errorf("from a mirror, %s is %s, want %s", i.Ref, i.Origin, pulled)
		}
	}
	for _, i := range List(Options{Source: Registry, ReleaseDir: "/release"}) {
		if strings.HasPrefix(i.Ref, source.Hub) {
			t.Errorf("with a release, the pinned Istio's %s is listed", i.Ref)
		}
	}
}

func TestStandInsAreNamed(t *testing.T) {
	v := pinnedVersions(t)
	for _, i := range List(Options{Source: Source}) {
		real := strings.Contains(i.Ref, "kube-") || strings.Contains(i.Ref, "metallb") || strings.Contains(i.Ref, "/pilot:") ||
			i.Ref == ProbeRef() || i.Ref == CSRRef() || i.Ref == source.RegistryProgram(embedded())
		if real == (i.StandsInFor != "") {
			t.Errorf("%s stands in for %q", i.Ref, i.StandsInFor)
		}
	}
	if !strings.Contains(List(Options{Source: Source})[0].StandsInFor, v.Modules["kubernetes"].Version) {
		t.Error("the node image does not say which Kubernetes it is")
	}
}
