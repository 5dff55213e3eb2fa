package images

import "testing"

// A version that a run is made from and that `meshproof version` does not tell would be pinned in secret.
func TestPinsTellTheWholeFile(t *testing.T) {
	v := pinnedVersions(t)
	pins, err := Pins()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]Pin{}
	for _, p := range pins {
		if key := p.Kind + " " + p.Name; told[key].Name != "" || p.From == "" || p.Version == "" {
			t.Errorf("pin %+v is there twice, or not whole", p)
		}
		told[p.Kind+" "+p.Name] = p
	}
	for name, m := range v.Modules {
		if got := told[PinModule+" "+name]; got.From != m.Path || got.Version != m.Version || len(got.Sums) != 1 || got.Sums[0] != m.Sum {
			t.Errorf("module %s is told as %+v", name, got)
		}
	}
	for name, ref := range v.Images {
		if got := told[PinImage+" "+name]; got.From+":"+got.Version != ref {
			t.Errorf("image %s (%s) is told as %+v", name, ref, got)
		}
	}
	if got := told[PinImage+" node"].Sums; len(got) != 1 || got[0] != v.NodeDigest {
		t.Errorf("the node image has the sums %v, not %s", got, v.NodeDigest)
	}
	if got := told[PinBinary+" envoy"]; got.Version != v.Envoy.Version || len(got.Sums) != len(v.Envoy.SHA256) {
		t.Errorf("Envoy is told as %+v", got)
	}
	if told[PinBinary+" istioctl"].Version != v.Istio.Version || told[PinSystem+" debian"].Version != v.Debian.Suite {
		t.Error("istioctl or Debian is told with another version")
	}
	if want := len(v.Modules) + len(v.Images) + 3; len(pins) != want {
		t.Errorf("%d pins, want %d", len(pins), want)
	}
}
