package cause

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// ends are ends of asmcli create-mesh, with the texts that the programs print.
func ends() []struct {
	name   string
	exit   int
	output string
	want   string
} {
	refusedName := strings.Join(validation.IsDNS1123Subdomain("istio-remote-secret-Admin"), "")
	return []struct {
		name   string
		exit   int
		output string
		want   string
	}{
		{"another fleet", 2, "asmcli: [ERROR]: Cluster is registered in the project their-fleet but the required Fleet project is our-fleet.", "asmcli-other-fleet"},
		{"the default context of EKS", 1, "Error: arn-aws-eks-eu-west-1-123456789012-cluster/east is not a valid DNS 1123 label", "asmcli-context-no-label"},
		{"a capital letter", 1, `The Secret "istio-remote-secret-Admin" is invalid: metadata.name: ` + refusedName, "asmcli-context-upper-case"},
		{"not registered", 1, "asmcli: [WARNING]: Couldn't verify cluster registration!\nasmcli: Running: 'gcloud container hub memberships register 1700000000'", "asmcli-not-registered"},
		{"not registered, and it says no more", 1, "Couldn't verify cluster registration!", "asmcli-not-registered"},
		{"no such kubeconfig", 1, "asmcli: [WARNING]: Failed, retrying...(1 of 3)", "asmcli-misread"},
		{"an unknown flag", 1, "gcloud container clusters get-credentials --flag", "asmcli-misread"},
		{"a program is missing", 2, "asmcli: [ERROR]: jq", "asmcli-refused"},
		{"the fleet comes before what follows of it", 2, "Failed, retrying...\nbut the required Fleet project is our-fleet", "asmcli-other-fleet"},
		{"gcloud has failed", 1, " \n", "asmcli-silent"},
		{"it says something else", 1, "no space left on device", ""},
		{"it was killed", -1, "", ""},
		{"it ended well", 0, "Failed, retrying...\nSuccess!", ""},
	}
}

func TestExplain(t *testing.T) {
	named := map[string]bool{}
	for _, tc := range ends() {
		f, known := explain(tc.exit, tc.output)
		if f.id != tc.want || known != (tc.want != "") {
			t.Errorf("%s: %q, want %q", tc.name, f.id, tc.want)
		}
		named[f.id] = true
	}
	for _, f := range failures() {
		if !named[f.id] {
			t.Errorf("no end of asmcli shows %s", f.id)
		}
	}
}

func TestAFailedS8NamesItsCause(t *testing.T) {
	for _, tc := range ends() {
		if tc.exit == 0 {
			continue
		}
		run := example.WithAsmcli()
		at := slices.IndexFunc(run.Steps, func(s evidence.Step) bool { return s.ID == "S8" })
		run.Steps[at].ExitCode, run.Steps[at].Stderr, run.Steps[at].Error = tc.exit, tc.output, "exit status"
		f := finding(t, Apply(run, claim.Judge(run)), "procedure", "mesh")
		switch {
		case tc.want == "" && (f.Cause != nil || f.Verdict != claim.Failed):
			t.Errorf("%s: %s, %+v, want no cause", tc.name, f.Verdict, f.Cause)
		case tc.want != "" && (f.Cause == nil || f.Cause.ID != tc.want || f.Cause.Remedy == "" || !strings.HasPrefix(f.Cause.Sentence, "asmcli create-mesh ended with code")):
			t.Errorf("%s: %+v, want %s", tc.name, f.Cause, tc.want)
		}
		run.Intent.Asmcli = ""
		if f := finding(t, Apply(run, claim.Judge(run)), "procedure", "mesh"); f.Cause != nil {
			t.Errorf("%s: without asmcli the cause is %+v", tc.name, f.Cause)
		}
	}
}

// TestCausesKnowNamesByClusterID: causes take the names of the remote clusters from the intent.
func TestCausesKnowNamesByClusterID(t *testing.T) {
	run := example.ByClusterID()
	example.Cluster(run, east).Kubernetes.RemoteSecrets = nil
	f := finding(t, Apply(run, claim.Judge(run)), "remote-secrets", east)
	if f.Cause == nil || f.Cause.ID != "remote-secret-missing" || !strings.Contains(f.Cause.Sentence, "cn-fleet-global-west") {
		t.Errorf("%+v, want remote-secret-missing with the cluster's id", f.Cause)
	}
	whole := example.ByClusterID()
	for _, f := range Apply(whole, claim.Judge(whole)) {
		if f.Cause != nil {
			t.Errorf("%s (%s) of a healthy mesh: %+v", f.Claim, f.Subject, f.Cause)
		}
	}
}
