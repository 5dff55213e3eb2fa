package guide

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/intent"
)

func TestTheGuideHas14Cells(t *testing.T) {
	m, err := LoadMatrix()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range m.Cells() {
		got = append(got, fmt.Sprintf("%s %s %s %s/%s", c.Platform, c.CA, c.Words["pilotCertProvider"], c.ControlPlane.Before, c.ControlPlane.Since))
	}
	want := []string{
		"gke-vmware mesh-ca kubernetes kubernetes/istiod",
		"gke-vmware ca-service kubernetes kubernetes/istiod",
		"gke-vmware istio-ca istiod istiod/istiod",
		"gdcv-bare-metal mesh-ca kubernetes kubernetes/istiod",
		"gdcv-bare-metal ca-service kubernetes kubernetes/istiod",
		"gdcv-bare-metal istio-ca istiod istiod/istiod",
		"gke-azure mesh-ca istiod istiod/istiod",
		"gke-azure istio-ca istiod istiod/istiod",
		"gke-aws mesh-ca istiod istiod/istiod",
		"gke-aws istio-ca istiod istiod/istiod",
		"attached-eks mesh-ca istiod istiod/istiod",
		"attached-eks istio-ca istiod istiod/istiod",
		"attached-aks mesh-ca istiod istiod/istiod",
		"attached-aks istio-ca istiod istiod/istiod",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("cells:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCellNamesWhatThereIs(t *testing.T) {
	m, err := LoadMatrix()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ platform, ca, want string }{
		{"eks", "istio-ca", "use gke-vmware, gdcv-bare-metal, gke-azure, gke-aws, attached-eks or attached-aks"},
		{"gke-vmware", "vault", "on platform gke-vmware use mesh-ca, ca-service or istio-ca"},
		{"gke-aws", "ca-service", "does not offer it there: use mesh-ca or istio-ca"},
	} {
		if _, err := m.Cell(tc.platform, tc.ca); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s with %s: error %v, want one that says %q", tc.platform, tc.ca, err, tc.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tc := range []struct{ platform, ca, want, wrong string }{
		{"gke-vmware", "mesh-ca", "kubernetes", ""},
		{"gdcv-bare-metal", "istio-ca", "istiod", ""},
		{"attached-eks", "mesh-ca", "istiod", ""},
		{"kind", "istio-ca", "istiod", ""},
		{"attached-eks", "ca-service", "", "does not offer it there: use mesh-ca or istio-ca"},
		{"kind", "mesh-ca", "", "name one of them"},
		{"kind", "vault", "", "no such CA: use mesh-ca, ca-service or istio-ca"},
	} {
		words, err := Words(tc.platform, tc.ca)
		got := words["pilotCertProvider"]
		if got != tc.want || (err != nil) != (tc.wrong != "") || err != nil && !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("%s with %s: %q, %v; want %q, error %q", tc.platform, tc.ca, got, err, tc.want, tc.wrong)
		}
	}
}

// The four combinations of CA and commands cover the guide's 14 cells, each of them once.
func TestFourRunsCoverTheGuide(t *testing.T) {
	seen := map[string]bool{}
	for _, tc := range []struct {
		platform, ca string
		want         int
	}{{"gke-vmware", "mesh-ca", 2}, {"gdcv-bare-metal", "ca-service", 2}, {"kind", "istio-ca", 6}, {"attached-eks", "mesh-ca", 4}} {
		cells := Covered(intent.Intent{Provision: intent.Kind, Platform: tc.platform, CA: tc.ca})
		if len(cells) != tc.want {
			t.Errorf("%s with %s covers %v: want %d", tc.platform, tc.ca, cells, tc.want)
		}
		for _, c := range cells {
			if seen[c] {
				t.Errorf("%s is covered twice", c)
			}
			seen[c] = true
		}
	}
	if len(seen) != 14 {
		t.Errorf("%d cells are covered: %v", len(seen), seen)
	}
	for platform, want := range map[string]int{"attached-eks": 1, "unspecified": 0} {
		if cells := Covered(intent.Intent{Provision: intent.Supplied, Platform: platform, CA: "istio-ca"}); len(cells) != want {
			t.Errorf("somebody's clusters on %s cover %v: want %d", platform, cells, want)
		}
	}
}
