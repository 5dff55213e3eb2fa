package main

import (
	"os"
	"strings"
	"testing"
)

const tooled = released + " --asmcli tools/asmcli --gcloud tools/gcloud"

// renamed gives east's cluster another context.
func renamed(context string) func(*world) { return edit("east.yaml", "ctx_east@a.b:c", context) }

// unregistered has west be a member of no fleet.
func unregistered(w *world) { w.farm.Server("west").Fail("GET", membership, 404) }

func badTools() []badInput {
	asmcli := func(text string) func(*world) { return func(w *world) { w.write("tools/asmcli", text) } }
	return []badInput{
		{name: "an asmcli that is not there", bad: strings.Replace(tooled, "tools/asmcli", "tools/asmcl", 1), good: tooled,
			says: []string{"--asmcli tools/asmcl", "no such file", "give the path"}},
		{name: "an asmcli that is a directory", bad: strings.Replace(tooled, "tools/asmcli", "tools", 1), good: tooled, says: []string{"--asmcli tools", "is a directory", "in it"}},
		{name: "an asmcli that is no program", bad: tooled, good: tooled, spoil: func(w *world) { w.must(os.Chmod("tools/asmcli", 0o644)) },
			says: []string{"--asmcli tools/asmcli", "not executable", "chmod"}},
		{name: "an asmcli without a version", bad: tooled, good: tooled, spoil: asmcli("#!/bin/sh\necho hello\n"), twin: asmcli("#!/bin/sh\necho asmcli 1.28.2-asm.4\n"),
			says: []string{"tools/asmcli --version", `"hello"`, "no version", "give an asmcli"}},
		{name: "an asmcli that fails", bad: tooled, good: tooled, spoil: asmcli("#!/bin/sh\necho 'jq: not found' >&2; exit 2\n"),
			says: []string{"tools/asmcli", "--version", "jq: not found", "for this machine"}},
		{name: "a gcloud that is not there", bad: strings.Replace(tooled, "tools/gcloud", "gcloud", 1), good: tooled, says: []string{"--gcloud gcloud", "no such file"}},
		{name: "a gcloud that is a directory", bad: strings.Replace(tooled, "tools/gcloud", "tools", 1), good: tooled, says: []string{"--gcloud tools", "is a directory"}},
		{name: "asmcli without gcloud", bad: released + " --asmcli tools/asmcli", good: tooled, says: []string{"asmcli calls gcloud", "give both, or neither"}},
		{name: "gcloud without asmcli", bad: released + " --gcloud tools/gcloud", good: tooled, says: []string{"step S1 alone", "give both, or neither"}},
		{name: "tools without a release directory", bad: strings.Replace(tooled, " --release-dir asm", "", 1), good: tooled, says: []string{"--asmcli needs the release", "--release-dir"}},
		{name: "tools for kind clusters", bad: "--release-dir asm --asmcli tools/asmcli --gcloud tools/gcloud", good: tooled,
			says: []string{"for given clusters", "members of no fleet", "--kubeconfig"}},
		{name: "tools and names by cluster id", bad: tooled + " --remote-names cluster-id", good: tooled + " --remote-names context", says: []string{"asmcli names a cluster after its context"}},
		{name: "a cluster of no fleet", bad: tooled, good: tooled, spoil: unregistered, says: []string{"cluster-2", "registered in no fleet", "Membership membership", "register it first"}},
		{name: "tools and a context of Google Cloud", bad: tooled, good: tooled, spoil: renamed("gke_p_z_east"), twin: renamed("p_z_east"),
			says: []string{"cluster-1", "gke_p_z_east", "Google Cloud", "rename the context (KUBECONFIG=east.yaml kubectl config rename-context gke_p_z_east NAME)"}},
		{name: "unknown names of clusters", bad: both + " --remote-names cluster", good: both + " --remote-names cluster-id", says: []string{`--remote-names "cluster"`, "use context or cluster-id"}},
		{name: "a cluster id that is no name", bad: both + " --remote-names cluster-id", good: both, says: []string{"cluster-2", `the id "Upper"`, "--remote-names context"},
			spoil: otherID, twin: otherID},
		{name: "a context that asmcli cannot name", bad: both, good: both + " --remote-names cluster-id", spoil: renamed("admin/east"), twin: renamed("admin/east"),
			says: []string{"cluster-1", "admin/east", "rename the context"}},
		{name: "a remote secret by cluster id that is there", bad: both + " --remote-names cluster-id", good: both + " --remote-names cluster-id",
			spoil: remoteSecret, says: []string{"cluster-2", "Secret istio-system/istio-remote-secret-cn-fleet-global-east", "remove it"}},
	}
}

// otherID has west's control plane run under an id that is no name.
func otherID(w *world) {
	const path = "/apis/apps/v1/namespaces/istio-system/deployments/istiod-asm-1232-2"
	w.farm.Server("west").Put(w.t, path, `{metadata: {name: istiod-asm-1232-2}, spec: {template: {spec: {containers: [
{name: discovery, image: "example.com/pilot:1.23.2-asm.2", env: [{name: CLUSTER_ID, value: Upper}]}]}}}}`)
}

func remoteSecret(w *world) {
	const name = "istio-remote-secret-cn-fleet-global-east"
	put(system+"/secrets/"+name, "{metadata: {name: "+name+"}}")(w)
}

func TestADryRunNamesTheTools(t *testing.T) {
	w := newWorld(t)
	out, code, err := w.dryRun(tooled)
	if want := "tools      asmcli 1.23.2-asm.2+config1, tools/asmcli, tools/gcloud\n"; code != 0 || err != nil || !strings.Contains(out, want) {
		t.Errorf("exit code %d, %v, printed %q, want in it %q", code, err, out, want)
	}
}
