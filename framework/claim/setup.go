package claim

import (
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func setupRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "evidence-whole", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "(none: the suite's own)",
				Sentence: "Every file of the evidence can be read, and is as it was sealed."},
			about: always, reads: []part{objects(ofAll), seal()}, judge: judgeWhole,
		},
		{
			Claim: Claim{ID: "procedure", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S1 to S13",
				Sentence: "Every step of the guide's set-up does what it should."},
			about: wholeMesh, reads: []part{steps()}, judge: judgeProcedure,
		},
		{
			Claim: Claim{ID: "mesh-ids", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S1 to S3 Set the environment variables",
				Sentence: "The gateway runs under the mesh ID and the cluster name that the guide has set, on the cluster's network."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeMeshIDs,
		},
		{
			Claim: Claim{ID: "one-revision", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S9 Find the revision label",
				Sentence: "Each cluster has a control plane of one revision, the same in every cluster."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeRevision,
		},
		{
			Claim: Claim{ID: "sidecars", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S12 and S13 Deploy HelloWorld and Sleep",
				Sentence: "Each pod of the sample runs with a sidecar of the revision, with all of its containers ready."},
			sample: true, about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeSidecars,
		},
		{
			Claim: Claim{ID: "control-plane-available", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: beforeYouBegin,
				Sentence: "The control plane of the revision is available with all of its replicas."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeControlPlane,
		},
		{
			Claim: Claim{ID: "network-names", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: installGateway,
				Sentence: "The cluster's network has one name: on the control plane's namespace, in the proxies and on the gateway; and no other cluster has it."},
			about: eachCluster, reads: []part{objects(ofAll)}, judge: judgeNetworks,
		},
		{
			Claim: Claim{ID: "namespace-labelled", Level: Core, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S10 Enable injection",
				Sentence: "The sample's namespace asks for sidecars of the revision, and of nothing else."},
			sample: true, about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeNamespace,
		},
		{
			// Extended: on given clusters a container may have been restarted long before the run.
			Claim: Claim{ID: "nothing-restarted", Level: Extended, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S12 and S13 Deploy HelloWorld and Sleep",
				Sentence: "No container of the control plane, the gateway or the sample was ever restarted."},
			about: eachCluster, reads: []part{objects(ofSelf)}, judge: judgeRestarts,
		},
		{
			// Extended: the webhooks' list is the cluster's own, which an account on a given cluster may not be allowed to read.
			Claim: Claim{ID: "injector-webhook", Level: Extended, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "S9 Find the revision label",
				Sentence: "A webhook injects the sidecars of the revision."},
			about: eachCluster, judge: judgeWebhook,
			reads: []part{taken("the list of webhooks", readWebhooks, func(k *evidence.Kubernetes) bool { return k.Webhooks != nil })},
		},
	}
}

const beforeYouBegin = "Before you begin"

// always has one subject, also when the intent itself cannot be read.
func always(in intent.Intent) []subject { return []subject{{name: "mesh", peers: in.Clusters}} }

// judgeRestarts finds crashes that were over before anybody looked.
func judgeRestarts(v view) result {
	var n notes
	pods := v.objects(v.self.Name).Pods
	for _, p := range pods {
		for _, c := range p.Containers {
			if c.Restarts > 0 {
				n.breaks("container %s of pod %s/%s was restarted %d times: see its previous log", c.Name, p.Namespace, p.Name, c.Restarts)
			}
		}
	}
	if len(pods) == 0 {
		n.puzzles("no pod of %s was looked at", v.self.Name)
	}
	return n.result("no container of the %d pods on %s was restarted", len(pods), v.self.Name)
}

// judgeWhole looks at the folder as a whole: a file that no other claim reads may have been changed too.
func judgeWhole(v view) result {
	var n notes
	if len(v.run.Intent.Clusters) == 0 {
		n.puzzles("%s names no cluster%s", evidence.IntentFile, because(v.run, evidence.IntentFile))
	}
	for _, u := range v.run.Unreadable {
		if u.File == evidence.SumsFile {
			n.puzzles("the seal of the evidence, %s: %s", u.File, u.Reason)
			continue
		}
		n.puzzles("%s is not as %s has it: %s", u.File, evidence.SumsFile, u.Reason)
	}
	return n.result("every file of the evidence is as it was sealed")
}

func judgeProcedure(v view) result {
	if s, failed := seen.FirstFailed(v.run.Steps); failed {
		return judgeFailedStep(v, s)
	}
	done := map[int]bool{}
	for _, s := range v.run.Steps {
		if n, ok := seen.SetupStep(s); ok && s.Skipped == "" {
			done[n] = true
		}
	}
	var left []string
	for n := 1; n <= seen.LastSetupStep; n++ {
		step := fmt.Sprintf("S%d", n)
		switch {
		case done[n]:
		case v.run.Intent.Skips(step) != "":
			left = append(left, step)
		default:
			return result{verdict: Inconclusive, reason: fmt.Sprintf("step %s is not in %s: the run ended before it", step, evidence.StepsFile)}
		}
	}
	reason := fmt.Sprintf("all steps from S1 to S%d did what they should", seen.LastSetupStep)
	if len(left) > 0 {
		reason += fmt.Sprintf(", but for %s, which the run found done (--from %s)", strings.Join(left, ", "), v.run.Intent.From)
	}
	return result{verdict: Passed, reason: reason}
}

func judgeFailedStep(v view, s evidence.Step) result {
	reason := fmt.Sprintf("step %s (%s)", s.ID, s.Title)
	if s.Cluster != "" {
		reason += " on cluster " + s.Cluster
	}
	reason += " did not succeed: " + s.Error
	_, guided := seen.SetupStep(s)
	switch why := seen.Environment(v.run, s); {
	case why != "":
		return result{verdict: Inconclusive, reason: reason + "; " + why}
	case seen.Cancelled(s):
		return result{verdict: Inconclusive, reason: reason + "; it was ended from outside"}
	case !guided:
		return result{verdict: Inconclusive, reason: reason + "; it is no step of the guide but the harness's own"}
	}
	return result{verdict: Failed, reason: reason}
}

func judgeMeshIDs(v view) result {
	var n notes
	pods := seen.GatewayPods(v.objects(v.self.Name))
	if len(pods) == 0 {
		n.puzzles("cluster %s has no gateway pod to read the ids from", v.self.Name)
	}
	for _, p := range pods {
		for _, id := range []struct{ name, want string }{
			{"ISTIO_META_MESH_ID", v.run.Intent.MeshID}, {"ISTIO_META_CLUSTER_ID", v.self.ID}, {"ISTIO_META_NETWORK", v.self.Network},
		} {
			if got := p.Env[id.name]; got != id.want {
				n.breaks("gateway pod %s has %s=%q, not %q", p.Name, id.name, got, id.want)
			}
		}
	}
	return n.result("the gateway of %s runs as %s in mesh %s on network %s", v.self.Name, v.self.ID, v.run.Intent.MeshID, v.self.Network)
}

func judgeRevision(v view) result {
	var n notes
	var revisions []string
	for _, p := range seen.IstiodPods(v.objects(v.self.Name)) {
		revisions = append(revisions, p.Labels[seen.RevisionKey])
	}
	revisions = sorted(revisions)
	switch {
	case len(revisions) == 0:
		n.breaks("cluster %s has no pod of istiod", v.self.Name)
	case len(revisions) > 1:
		n.breaks("cluster %s has control planes of %d revisions: %s", v.self.Name, len(revisions), strings.Join(revisions, ", "))
	case revisions[0] != v.run.Intent.Revision:
		n.breaks("the control plane of cluster %s has revision %q, not %q", v.self.Name, revisions[0], v.run.Intent.Revision)
	}
	return n.result("the control plane of %s has the one revision %s", v.self.Name, v.run.Intent.Revision)
}

func judgeSidecars(v view) result {
	var n notes
	count := 0
	for _, app := range []string{evidence.RoleHelloworld, evidence.RoleSleep} {
		pods := seen.AppPods(v.objects(v.self.Name), v.sample(), app)
		if len(pods) == 0 {
			n.breaks("cluster %s has no pod of %s in namespace %s", v.self.Name, app, v.sample())
		}
		for _, p := range pods {
			count++
			noteSidecar(&n, p, v.run.Intent.Revision)
		}
	}
	return n.result("all %d pods of the sample on %s are ready with a sidecar of %s", count, v.self.Name, v.run.Intent.Revision)
}

func noteSidecar(n *notes, p evidence.Pod, revision string) {
	ready, of := seen.Ready(p)
	if _, injected := seen.Sidecar(p); !injected {
		n.breaks("pod %s runs %d/%d without a sidecar: it was not injected", p.Name, ready, of)
		return
	}
	if ready < of {
		n.breaks("pod %s has %d/%d containers ready%s", p.Name, ready, of, waiting(p))
	}
	if got := seen.Revision(p); got != revision {
		n.breaks("pod %s was injected by revision %q, not %q", p.Name, got, revision)
	}
}

// waiting says what a pod's first waiting container waits for, or "".
func waiting(p evidence.Pod) string {
	for _, c := range p.Containers {
		if c.Waiting != "" {
			return fmt.Sprintf(" (%s waits: %s)", c.Name, c.Waiting)
		}
	}
	return ""
}
