package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// What a real asmcli must leave behind, and what it must refuse. What it prints is not looked at: with DRY_RUN in its
// environment it prints the same, ends well, and has done nothing.
func createMeshRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "create-mesh-secrets", Level: Core, Kind: Converges, Area: Discovery, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "asmcli create-mesh made in the cluster one remote secret for each other cluster, as istioctl forms it and named after the context, and none for the cluster itself."},
			about: eachCluster, asked: withAsmcli, judge: judgeCreated,
			reads: []part{objects(ofAll), taken(theServers, readServers, func(k *evidence.Kubernetes) bool { return k.RemoteServers != nil })},
		},
	}
}

func otherFleetRules() []rule {
	return []rule{
		{
			// Extended: it is about asmcli, and a mesh of which it does not hold may still conform.
			Claim: Claim{ID: "refuses-other-fleet", Level: Extended, Kind: Converges, Area: Denial, Epoch: evidence.Joined, Guide: enableDiscovery,
				Sentence: "asmcli create-mesh ends with exit code 2 when it is given a fleet that the clusters are not of, and makes no remote secret."},
			about: wholeMesh, asked: withAsmcli, reads: []part{steps()}, judge: judgeOtherFleet,
		},
	}
}

// withAsmcli says why a run without the real tools makes no claim about them.
func withAsmcli(in intent.Intent) string {
	if in.Asmcli == "" {
		return "no asmcli was given (--asmcli, --gcloud): the built-in join made the remote secrets"
	}
	return ""
}

const multiCluster = "istio/multiCluster"

// judgeCreated compares what is there with what istioctl makes for asmcli: name, label, annotation, key and server.
func judgeCreated(v view) result {
	var n notes
	k := v.objects(v.self.Name)
	named := func(c intent.Cluster) func(evidence.Object) bool {
		return func(o evidence.Object) bool { return o.Name == seen.OwnSecretName(c.RemoteName) }
	}
	if slices.ContainsFunc(k.RemoteSecrets, named(v.self)) {
		n.breaks("cluster %s holds a remote secret for itself (%s)", v.self.Name, v.self.RemoteName)
	}
	for _, p := range v.peers {
		at := slices.IndexFunc(k.RemoteSecrets, named(p))
		if at < 0 {
			n.breaks("cluster %s has no secret %s for %s", v.self.Name, seen.OwnSecretName(p.RemoteName), p.Name)
			continue
		}
		noteForm(&n, v, k.RemoteSecrets[at], p)
	}
	return n.result("cluster %s holds the remote secrets that asmcli makes for %d other clusters, and none for itself", v.self.Name, len(v.peers))
}

func noteForm(n *notes, v view, secret evidence.Object, p intent.Cluster) {
	for _, mark := range []struct{ key, got, want string }{
		{multiCluster, secret.Labels[multiCluster], "true"}, {seen.ClusterAnnotation, secret.Annotations[seen.ClusterAnnotation], p.RemoteName},
	} {
		if mark.got != mark.want {
			n.breaks("secret %s on %s has %s=%q, not %q", secret.Name, v.self.Name, mark.key, mark.got, mark.want)
		}
	}
	var servers []evidence.RemoteServer
	for _, r := range v.objects(v.self.Name).RemoteServers {
		if r.Secret == secret.Namespace+"/"+secret.Name {
			servers = append(servers, r)
		}
	}
	if len(servers) != 1 {
		n.breaks("secret %s on %s holds %d kubeconfigs, not 1", secret.Name, v.self.Name, len(servers))
		return
	}
	if got := servers[0].Cluster; got != p.RemoteName {
		n.breaks("secret %s on %s has its kubeconfig under %q, not %q", secret.Name, v.self.Name, got, p.RemoteName)
	}
	given := evidence.HostPort(v.objects(p.Name).Server)
	if got := evidence.HostPort(servers[0].Server); got != given {
		n.breaks("secret %s on %s points at %q, not at %q, which the kubeconfig of %s says", secret.Name, v.self.Name, got, given, p.Name)
	}
}

// refusedInput is asmcli's exit code when what it was given cannot be.
const refusedInput = 2

// judgeOtherFleet reads the step in which asmcli was given another fleet, and what was listed on each cluster after it.
func judgeOtherFleet(v view) result {
	var n notes
	at := slices.IndexFunc(v.run.Steps, func(s evidence.Step) bool { return s.ID == evidence.StepOtherFleet })
	if at < 0 {
		return result{verdict: Inconclusive, reason: fmt.Sprintf("step %s is not in %s: the run ended before it", evidence.StepOtherFleet, evidence.StepsFile)}
	}
	switch code := v.run.Steps[at].ExitCode; code {
	case refusedInput:
	case 0:
		n.breaks("given the fleet %s, asmcli ended well", evidence.OtherFleet)
	default: // it refused, but not what it was to refuse
		n.puzzles("given the fleet %s, asmcli ended with code %d, not %d: it may not have come to the fleet", evidence.OtherFleet, code, refusedInput)
	}
	listed := map[string]bool{}
	for _, s := range v.run.Steps {
		if !strings.HasPrefix(s.ID, evidence.StepOtherFleet+".") || s.Error != "" {
			continue
		}
		listed[s.Cluster] = true
		for _, c := range v.peers {
			if slices.Contains(strings.Fields(s.Stdout), "secret/"+seen.OwnSecretName(c.RemoteName)) {
				n.breaks("given the fleet %s, asmcli made %s on %s", evidence.OtherFleet, seen.OwnSecretName(c.RemoteName), s.Cluster)
			}
		}
	}
	for _, c := range v.peers {
		if !listed[c.Name] {
			n.puzzles("the remote secrets of %s were not listed after it", c.Name)
		}
	}
	return n.result("given the fleet %s, asmcli ended with code %d, and there was no remote secret on %d clusters", evidence.OtherFleet, refusedInput, len(v.peers))
}
