package fault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
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

// TestAGatewayIsDialledWhereItIs: a load balancer has an IP address of either family, or a host name alone.
func TestAGatewayIsDialledWhereItIs(t *testing.T) {
	for ingress, want := range map[string]string{
		"{ip: 203.0.113.7}":                        "203.0.113.7:15443",
		"{ip: '2001:db8::7'}":                      "[2001:db8::7]:15443",
		"{hostname: gw.west.example}":              "gw.west.example:15443",
		"{ports: []}, {hostname: gw.west.example}": "gw.west.example:15443",
	} {
		server, dir := apitest.New(t), t.TempDir()
		server.Put(t, "/api/v1/namespaces/istio-system/services/"+gateway,
			"{metadata: {name: "+gateway+", namespace: istio-system}, status: {loadBalancer: {ingress: ["+ingress+"]}}}")
		kubectl := filepath.Join(dir, "kubectl")
		if err := os.WriteFile(kubectl, []byte("#!/bin/sh\nfor last; do :; done\necho \"$last\" >"+dir+"/dialled\necho '{\"connected\": true}'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		r := &Rig{Kubectl: kubectl, Dir: dir, Set: cluster.Set{{Name: "east"}, server.Cluster(t, "west")}}
		if err := r.crossing(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "dialled")); err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%s: %q is dialled, want %q: %v", ingress, got, want, err)
		}
	}
}
