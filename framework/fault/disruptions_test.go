package fault

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

// Each claim about a disruption needs somebody who does it, and nothing is done that no claim is about.
func TestDisruptionsAreThoseOfTheClaims(t *testing.T) {
	var done, injected []string
	for _, d := range Disruptions() {
		done = append(done, d.ID)
		if d.Sentence == "" || d.Break == nil || d.Repair == nil {
			t.Errorf("disruption %s is not whole", d.ID)
		}
	}
	for _, i := range Injections() {
		injected = append(injected, i.ID)
		if i.Sentence == "" || i.Break == nil || i.Repair == nil {
			t.Errorf("injection %s is not whole", i.ID)
		}
	}
	if !slices.Equal(done, claim.Disruptions()) || !slices.Equal(injected, claim.Injections()) {
		t.Errorf("%v and %v are done, the claims are about %v and %v", done, injected, claim.Disruptions(), claim.Injections())
	}
}

// TestAHostBehindTheGatewayIsSeenInEachFamily: the text of Envoy's page clusters begins a host's lines with its address.
func TestAHostBehindTheGatewayIsSeenInEachFamily(t *testing.T) {
	name := evidence.SNICluster("sample")
	for host, want := range map[string]bool{"10.244.0.8:5000": true, "240.1.0.8:5000": true, "[fd00::8]:5000": true, "": false} {
		page := name + "::observability_name::" + name + "\n" + name + "::added_via_api::true\n"
		if host != "" {
			page += name + "::" + host + "::cx_active::1\n"
		}
		dir := t.TempDir()
		kubectl := filepath.Join(dir, "kubectl")
		if err := os.WriteFile(kubectl, []byte("#!/bin/sh\ncat <<'.'\n"+page+".\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		r := &Rig{Kubectl: kubectl, Dir: dir, Set: cluster.Set{{Name: "east"}, {Name: "west"}}, Limits: Limits{Command: time.Minute, Notice: time.Minute}}
		if err := r.behind(t.Context(), want); err != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
}
