package main

import (
	"os"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/release"
)

func put(path, text string) func(*world) {
	return func(w *world) { w.farm.Server("west").Put(w.t, path, text) }
}

func edit(name, from, to string) func(*world) { return func(w *world) { w.edit(name, from, to) } }

func badMeshes() []badInput {
	return []badInput{
		{name: "a revision that is not installed", bad: both + " --revision asm-1232-3", good: both + " --revision asm-1232-2",
			says: []string{"cluster-2", "istiod-asm-1232-3", "not installed (asm-1232-2 is)", `did you mean "asm-1232-2"?`, "--revision"}},
		{name: "installed twice", spoil: func(w *world) { w.istiod("west", "asm-1231-1") },
			says: []string{"cluster-2", "more than one revision (asm-1231-1, asm-1232-2)", "S9", "removing the old revision"}},
		{name: "no network", spoil: put(system, "{metadata: {name: istio-system}}"),
			says: []string{"namespace istio-system on cluster cluster-2", "no label topology.istio.io/network", "--network_id"}},
		{name: "one network for both", spoil: put(system, "{metadata: {name: istio-system, labels: {topology.istio.io/network: network1}}}"),
			says: []string{"both on network \"network1\"", "F1", "its own network"}},
		{name: "a sample namespace that is there", spoil: put("/api/v1/namespaces/sample", "{metadata: {name: sample}}"),
			twin: put("/api/v1/namespaces/samples", "{metadata: {name: samples}}"),
			says: []string{"cluster-2", "Namespace sample", "overwrite", "remove it"}},
		{name: "a gateway that is there", spoil: put(system+"/services/istio-eastwestgateway", "{metadata: {name: istio-eastwestgateway}}"),
			twin: put(system+"/services/istio-ingressgateway", "{metadata: {name: istio-ingressgateway}}"),
			says: []string{"cluster-2", "Service istio-system/istio-eastwestgateway", "remove it"}},
		{name: "a remote secret that is there", spoil: put(system+"/secrets/istio-remote-secret-ctx-east-a-b-c", "{metadata: {name: istio-remote-secret-ctx-east-a-b-c}}"),
			twin: put(system+"/secrets/istio-remote-secret-north", "{metadata: {name: istio-remote-secret-north}}"),
			says: []string{"cluster-2", "Secret istio-system/istio-remote-secret-ctx-east-a-b-c", "remove it"}},
		{name: "a namespace of the suite's that is there", spoil: put("/api/v1/namespaces/meshproof", "{metadata: {name: meshproof}}"),
			says: []string{"cluster-2", "Namespace meshproof", "remove it"}},
	}
}

func badReleases() []badInput {
	asm := func(name, text string) func(*world) { return func(w *world) { w.write("asm/"+name, text) } }
	return []badInput{
		{name: "a release directory that is not there", bad: both + " --release-dir amm", good: released,
			says: []string{"open release directory", "amm", "no istioctl", "--output_dir"}},
		{name: "a release directory without istioctl", bad: released, good: released, spoil: func(w *world) { w.must(os.Remove("asm/istioctl")) },
			says: []string{"open release directory", "no istioctl", "--output_dir"}},
		{name: "a release directory of another version", bad: released, good: released,
			spoil: asm(release.Istioctl, strings.ReplaceAll(istioctlText, "1.23.2-asm.2", "1.24.0-asm.1")),
			twin:  asm(release.Istioctl, strings.ReplaceAll(istioctlText, "1.23.2-asm.2", "1.23.2-asm.2+config1")),
			says:  []string{"cluster-2", "another version", "istioctl is 1.24.0-asm.1, istiod is 1.23.2-asm.2", "--output_dir"}},
		{name: "a script that prints nothing", bad: released, good: released, spoil: asm(release.GatewayScript, "#!/bin/bash\nexit 0\n"),
			says: []string{release.GatewayScript, "prints nothing", "--output_dir"}},
		{name: "a script that complains on its standard output", bad: released, good: released,
			spoil: asm(release.GatewayScript, "#!/bin/bash\necho 'Must specify --network.'\n"),
			says:  []string{release.GatewayScript, "no IstioOperator", "Must specify --network.", "unchanged"}},
		{name: "a script that prints something else", bad: released, good: released, spoil: asm(release.GatewayScript, "#!/bin/bash\necho 'kind: Gateway'\n"),
			says: []string{release.GatewayScript, "no IstioOperator", "kind: Gateway", "unchanged"}},
		{name: "a script that fails", bad: released, good: released, spoil: asm(release.GatewayScript, "#!/bin/bash\necho 'unbound variable' >&2; exit 1\n"),
			says: []string{release.GatewayScript, "exit status 1", "unbound variable", "--output_dir"}},
		{name: "a script that never ends", bad: released, good: released, spoil: func(w *world) {
			w.limit = 300 * time.Millisecond
			w.write("asm/"+release.GatewayScript, "#!/bin/bash\nexec tail -f /dev/null\n")
		}, says: []string{release.GatewayScript, "did not end within 300ms", "--output_dir"}},
		{name: "a script that is no program", bad: released, good: released, spoil: func(w *world) { w.must(os.Chmod("asm/"+release.GatewayScript, 0o644)) },
			says: []string{release.GatewayScript, "not executable", "--output_dir"}},
	}
}

func badTopologies() []badInput {
	return []badInput{
		{name: "a topology that is not there", bad: "--topology nowhere.yaml", good: topology, says: []string{"read the topology", "nowhere.yaml", "give a file"}},
		{name: "a topology with an unknown key", bad: topology, good: topology, spoil: edit("topology.yaml", "network: network2", "netwrk: network2"),
			says: []string{"topology.yaml", `no key "netwrk"`, `did you mean "network"?`}},
		{name: "a topology with an unknown key at the top", bad: topology, good: topology, spoil: edit("topology.yaml", "clusters:", "cluster:"),
			says: []string{"topology.yaml", `no key "cluster"`, `did you mean "clusters"?`}},
		{name: "a topology with a key twice", bad: topology, good: topology, spoil: edit("topology.yaml", "name: west", "name: west, name: east"),
			says: []string{"topology.yaml", `line 3: key "name" already set`, "correct the file"}},
		{name: "a name that is none", bad: topology, good: topology, spoil: edit("topology.yaml", "name: west", "name: ../west"),
			twin: edit("topology.yaml", "name: west", "name: west-2"), says: []string{`cluster name "../west"`, "use lower-case letters"}},
		{name: "one name for both", bad: topology, good: topology, spoil: edit("topology.yaml", "name: west", "name: east"),
			says: []string{`cluster name "east" is used twice`, "give each cluster its own"}},
		{name: "a topology of one cluster", bad: topology, good: topology, spoil: edit("topology.yaml", topologyText[strings.Index(topologyText, "- {name: west"):], ""),
			says: []string{"topology.yaml", "1 clusters", "name 2"}},
		{name: "a CA that the platform does not offer", bad: topology, good: topology, spoil: edit("topology.yaml", "ca: istio-ca", "ca: ca-service"),
			twin: edit("topology.yaml", "ca: istio-ca", "ca: mesh-ca"), says: []string{"topology.yaml", "ca-service", "attached-eks", "use mesh-ca or istio-ca"}},
		{name: "a platform that the guide does not know", bad: topology, good: topology, spoil: edit("topology.yaml", "attached-eks", "eks"),
			twin: edit("topology.yaml", "attached-eks", "gke-aws"), says: []string{"topology.yaml", `"eks"`, "use gke-vmware"}},
		{name: "two platforms", bad: topology, good: topology, spoil: edit("topology.yaml", "platform: attached-eks, ca: istio-ca, revision: asm-1232-2, kubeconfig: west", "platform: gke-aws, ca: istio-ca, revision: asm-1232-2, kubeconfig: west"),
			says: []string{"topology.yaml", "differ in platform", "attached-eks", "gke-aws", "both the same"}},
		{name: "a topology of another network", bad: topology, good: topology, spoil: edit("topology.yaml", "network: network2", "network: network3"),
			says: []string{"west", "network3", "topology.istio.io/network=network2", "correct the topology"}},
		{name: "a topology without a kubeconfig", bad: topology, good: topology, spoil: edit("topology.yaml", ", kubeconfig: west.yaml", ""),
			says: []string{"cluster 2 (west) has no kubeconfig", "name a file"}},
		{name: "a topology and a kubeconfig", bad: topology + " --kubeconfig east.yaml", good: topology, says: []string{"--topology", "--kubeconfig", "one or the other"}},
		{name: "a topology and another revision", bad: topology + " --revision asm-9", good: topology + " --revision asm-1232-2",
			says: []string{"--revision asm-9", "asm-1232-2", "both the same"}},
	}
}
