package page

import (
	"strings"
	"testing"
)

// edit is a change that a future edition of the page might bring: the n-th occurrence (from 1) of old becomes now.
type edit struct {
	name     string
	n        int
	old, now string
	// upTo makes old reach to the next occurrence of this text, without it.
	upTo string
	// want are all the drifts, each by a part of it.
	want []string
}

const gateway1 = `
    asm/istio/expansion/gen-eastwest-gateway.sh \
        --mesh ${MESH_ID}  \
        --cluster ${CLUSTER_1}  \
        --network default \
        --revision asm-1232-2 | \
        ./istioctl --kubeconfig=PATH_TO_KUBECONFIG_1 \
        install -y --set spec.values.global.pilotCertProvider=istiod -f -
`

const movedMeshID = `    export CLUSTER_1="cn-FLEET_PROJECT_ID-global-CLUSTER_NAME_1"
    export CLUSTER_2="cn-FLEET_PROJECT_ID-global-CLUSTER_NAME_2"

    export MESH_ID="proj-${PROJECT_NUMBER}"

`

const expose1 = `
    kubectl --kubeconfig=PATH_TO_KUBECONFIG_1 apply -n istio-system -f \
        asm/istio/expansion/expose-services.yaml
`

var edits = []edit{
	{"a flag's value", 1, "--network default", "--network network1", "",
		[]string{"line 60: changed: S6.1 Install the east-west gateway (Anthos clusters: Mesh CA or CA Service): the page has `--network network1` instead of `--network default`"}},
	{"a flag's value in one tab only", 5, "--network default", "--network ${NETWORK_1}", "",
		[]string{"line 108: changed: S6.1 Install the east-west gateway (Azure, AWS, and attached: Mesh CA): the page has `--network ${NETWORK_1}` instead"}},
	{"a flag taken away", 3, "        --mesh ${MESH_ID}  \\\n", "", "",
		[]string{"line 83: changed: S6.1 Install the east-west gateway (Anthos clusters: Istio CA): the page no longer has `--mesh ${MESH_ID}`"}},
	{"a flag added", 1, "./asmcli create-mesh \\", "./asmcli create-mesh --verbose \\", "",
		[]string{"line 169: changed: S8 Enable endpoint discovery: the page adds `--verbose`"}},
	{"the path of the set flag", 2, "--set spec.values.", "--set values.", "",
		[]string{"line 70: changed: S6.2"}},
	{"the word in which the tabs differ", 1, "pilotCertProvider=kubernetes", "pilotCertProvider=istiod", "",
		[]string{"line 60: changed: S6.1"}},
	{"the revision", 4, "asm-1232-2", "asm-1264-1", "",
		[]string{"the page has `--revision asm-1264-1` instead of `--revision asm-1232-2`"}},
	{"a port", 1, "sample:5000/hello", "sample:8080/hello", "",
		[]string{"line 271: changed: S14.1 Call the HelloWorld service: the page has `-sS helloworld.sample:8080/hello;`"}},
	{"a number of calls", 2, "seq 1 20", "seq 1 100", "", []string{"line 284: changed: S14.2 Call the HelloWorld service: the page has `100);` instead of `20);`"}},
	{"a namespace", 1, "-n istio-system get pods", "-n asm-system get pods", "",
		[]string{"line 184: changed: S9 Find the revision label: the page has `-n asm-system` instead of `-n istio-system`"}},
	{"a file's name", 2, "expose-services.yaml", "expose-all.yaml", "",
		[]string{"line 161: changed: S7.2 Expose the services through the east-west gateway: the page has `-f asm/istio/expansion/expose-all.yaml` instead"}},
	{"a program", 1, "./asmcli create-mesh", "gcloud container fleet mesh create-mesh", "",
		[]string{"line 169: changed: S8 Enable endpoint discovery: the page has `gcloud container fleet mesh` instead of `./asmcli`"}},
	{"a label", 1, "-l app=istiod", "-l app=istiod,istio.io/rev", "", []string{"the page has `-l app=istiod,istio.io/rev` instead of `-l app=istiod`"}},
	{"an environment variable", 1, `MESH_ID="proj-${`, `MESH_ID="mesh-${`, "", []string{"line 30: changed: S2"}},
	{"a placeholder", 1, "CLUSTER2_CONTEXT_NAME", "CONTEXT_NAME_2", "", []string{"line 43: changed: S5"}},
	{"the blanks in a quoted script", 1, "20); do curl", "20);  do curl", "", []string{"line 271: changed: S14.1 Call the HelloWorld service: the page has other blanks"}},
	{"a continuation lost", 1, "--cluster ${CLUSTER_1}  \\", "--cluster ${CLUSTER_1}", "",
		[]string{"line 60: unknown", "line 63: unknown", "line 64: unknown", "line 65: changed: S6.1"}},
	{"a quote lost", 1, "Number)\")", "Number))", "", []string{"line 25: changed: S1"}},
	{"a command taken away", 1, "kubectl delete ns sample --context ${CTX_1}\n", "", "",
		[]string{"line 298: missing after this line: S15.1 Delete the sample namespace: `kubectl delete ns sample --context ${CTX_1}`"}},
	{"a command of several lines taken away", 1, expose1, "\n", "", []string{"line 150: missing after this line: S7.1"}},
	{"a command added in a block", 1, "    kubectl config get-contexts\n", "    kubectl config get-contexts\n    kubectl config current-context\n", "",
		[]string{"line 40: unknown: the data do not have this command at this place: `kubectl config current-context`"}},
	{"a command added on its own", 1, "\nサービスの公開\n", "\nサービスの公開\n\nkubectl wait --for=condition=Ready pod --all -n istio-system\n", "",
		[]string{"line 152: unknown: the data do not have this command at this place: `kubectl wait"}},
	{"a command of an unknown program", 1, "  2. メッシュ ID", "    meshctl check --all\n\n  2. メッシュ ID", "",
		[]string{"line 28: unknown: the data have neither a command nor an output like this: \"meshctl check --all\""}},
	{"an output", 1, "Hello version: v2, instance", "Hello version: v3, instance", "", []string{"line 279: changed: the output of S14.1"}},
	{"a line of output added", 1, "    namespace/sample labeled\n", "    namespace/sample labeled\n    namespace/sample created\n", "",
		[]string{"line 212: unknown"}},
	{"an output of a command at the margin", 1, "sample --context ${CTX_2}", "sample --context ${CTX_2}\nnamespace/sample deleted", "",
		[]string{"line 304: unknown: the data have neither a command nor an output like this: \"namespace/sample deleted\""}},
	{"the two clusters in another order", 1, "kubectl delete ns sample --context ${CTX_1}\nkubectl delete ns sample --context ${CTX_2}",
		"kubectl delete ns sample --context ${CTX_2}\nkubectl delete ns sample --context ${CTX_1}", "", []string{"moved: S15."}},
	{"a step at another place", 1, "    export MESH_ID=", movedMeshID, "  4. ",
		[]string{"line 33: moved: S2 Create an environment variable for the mesh ID: `export MESH_ID=\"proj-${PROJECT_NUMBER}\"` stands here; the data have it after line 25"}},
	{"a platform added", 1, "  • GKE on AWS\n", "  • GKE on AWS\n  • Oracle Kubernetes Engine\n", "",
		[]string{"line 9: unknown: the data know no platform \"Oracle Kubernetes Engine\""}},
	{"a platform taken away", 1, "  • GKE on Azure\n", "", "", []string{"line 6: missing after this line: the platform \"GKE on Azure\" (gke-azure)"}},
	{"a platform deprecated", 1, "  • GKE on Azure\n", "  • GKE on Azure(非推奨)\n", "",
		[]string{"line 7: changed: the platform \"GKE on Azure\" (gke-azure): the page has \"GKE on Azure(非推奨)\""}},
	{"one of the two platforms in an item", 1, "Amazon EKS クラスタ、", "", "", []string{"line 9: changed: the platform \"Attached clusters"}},
	{"a CA taken from a group", 1, "Mesh CA または CA サービス", "Mesh CA", "",
		[]string{"line 56: changed: the tab \"Mesh CA または CA サービス\" (mesh-ca, ca-service for Anthos clusters): the page has \"Mesh CA\""}},
	{"a CA added to a group", 1, "\nMesh CA\n", "\nMesh CA または CA サービス\n", "",
		[]string{"line 104: changed: the tab \"Mesh CA\" (mesh-ca for Azure, AWS, and attached)"}},
	{"a CA's tab taken away", 1, "Istio CA\n", "", "Azure、AWS、接続",
		[]string{"missing after this line: the tab \"Istio CA\" (istio-ca for Anthos clusters)", "missing after this line: S6.1", "missing after this line: S6.2"}},
	{"a CA's tab added", 1, "サービスの公開\n", "Vault CA\n" + gateway1 + "\nサービスの公開\n", "",
		[]string{"line 150: unknown: the data know no tab \"Vault CA\"", "line 152: unknown"}},
	{"a group's name", 1, "\nAzure、AWS、接続\n", "\n接続クラスタ\n", "", []string{"line 102: changed: the tab \"Azure、AWS、接続\""}},
	{"a section's name", 1, "\nクリーンアップ\n", "\n後片付け\n", "", []string{"missing after this line: the title \"クリーンアップ\""}},
}

func (e edit) apply(t *testing.T, page string) string {
	t.Helper()
	begin, end := 0, 0
	for range e.n {
		found := strings.Index(page[end:], e.old)
		if found < 0 {
			t.Fatalf("the page has %q fewer than %d times", e.old, e.n)
		}
		begin = end + found
		end = begin + len(e.old)
	}
	if e.upTo != "" {
		reach := strings.Index(page[end:], e.upTo)
		if reach < 0 {
			t.Fatalf("the page has no %q after %q", e.upTo, e.old)
		}
		end += reach
	}
	return page[:begin] + e.now + page[end:]
}

func TestEveryEditIsFound(t *testing.T) {
	page := read(t, "guide-ja.txt")
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			drifts, err := Diff(e.apply(t, page))
			if err != nil || len(drifts) != len(e.want) {
				t.Fatalf("drifts %v, %v; want %q", drifts, err, e.want)
			}
			for i, d := range drifts {
				if !strings.Contains(d.String(), e.want[i]) {
					t.Errorf("drift %d: %v\nwant: %s", i, d, e.want[i])
				}
			}
		})
	}
}
