package cause

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

// failure is one way in which `asmcli create-mesh` ends, and what it shows.
type failure struct {
	// exit is its exit code; 0 = any but that. says are texts of which its output has one; none = whatever it says. silent
	// tells that it says nothing.
	exit   int
	says   []string
	silent bool
	row
}

// failures are the ways, the plainest first. The texts are those of asmcli (commands/create-mesh.sh and the files that it
// reads, in Google's anthos-service-mesh-packages), of istioctl's create-remote-secret, and of the API server.
func failures() []failure {
	return []failure{
		{exit: 2, says: []string{"but the required Fleet project is"}, row: row{
			id: "asmcli-other-fleet", verdict: claim.Inconclusive,
			sentence: "A cluster is registered in another fleet than the one that asmcli was given.",
			remedy:   "Give --fleet the project in whose fleet the clusters are registered; they must all be in one.",
		}},
		{says: []string{"is not a valid DNS 1123 label"}, row: row{
			id: "asmcli-context-no-label", verdict: claim.Failed,
			sentence: "istioctl refuses the name that asmcli makes of a context: asmcli replaces _ . @ and : only, and the / of an EKS cluster's stays.",
			remedy:   "Rename the context (KUBECONFIG=FILE kubectl config rename-context OLD NEW) to lower-case letters, digits and '-'.",
		}},
		{says: []string{"a lowercase RFC 1123"}, row: row{
			id: "asmcli-context-upper-case", verdict: claim.Failed,
			sentence: "The API server refuses the remote secret's name: asmcli keeps the capital letters of a context.",
			remedy:   "Rename the context (KUBECONFIG=FILE kubectl config rename-context OLD NEW) to lower-case letters, digits and '-'.",
		}},
		{says: []string{"memberships register", "Couldn't verify cluster registration"}, row: row{
			id: "asmcli-not-registered", verdict: claim.Inconclusive,
			sentence: "asmcli found a cluster that is registered in no fleet, and went on to register it.",
			remedy: "Register each cluster under a name of its own before (gcloud container fleet memberships register), and unregister what asmcli may have begun: " +
				"it gives two such clusters one name.",
		}},
		{says: []string{"get-credentials", "Failed, retrying"}, row: row{
			id: "asmcli-misread", verdict: claim.Failed,
			sentence: "A command of asmcli's kept failing: it takes each argument that is no file, and each flag that it does not know, for a cluster on Google Cloud, and asks for its credentials.",
			remedy:   "Look at the step's output for the command; see that the kubeconfigs are there, and that this asmcli knows every flag of the command line.",
		}},
		{exit: 2, row: row{
			id: "asmcli-refused", verdict: claim.Inconclusive,
			sentence: "asmcli refused what it found before it did anything: a program that it needs is not there, or the membership of a cluster names no identity provider.",
			remedy:   "See that awk, csplit, gcloud, git, grep, head, jq, kubectl, sed and tr are on the PATH, and that `kubectl get memberships.hub.gke.io membership` has spec.identity_provider.",
		}},
		{silent: true, row: row{
			id: "asmcli-silent", verdict: claim.Inconclusive,
			sentence: "asmcli ended without a word: it hides the errors of gcloud, which it asks for the fleet's project first.",
			remedy:   "Run `gcloud projects describe` with the fleet's project: log in (gcloud auth login), or have the account be allowed to see it.",
		}},
	}
}

// explain gives what an end of asmcli create-mesh shows, by its exit code and its output. One that was killed shows nothing.
func explain(exit int, output string) (failure, bool) {
	if exit <= 0 {
		return failure{}, false
	}
	output = strings.TrimSpace(output)
	for _, f := range failures() {
		said := len(f.says) == 0 || slices.ContainsFunc(f.says, func(s string) bool { return strings.Contains(output, s) })
		if (f.exit == 0 || f.exit == exit) && said && (!f.silent || output == "") {
			return f, true
		}
	}
	return failure{}, false
}

// createMesh are the causes that lie in how asmcli has ended: no claim but the one on the procedure is broken by them,
// because the run stops there.
func createMesh() []row {
	var all []row
	for _, f := range failures() {
		f.explains, f.shows = []string{"procedure"}, ended(f.id)
		all = append(all, f.row)
	}
	return all
}

// ended looks for a failed S8 of asmcli's that shows the failure of this id.
func ended(id string) func(sight) (string, []string) {
	return func(s sight) (string, []string) {
		if s.run.Intent.Asmcli == "" {
			return "", nil
		}
		for _, step := range s.run.Steps {
			if step.ID != "S8" || step.Error == "" {
				continue
			}
			if f, known := explain(step.ExitCode, step.Stdout+"\n"+step.Stderr); known && f.id == id {
				return fmt.Sprintf("asmcli create-mesh ended with code %d: %s", step.ExitCode, strings.TrimSuffix(f.sentence, ".")), []string{evidence.StepsFile}
			}
		}
		return "", nil
	}
}
