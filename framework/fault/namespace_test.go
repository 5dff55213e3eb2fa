package fault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
)

// TestManifestsAreAppliedWhereTheSampleIs has a stand-in for kubectl keep what it is given.
func TestManifestsAreAppliedWhereTheSampleIs(t *testing.T) {
	dir := t.TempDir()
	kubectl := filepath.Join(dir, "kubectl")
	if err := os.WriteFile(kubectl, []byte("#!/bin/sh\ncat >>"+dir+"/given\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &Rig{Kubectl: kubectl, Dir: dir, Intent: intent.Intent{}.InNamespace("ours")}
	c := &cluster.Cluster{Name: "east"}
	all := []string{subsets, virtualService(70, 30), abort, hashing, failover, ejecting, denyAll, policy("x", "DENY"), plaintext, taker, nobody, oneCallPerConnection}
	for _, text := range all {
		if err := r.apply(t.Context(), c, text); err != nil {
			t.Fatal(err)
		}
		if err := r.remove(t.Context(), c, text); err != nil {
			t.Fatal(err)
		}
	}
	given, err := os.ReadFile(filepath.Join(dir, "given"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(given); strings.Contains(text, sampleWord) || strings.Contains(text, "sample") || strings.Count(text, "namespace: ours") != 2*len(all) {
		t.Errorf("%d times in the namespace, want %d: %s", strings.Count(text, "namespace: ours"), 2*len(all), text)
	}
}
