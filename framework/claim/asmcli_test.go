package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestAsmcli(t *testing.T) {
	objects := func(run evidence.Run) *evidence.Kubernetes { return example.Cluster(run, east).Kubernetes }
	secret := func(run evidence.Run) *evidence.Object { return &objects(run).RemoteSecrets[0] }
	server := func(run evidence.Run) *evidence.RemoteServer { return &objects(run).RemoteServers[0] }
	judgeFrom(t, example.WithAsmcli, []spoiled{
		{"all is as it must be", "create-mesh-secrets", east, func(evidence.Run) {}, Passed, "for 1 other clusters"},
		{"no secret", "create-mesh-secrets", east, func(run evidence.Run) { objects(run).RemoteSecrets = nil }, Failed, "no secret istio-remote-secret-kind-west for west"},
		{"another name", "create-mesh-secrets", east, func(run evidence.Run) { secret(run).Name = "istio-remote-secret-cn-fleet-global-west" }, Failed, "no secret istio-remote-secret-kind-west"},
		{"one for itself", "create-mesh-secrets", east, func(run evidence.Run) {
			objects(run).RemoteSecrets = append(objects(run).RemoteSecrets, evidence.Object{Name: "istio-remote-secret-kind-east"})
		}, Failed, "for itself (kind-east)"},
		{"no label", "create-mesh-secrets", east, func(run evidence.Run) { secret(run).Labels = nil }, Failed, `istio/multiCluster="", not "true"`},
		{"another annotation", "create-mesh-secrets", east, func(run evidence.Run) { secret(run).Annotations["networking.istio.io/cluster"] = "kind-north" }, Failed, `cluster="kind-north", not "kind-west"`},
		{"no annotation", "create-mesh-secrets", east, func(run evidence.Run) { secret(run).Annotations = nil }, Failed, `cluster="", not "kind-west"`},
		{"another key", "create-mesh-secrets", east, func(run evidence.Run) { server(run).Cluster = "west" }, Failed, `under "west", not "kind-west"`},
		{"another server", "create-mesh-secrets", east, func(run evidence.Run) { server(run).Server = "https://10.9.9.9" }, Failed, `points at "10.9.9.9:443"`},
		{"no kubeconfig", "create-mesh-secrets", east, func(run evidence.Run) { objects(run).RemoteServers = []evidence.RemoteServer{} }, Failed, "0 kubeconfigs"},
		{"the servers were not taken", "create-mesh-secrets", east, func(run evidence.Run) { objects(run).RemoteServers = nil }, Inconclusive, "the servers of the remote secrets"},

		{"it was refused", "refuses-other-fleet", "mesh", func(evidence.Run) {}, Passed, "no remote secret on 2 clusters"},
		{"it was taken", "refuses-other-fleet", "mesh", func(run evidence.Run) { run.Steps[0].ExitCode = 0 }, Failed, "asmcli ended well"},
		{"it was refused for another reason", "refuses-other-fleet", "mesh", func(run evidence.Run) { run.Steps[0].ExitCode = 97 }, Inconclusive, "code 97, not 2"},
		{"it was refused too late", "refuses-other-fleet", "mesh", func(run evidence.Run) {
			run.Steps[2].Stdout = "secret/somebodys\nsecret/istio-remote-secret-kind-east\n"
		}, Failed, "made istio-remote-secret-kind-east on west"},
		{"nobody looked", "refuses-other-fleet", "mesh", func(run evidence.Run) { run.Steps[1].Error = "Forbidden" }, Inconclusive, "secrets of east were not listed"},
		{"it did not end", "refuses-other-fleet", "mesh", func(run evidence.Run) { run.Steps[0].ExitCode = -1 }, Inconclusive, "code -1"},
		{"it was not asked", "refuses-other-fleet", "mesh", func(run evidence.Run) { run.Steps[0].ID = "P9" }, Inconclusive, "N18 is not in steps.json"},
	})
}

func TestAMeshThatAsmcliJoinedPasses(t *testing.T) {
	for _, f := range Judge(example.WithAsmcli()) {
		if f.Verdict != Passed && (aboutAsmcli(f) || !unasked(f)) {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
	}
}

// TestAMeshNamedByClusterIDPasses: claims take the names of the remote clusters from the intent.
func TestAMeshNamedByClusterIDPasses(t *testing.T) {
	for _, f := range Judge(example.ByClusterID()) {
		if f.Verdict != Passed && !unasked(f) {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
	}
}
