package html

import (
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/intent"
)

// allBut leaves out every claim but one.
func allBut(id string) map[string]string {
	out := map[string]string{}
	for _, c := range claim.All() {
		if c.ID != id {
			out[c.ID] = "--focus " + id
		}
	}
	return out
}

func TestTheCommandThatRepeatsARun(t *testing.T) {
	two := []intent.Cluster{{Name: "east"}, {Name: "west"}}
	three := append(slices.Clone(two), intent.Cluster{Name: "north"})
	for want, in := range map[string]intent.Intent{
		"meshproof run --samples 0 --alpha 0 --disruptive=false":                               {Provision: intent.Kind, Platform: kind, CA: intent.IstioCA, Clusters: two},
		"meshproof run --clusters 3 --samples 0 --alpha 0 --disruptive=false":                  {Provision: intent.Kind, Clusters: three},
		"meshproof run --platform gke-vmware --ca mesh-ca --samples 0 --alpha 0 --disruptive":  {Provision: intent.Kind, Platform: "gke-vmware", CA: intent.MeshCA, Clusters: two, Disruptions: claim.Disruptions(), Injections: claim.Injections()},
		"meshproof run --mode literal --expect F1,F2 --samples 0 --alpha 0 --disruptive=false": {Provision: intent.Kind, Mode: intent.Literal, Expect: []string{"F1", "F2"}, Clusters: two},
		"meshproof run --kubeconfig east.yaml --kubeconfig west.yaml --samples 0 --alpha 0":    {Provision: intent.Supplied, Clusters: two},
		"meshproof run --kubeconfig east.yaml --kubeconfig west.yaml --samples 0 --alpha 0 --disruptive --disruption not-injected": {
			Provision: intent.Supplied, Platform: intent.UnspecifiedPlatform, Clusters: two, Disruptions: []string{"not-injected"}},
		"meshproof run --kubeconfig east.yaml --kubeconfig west.yaml --platform attached-eks --samples 0 --alpha 0": {Provision: intent.Supplied, Platform: "attached-eks", Clusters: two},
		"meshproof run --kubeconfig east.yaml --kubeconfig west.yaml --samples 0 --alpha 0 --from join":             {Provision: intent.Supplied, Clusters: two, From: intent.FromJoin},
		"meshproof run --namespace x --samples 0 --alpha 0 --disruptive=false":                                      {Provision: intent.Kind, Clusters: two, SampleNamespace: "x"},
		"meshproof run --samples 0 --alpha 0 --disruptive=false --plant different-roots":                            {Provision: intent.Kind, Clusters: two, Planted: []string{"different-roots"}},
		"meshproof run --samples 0 --alpha 0 --disruptive=false --skip '^(split-replies|split-balanced)$'": {
			Provision: intent.Kind, Clusters: two, LeftOut: map[string]string{"split-replies": "--skip split", "split-balanced": "--skip split"}},
		"meshproof run --samples 0 --alpha 0 --disruptive=false --focus '^(split-balanced)$'": {Provision: intent.Kind, Clusters: two, LeftOut: allBut("split-balanced")},
		"meshproof run --samples 0 --alpha 0 --disruptive --skip '^(" + claim.OfDisruption("not-injected") + ")$'": { // nothing else was left undone
			Provision: intent.Kind, Clusters: two, Injections: claim.Injections(), LeftOut: map[string]string{claim.OfDisruption("not-injected"): "--skip injected"},
			Disruptions: slices.DeleteFunc(claim.Disruptions(), func(id string) bool { return id == "not-injected" })},
	} {
		if got := repeat(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
