package source

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// TestOwnTagsChange: another module makes another tag, for the images that are made from it; the Go release and the architecture, which
// a released program cannot know of its images, make none.
func TestOwnTagsChange(t *testing.T) {
	v := builder(t).v
	tagged := regexp.MustCompile(`:[0-9a-f]{16}$`)
	for name, ref := range map[string]func(versions.Versions) string{"probe": Probe, "csr": CSR, "registry": RegistryProgram} {
		if !tagged.MatchString(ref(v)) {
			t.Errorf("%s: %s does not end with what it is made from", name, ref(v))
		}
		for _, module := range []string{"registry", "istio", "etcd"} {
			other := v
			other.Modules = maps.Clone(v.Modules)
			m := other.Modules[module]
			m.Sum += "x"
			other.Modules[module] = m
			want := module == map[string]string{"probe": "registry", "csr": "istio", "registry": "registry"}[name]
			if changed := ref(other) != ref(v); changed != want {
				t.Errorf("%s: with another %s the tag changes: %t, want %t", name, module, changed, want)
			}
		}
	}
	if tag(Probe(v)) == tag(RegistryProgram(v)) {
		t.Error("two programs of one module have one tag: their source is not in it")
	}
}

// TestTheLinkerTellsTheProbe: the linker sets a variable that is not there without a word.
func TestTheLinkerTellsTheProbe(t *testing.T) {
	b := builder(t)
	all, err := b.units()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(u unit) bool { return u.name == "programs" })
	if i < 0 || !slices.Contains(all[i].packages, "./probe") || !strings.Contains(all[i].ldflags, "-X main.madeFrom="+ProbeMadeFrom(b.v)) {
		t.Errorf("the probe is not told what it is made from: %+v", all)
	}
	main, err := fixtures.Programs.ReadFile("programs/probe/main.go")
	if err != nil || !bytes.Contains(main, []byte("\nvar madeFrom string\n")) {
		t.Errorf("the probe has no variable for it: %v", err)
	}
}
