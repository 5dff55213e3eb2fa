package guide

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/intent"
)

func values() Values {
	return Values{
		Fleet: "fleet", ProjectNumber: "123", Revision: "asm-1232-2", Words: map[string]string{"pilotCertProvider": "istiod"},
		Clusters: []Cluster{
			{ID: "cn-fleet-global-east", Kubeconfig: "/run/east.yaml", Context: "kind-east", Network: "network1", RemoteName: "kind-east"},
			{ID: "cn-fleet-global-west", Kubeconfig: "/run/west.yaml", Context: "kind-west", Network: "network2", RemoteName: "kind-west"},
		},
	}
}

func step(t *testing.T, id string) Step {
	t.Helper()
	all, err := Steps(Clusters)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Named(all, id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStepsAreTheGuidesInItsOrder(t *testing.T) {
	all, err := Steps(Clusters)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
		if s.Title == "" || s.TitleJA == "" || s.Command == "" || strings.Contains(s.Command, "<n>") {
			t.Errorf("step %s is not whole: %+v", s.ID, s)
		}
	}
	want := "S1 S2 S3 S4 S5 S6.1 S6.2 S7.1 S7.2 S8 S9.1 S9.2 S10 S11.1 S11.2 S12.1 S12.2 S13 S14.1 S14.2 S15.1 S15.2"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("steps %s\nwant  %s", got, want)
	}
}

// golden is the text that a shell is given in corrected mode; an empty deviation list means: as printed.
var golden = []struct {
	id, script string
	deviations []string // "fragment as run", in order
	findings   []string
}{
	{"S1", `export PROJECT_NUMBER=123`, []string{"123"}, []string{""}},
	{"S2", `export MESH_ID="proj-${PROJECT_NUMBER}"`, nil, nil},
	{"S3", "export CLUSTER_1=\"cn-fleet-global-east\"\nexport CLUSTER_2=\"cn-fleet-global-west\"", nil, nil},
	{"S4", "kubectl config get-contexts", nil, nil},
	{"S5", "export CTX_1=kind-east\nexport CTX_2=kind-west", nil, nil},
	{"S6.2", `asm/istio/expansion/gen-eastwest-gateway.sh \
    --mesh ${MESH_ID}  \
    --cluster ${CLUSTER_2}  \
    --network network2 \
    --revision asm-1232-2 | \
    ./istioctl --kubeconfig=/run/west.yaml \
    install -y --set values.global.pilotCertProvider=istiod -f -`,
		[]string{"--network network2", "--set values.global.pilotCertProvider=istiod"}, []string{"F1", "F2"}},
	{"S7.1", `kubectl --kubeconfig=/run/east.yaml apply -n istio-system -f \
    asm/istio/expansion/expose-services.yaml`, nil, nil},
	{"S8", `./istioctl create-remote-secret \
    --kubeconfig=/run/east.yaml \
    --name=kind-east | \
    kubectl --kubeconfig=/run/west.yaml apply -f -
./istioctl create-remote-secret \
    --kubeconfig=/run/west.yaml \
    --name=kind-west | \
    kubectl --kubeconfig=/run/east.yaml apply -f -`, []string{`./istioctl create-remote-secret \
    --kubeconfig=/run/east.yaml \
    --name=kind-east | \
    kubectl --kubeconfig=/run/west.yaml apply -f -
./istioctl create-remote-secret \
    --kubeconfig=/run/west.yaml \
    --name=kind-west | \
    kubectl --kubeconfig=/run/east.yaml apply -f -`}, []string{""}},
	{"S9.2", "kubectl --context=${CTX_2} -n istio-system get pods -l app=istiod --show-labels", []string{"kubectl --context=${CTX_2} -n istio-system"}, []string{""}},
	{"S10", `for CTX in ${CTX_1} ${CTX_2}
do
    kubectl create --context=${CTX} namespace sample
    kubectl label --context=${CTX} namespace sample \
        istio-injection- istio.io/rev=asm-1232-2 --overwrite
done`, nil, nil},
	{"S11.1", `kubectl create --context=${CTX_1} \
    -f ${SAMPLES_DIR}/samples/helloworld/helloworld.yaml \
    -l service=helloworld -n sample`, nil, nil},
	{"S12.2", `kubectl create --context=${CTX_2} \
  -f ${SAMPLES_DIR}/samples/helloworld/helloworld.yaml \
  -l version=v2 -n sample`, nil, nil},
	{"S13", `for CTX in ${CTX_1} ${CTX_2}
do
    kubectl apply --context=${CTX} \
        -f ${SAMPLES_DIR}/samples/sleep/sleep.yaml -n sample
done`, nil, nil},
	{"S14.1", `kubectl exec --context="${CTX_1}" -n sample -c sleep \
    "$(kubectl get pod --context="${CTX_1}" -n sample -l \
    app=sleep -o jsonpath='{.items[0].metadata.name}')" \
    -- /bin/sh -c 'for i in $(seq 1 20); do curl -sS helloworld.sample:5000/hello; done'`, nil, nil},
	{"S15.1", "kubectl delete ns sample --context ${CTX_1}", nil, nil},
}

func TestRenderCorrected(t *testing.T) {
	for _, g := range golden {
		t.Run(g.id, func(t *testing.T) {
			s := step(t, g.id)
			script, deviations, err := Render(s, values(), intent.Corrected)
			if err != nil {
				t.Fatal(err)
			}
			if script != g.script {
				t.Errorf("script:\n%s\nwant:\n%s", script, g.script)
			}
			var runs, findings []string
			for _, d := range deviations {
				runs, findings = append(runs, d.Run), append(findings, d.Finding)
				if d.Reason == "" || !strings.Contains(s.Command, d.Printed) && !strings.Contains(values().cell(s.Command), d.Printed) {
					t.Errorf("deviation %+v has no reason, or its printed text is not in the guide's command", d)
				}
			}
			if !slices.Equal(runs, g.deviations) || !slices.Equal(findings, g.findings) {
				t.Errorf("deviations %q %q\nwant %q %q", runs, findings, g.deviations, g.findings)
			}
		})
	}
}

// A third cluster is treated as the second, and each text that changes for it says why.
func TestRenderForAThirdCluster(t *testing.T) {
	v := values()
	v.Clusters = append(v.Clusters, Cluster{ID: "cn-other-north", Kubeconfig: "/run/north.yaml", Context: "kind-north", Network: "network3", RemoteName: "kind-north"})
	all, err := Steps(3)
	if err != nil {
		t.Fatal(err)
	}
	byAsmcli := v
	byAsmcli.Asmcli, byAsmcli.OutputDir = "./asmcli", "/out"
	for _, tc := range []struct {
		id     string
		v      Values
		script string
	}{
		{"S3", v, "export CLUSTER_1=\"cn-fleet-global-east\"\nexport CLUSTER_2=\"cn-fleet-global-west\"\nexport CLUSTER_3=\"cn-other-north\""},
		{"S5", v, "export CTX_1=kind-east\nexport CTX_2=kind-west\nexport CTX_3=kind-north"},
		{"S8", byAsmcli, "./asmcli create-mesh \\\n    fleet \\\n    /run/east.yaml \\\n    /run/west.yaml \\\n    /run/north.yaml"},
		{"S10", v, "for CTX in ${CTX_1} ${CTX_2} ${CTX_3}\n"},
		{"S12.3", v, "sed -e 's/helloworld-v2$/helloworld-v3/' -e 's/version: v2$/version: v3/'"},
		{"S13", v, "for CTX in ${CTX_1} ${CTX_2} ${CTX_3}\n"},
	} {
		s, err := Named(all, tc.id)
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []intent.Mode{intent.Literal, intent.Corrected} {
			if tc.v.Asmcli != "" && mode == intent.Corrected {
				continue // that names all kubeconfigs itself
			}
			script, deviations, err := Render(s, tc.v, mode)
			if err != nil || !strings.HasPrefix(script, tc.script) {
				t.Errorf("%s, %s: %v\n%s\nwant\n%s", tc.id, mode, err, script, tc.script)
			}
			if len(deviations) != 1 || deviations[0].Reason == "" {
				t.Errorf("%s, %s: deviations %+v: want one with its reason", tc.id, mode, deviations)
			}
		}
	}
	for id, want := range map[string]string{"S3": "CLUSTER_1 CLUSTER_2 CLUSTER_3", "S5": "CTX_1 CTX_2 CTX_3"} {
		if s, err := Named(all, id); err != nil || strings.Join(s.Sets, " ") != want {
			t.Errorf("%s sets %v, %v; want %s", id, s.Sets, err, want)
		}
	}
	pairs, err := RenderPairs(all[slices.IndexFunc(all, func(s Step) bool { return s.ID == "S8" })], v, intent.Corrected)
	if err != nil || len(pairs) != 6 {
		t.Errorf("%d pairs, %v; want 6", len(pairs), err)
	}
}

func TestRenderLiteralKeepsWhatOnlyFindingsForce(t *testing.T) {
	script, deviations, err := Render(step(t, "S6.1"), values(), intent.Literal)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--network default", "--set spec.values.global.pilotCertProvider=istiod"} {
		if !strings.Contains(script, want) {
			t.Errorf("literal script lacks %q:\n%s", want, script)
		}
	}
	if len(deviations) != 0 {
		t.Errorf("literal mode deviates: %+v", deviations)
	}
}

func TestRenderLiteralCallsAsmcliAsPrinted(t *testing.T) {
	v := values()
	v.Asmcli = "./asmcli"
	script, deviations, err := Render(step(t, "S8"), v, intent.Literal)
	want := "./asmcli create-mesh \\\n    fleet \\\n    /run/east.yaml \\\n    /run/west.yaml"
	if err != nil || script != want || len(deviations) != 0 {
		t.Errorf("%v, %d deviations:\n%s\nwant:\n%s", err, len(deviations), script, want)
	}
}

func TestRenderByEnvironment(t *testing.T) {
	for _, tc := range []struct {
		name, id string
		change   func(*Values)
		want     string
		count    int // deviations
	}{
		{"gcloud is there", "S1", func(v *Values) { v.ProjectNumber = "" }, "gcloud projects describe fleet ", 0},
		{"asmcli is in the working directory", "S8", func(v *Values) { v.Asmcli, v.OutputDir = "./asmcli", "/run/out" },
			"./asmcli create-mesh \\\n    fleet \\\n    /run/east.yaml \\\n    /run/west.yaml \\\n    -v --offline --output_dir /run/out", 1},
		{"asmcli is elsewhere", "S8", func(v *Values) { v.Asmcli, v.OutputDir = "/opt/asmcli", "/run/out" }, "/opt/asmcli create-mesh \\\n    fleet", 2},
		{"asmcli and three clusters", "S8", func(v *Values) {
			v.Asmcli, v.OutputDir, v.Clusters = "./asmcli", "/run/out", append(v.Clusters, Cluster{Kubeconfig: "/run/north.yaml"})
		}, "/run/west.yaml \\\n    /run/north.yaml \\\n    -v", 1},
		{"another revision", "S6.1", func(v *Values) { v.Revision = "asm-1280-1" }, "--revision asm-1280-1 |", 3},
		{"another cluster id", "S3", func(v *Values) { v.Clusters[1].ID = "Kubernetes" }, "export CLUSTER_2=\"Kubernetes\"", 1},
		{"a path with a space", "S7.2", func(v *Values) { v.Clusters[1].Kubeconfig = "/my run/west's" }, `--kubeconfig='/my run/west'\''s' apply`, 0},
		{"a value that looks like a placeholder", "S5", func(v *Values) { v.Clusters[0].Context = "CLUSTER2_CONTEXT_NAME" }, "CTX_1=CLUSTER2_CONTEXT_NAME\n", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := values()
			tc.change(&v)
			script, deviations, err := Render(step(t, tc.id), v, intent.Corrected)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(script, tc.want) || len(deviations) != tc.count {
				t.Errorf("%d deviations, want %d; script:\n%s\nwant in it: %s", len(deviations), tc.count, script, tc.want)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, id, want string
		change         func(*Values)
	}{
		{"a missing kubeconfig", "S7.1", "PATH_TO_KUBECONFIG_1 has no value", func(v *Values) { v.Clusters[0].Kubeconfig = "" }},
		{"a missing cluster", "S7.2", "PATH_TO_KUBECONFIG_2 has no value", func(v *Values) { v.Clusters = v.Clusters[:1] }},
		{"a revision that ends the command", "S10", "REVISION cannot be", func(v *Values) { v.Revision = "a; rm -r x" }},
		{"asmcli without a directory to work in", "S8", "OUTPUT_DIR has no value", func(v *Values) { v.Asmcli = "./asmcli" }},
		{"a network with a space", "S6.1", "NETWORK_1 cannot be", func(v *Values) { v.Clusters[0].Network = "a b" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := values()
			tc.change(&v)
			if _, _, err := Render(step(t, tc.id), v, intent.Corrected); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

func TestACorrectionThatDoesNotFitIsAnError(t *testing.T) {
	s := step(t, "S6.1")
	s.Command = strings.ReplaceAll(s.Command, "--network default", "--network other")
	if _, _, err := Render(s, values(), intent.Corrected); err == nil || !strings.Contains(err.Error(), "occurs 0 times") {
		t.Errorf("error %v, want one that says that the fragment is not there", err)
	}
}

func TestRenderPairsAndChecks(t *testing.T) {
	pairs, err := RenderPairs(step(t, "S8"), values(), intent.Corrected)
	if err != nil || len(pairs) != 2 || pairs[0].From != 1 || pairs[0].To != 2 || pairs[1].From != 2 || pairs[1].To != 1 {
		t.Fatalf("pairs %+v, %v: want 1 to 2 and 2 to 1", pairs, err)
	}
	if !strings.Contains(pairs[1].Script, "--name=kind-west") || !strings.Contains(pairs[1].Script, "/run/east.yaml apply") {
		t.Errorf("the second pair does not make west known to east: %s", pairs[1].Script)
	}
	if d := pairs[1].Deviation; d.Run != pairs[1].Script || !strings.HasPrefix(d.Printed, "./asmcli create-mesh") || d.Reason == "" {
		t.Errorf("the second pair does not say how it deviates: %+v", d)
	}
	check, _, err := RenderCheck(step(t, "S13"), values(), 2, intent.Corrected)
	if err != nil || check != "kubectl get pod --context=${CTX_2} -n sample -l app=sleep" {
		t.Errorf("check %q, %v", check, err)
	}
}
