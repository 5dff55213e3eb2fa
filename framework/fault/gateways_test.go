package fault

import (
	"testing"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
)

// TestTheGatewayIsMadeAnewWithTheRunsLabel: on given clusters a run that is killed right after is to know it again.
func TestTheGatewayIsMadeAnewWithTheRunsLabel(t *testing.T) {
	for provision, want := range map[intent.Provision]string{intent.Supplied: "2026-11", intent.Kind: ""} { // a label that YAML takes for no text
		r := &Rig{Intent: intent.Intent{RunID: "2026-11", Provision: provision}}
		all, err := manifest.Decode([]byte(r.exposed()), nil)
		if err != nil || len(all) != 1 || all[0].GetName() != "cross-network-gateway" || all[0].GetLabels()[manifest.RunLabel] != want {
			t.Errorf("%s: %v, %v", provision, all, err)
		}
	}
}
