package verify

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// What a run does not claim must not keep it waiting: on given clusters nobody has certificates of the mesh's root.
func TestWhatIsNotClaimedIsNotAwaited(t *testing.T) {
	in := intent.Intent{Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}, Handshakes: true}
	all := verdictsOf(unsettled(Options{Intent: in}, evidence.Joined, map[string]*evidence.Cluster{"east": {}, "west": {}}))
	if strings.Contains(all, "accepts-mesh-certificate") {
		t.Errorf("a claim that needs certificates is awaited: %s", all)
	}
	for _, awaited := range []string{"denies-plaintext", "gateway-address", "endpoints-across-gateway"} {
		if !strings.Contains(all, awaited) {
			t.Errorf("%s is not awaited: %s", awaited, all)
		}
	}
}

// What a run that only looks cannot tell must not keep it waiting either.
func TestWhatIsSkippedIsNotAwaited(t *testing.T) {
	in := intent.Intent{Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}, ReadOnly: true, NoSample: true}
	all := verdictsOf(unsettled(Options{Intent: in}, evidence.Joined, map[string]*evidence.Cluster{"east": {}, "west": {}}))
	for claim, awaited := range map[string]bool{"gateway-address": true, "gateway-reached": false, "endpoints-across-gateway": false} {
		if strings.Contains(all, claim) != awaited {
			t.Errorf("%s is awaited: %t: %s", claim, !awaited, all)
		}
	}
}
