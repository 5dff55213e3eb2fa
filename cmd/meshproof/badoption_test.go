package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// merged sets KUBECONFIG to both files and one that is not there.
func merged(w *world) {
	files := []string{filepath.Join(w.dir, "east.yaml"), filepath.Join(w.dir, "nowhere.yaml"), filepath.Join(w.dir, "west.yaml")}
	w.t.Setenv("KUBECONFIG", strings.Join(files, string(filepath.ListSeparator)))
}

func badContexts() []badInput {
	contexts := "--context ctx_east@a.b:c --context west"
	return []badInput{
		{name: "contexts without KUBECONFIG", bad: contexts, good: contexts, twin: merged, says: []string{"KUBECONFIG", "not set", "--kubeconfig"}},
		{name: "one context of KUBECONFIG", bad: "--context west", good: contexts, spoil: merged, twin: merged, says: []string{"1 contexts of KUBECONFIG", "--context 2 times"}},
		{name: "a context that KUBECONFIG has not", bad: "--context ctx_east@a.b:c --context wets", good: contexts, spoil: merged,
			twin: func(w *world) { w.certified(time.Unix(0, 0), time.Now().Add(time.Hour)); merged(w) }, // with relative paths
			says: []string{"cluster-2", `no context "wets"`, `did you mean "west"?`}},
		{name: "one context of KUBECONFIG twice", bad: "--context west --context west", good: contexts, spoil: merged, twin: merged,
			says: []string{"one and the same", "give kubeconfigs of different clusters"}},
		{name: "KUBECONFIG of missing files", bad: contexts, good: contexts, twin: merged,
			spoil: func(w *world) { w.t.Setenv("KUBECONFIG", "/nowhere/a:/nowhere/b") }, says: []string{"/nowhere/a:/nowhere/b", "none of these files is there", "KUBECONFIG"}},
		{name: "a report directory that is there", bad: both + " --report-dir asm", good: both + " --report-dir new", says: []string{"asm exists already", "--report-dir"}},
		{name: "a run of that name", bad: both + " --run-id r1", good: both + " --run-id r2", says: []string{"run named r1 is there", "meshproof down r1"},
			spoil: func(w *world) { w.must(os.MkdirAll("state/meshproof/runs/r1", 0o755)) }, twin: func(w *world) { w.must(os.MkdirAll("state/meshproof/runs/r1", 0o755)) }},
	}
}

// badPlaces are state directories in which a run would fail after much had been made.
func badPlaces() []badInput {
	at := func(name string) func(*world) {
		return func(w *world) { w.t.Setenv("XDG_STATE_HOME", filepath.Join(w.dir, name)) }
	}
	say := func(what string) []string {
		return []string{"state directory", "/meshproof", what, "set XDG_STATE_HOME to a directory"}
	}
	return []badInput{
		{name: "a state directory with a blank", bad: both, good: released, spoil: at("my state"), twin: at("my state"), says: say(`" "`)},
		{name: "a state directory with an umlaut", bad: both + " --from install --fleet f --project-number 1", good: released, spoil: at("zustände"), twin: at("zustände"), says: say(`"ä"`)},
		{name: "a state directory with a blank for kind", bad: "--clusters 2", good: "--clusters 2", spoil: at("my state"), says: say(`" "`)},
		{name: "a state directory that docker cannot mount", bad: "--clusters 2", good: both, spoil: at("a:b"), twin: at("a:b"), says: say("docker takes ':'")},
		{name: "the same with a release directory", bad: "--release-dir asm", good: "--release-dir asm", spoil: at("a:b"), says: say("docker takes ':'")},
		{name: "a state directory with a blank that only looks", bad: both, good: both + " --read-only", spoil: at("my state"), twin: at("my state"), says: say(`" "`)},
	}
}

func badOptions() []badInput {
	var options []badInput
	for _, o := range []struct{ name, bad, good, says string }{ // on given clusters
		{"no samples", "--samples 0", "--samples 28", "samples 0: use at least 28"},
		{"negative samples", "--samples -5", "--samples 600", "samples -5: use at least 28"},
		{"too few samples for the rate", "--samples 28 --alpha 1e-12", "--samples 60 --alpha 1e-12", "use at least"},
		{"a rate above one", "--alpha 2", "--alpha 0.05", "alpha 2: use a rate"},
		{"an unknown keep", "--keep sometimes", "--keep always", "use never, on-failure or always"},
		{"an archive that nobody loaded", "--images archive --cache-dir none", "--images source", "run meshproof images load"},
		{"an unknown source of images", "--images cloud", "--images source", "use auto, registry, source or archive"},
		{"a planted fault on given clusters", "--plant different-roots", "", "for kind clusters that the run makes"},
		{"an unknown disruption", "--disruptive --disruption nonsense", "--disruptive --disruption not-injected", "there are: identity-denied"},
		{"a disruption that is not allowed", "--disruption service-deleted", "--disruptive --disruption service-deleted", "which --disruptive allows"},
		{"a disruption of what is not ours", "--disruptive --disruption different-roots", "--disruptive", "for kind clusters that the run makes"},
		{"a run id that is no name", "--run-id Upper", "--run-id lower", "lower-case letters"},
		{"waits that are shorter", "--timeout-multiplier 0.5", "--timeout-multiplier 1.5", "with shorter waits a mesh that is only slow"},
		{"waits without an end", "--timeout-multiplier +Inf", "--timeout-multiplier 100", "use a factor from 1 to 100"},
		{"a toleration without a key", "--toleration =x:NoSchedule", "--toleration dedicated=mesh:NoSchedule --toleration spot", "use KEY[=VALUE][:EFFECT]"},
		{"a toleration of no effect", "--toleration a:Sometimes", "--toleration a:NoExecute", "NoSchedule, PreferNoSchedule or NoExecute"},
		{"a node selector without a value", "--node-selector zone", "--node-selector topology.kubernetes.io/zone=a", "use KEY=VALUE"},
		{"a node in two zones", "--node-selector zone=a --node-selector zone=b", "--node-selector zone=a --node-selector zone=a", "zone twice, as a and as b"},
		{"a pull secret that is not there", "--image-pull-secret none.json", "", "docker login writes it"},
		{"a time that is none", "--timeout -1s", "--timeout 1h", "use a positive duration"},
	} {
		options = append(options, badInput{name: o.name, bad: both + " " + o.bad, good: both + " " + o.good, says: []string{o.says}})
	}
	return slices.Concat(options, badCells(), badNumbers(), badNamespaces(), badPlaces())
}

// badNumbers are numbers of clusters with which what is asked cannot be done.
func badNumbers() []badInput {
	return []badInput{
		{name: "one kind cluster", bad: "--clusters 1", good: "--clusters 2", says: []string{"--clusters 1", "use 2 to 8"}},
		{name: "more kind clusters than a network has room for", bad: "--clusters 9", good: "--clusters 8", says: []string{"--clusters 9", "use 2 to 8"}},
		{name: "kind clusters beside given ones", bad: both + " --clusters 3", good: both, says: []string{"--clusters 3", "2 clusters are given", "leave it out"}},
		{name: "three clusters that are to be disrupted", bad: "--clusters 3 --disruptive", good: "--clusters 2 --disruptive", says: []string{"--disruptive with 3 clusters", "leave it out"}},
		{name: "a mesh that cannot grow", bad: "--join-in-turn", good: "--join-in-turn --clusters 3", says: []string{"--join-in-turn with 2 clusters", "give more"}},
	}
}

// badNamespaces are those into which the guide's sample cannot go.
func badNamespaces() []badInput {
	var all []badInput
	for _, n := range []struct{ name, bad, good, says string }{
		{"a namespace that is no name", "Ours", "ours", "use at most 63 lower-case letters"},
		{"a namespace with a dot", "our.sample", "our-sample", "use at most 63 lower-case letters"},
		{"the default namespace", "default", "default-sample", "deletes the namespace of its sample"},
		{"the control plane's namespace", "istio-system", "istio-systems", "deletes the namespace of its sample"},
		{"a namespace of Kubernetes", "kube-public", "kub-public", "deletes the namespace of its sample"},
		{"the probe's namespace", "meshproof", "meshproofs", "the run itself makes one"},
		{"the second service's namespace", "meshproof-second", "meshproof-third", "the run itself makes one"},
		{"the load balancer's namespace", "metallb-system", "metallb", "the run itself makes one"},
		{"another namespace for the printed text", "ours --mode literal", "sample --mode literal", "leave one of them out"},
	} {
		all = append(all, badInput{name: n.name, bad: both + " --namespace " + n.bad, good: both + " --namespace " + n.good,
			says: []string{"--namespace " + strings.Fields(n.bad)[0], n.says}})
	}
	there := func(name string) func(*world) { return put("/api/v1/namespaces/"+name, "{metadata: {name: "+name+"}}") }
	return append(all,
		badInput{name: "a sample namespace that is somebody's", bad: both, good: both + " --namespace ours", spoil: there("sample"), twin: there("sample"),
			says: []string{"cluster-2", "Namespace sample", "--namespace NAME"}},
		badInput{name: "another namespace that is somebody's too", bad: both + " --namespace ours", good: both + " --namespace ours", spoil: there("ours"), twin: there("sample"),
			says: []string{"cluster-2", "Namespace ours", "--namespace NAME"}},
	)
}

// badCells are platforms and CAs, on clusters that the run would make and on given ones.
func badCells() []badInput {
	return []badInput{
		{name: "a fleet's CA without its platform", bad: "--ca mesh-ca", good: "--ca mesh-ca --platform attached-eks",
			says: []string{`CA "mesh-ca"`, "its platforms differ for this CA", "--platform"}},
		{name: "a CA that the platform does not offer, on kind", bad: "--ca ca-service --platform gke-aws", good: "--ca ca-service --platform gke-vmware",
			says: []string{"ca-service", "gke-aws", "use mesh-ca or istio-ca"}},
		{name: "a CA that the guide does not know, on kind", bad: "--ca vault", good: "--ca istio-ca", says: []string{`"vault"`, "use mesh-ca, ca-service or istio-ca"}},
		{name: "a platform of given clusters that the guide does not know", bad: both + " --platform eks", good: both + " --platform attached-eks",
			says: []string{`"eks"`, "use gke-vmware"}},
		{name: "another CA than the topology's", bad: topology + " --ca mesh-ca", good: topology + " --ca istio-ca",
			says: []string{"--ca mesh-ca", "it says istio-ca", "both the same"}},
	}
}
