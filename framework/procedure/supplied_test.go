package procedure

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/shell"
)

func suppliedRig(t *testing.T, n *notes) *rig {
	t.Helper()
	return newRig(t, func(o *Options) { o.Intent.Provision, o.Ledger = intent.Supplied, n })
}

func TestWhatIsMadeOnSuppliedClustersIsNotedBeforeAndAfter(t *testing.T) {
	n := &notes{}
	r := suppliedRig(t, n)
	r.servers["west"].Put(t, "/api/v1/namespaces/istio-system/secrets/"+readerToken, "{}")
	if _, err := r.p.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{
		"IstioOperator istio-system/eastwest on cluster east", "IstioOperator istio-system/eastwest on cluster west",
		"Gateway istio-system/cross-network-gateway on cluster east", "Gateway istio-system/cross-network-gateway on cluster west",
		"Secret istio-system/istio-remote-secret-ctx-east on cluster west", "Secret istio-system/istio-remote-secret-ctx-west on cluster east",
		"Secret istio-system/" + readerToken + " on cluster east",
		"Namespace sample on cluster east", "Namespace sample on cluster west",
	} {
		if !n.before("intend "+what, "made "+what) {
			t.Errorf("%s was not noted before and after: %q", what, n.lines)
		}
	}
	if n.has("intend Secret istio-system/" + readerToken + " on cluster west") {
		t.Error("west's token was there before: it is not ours to remove")
	}
}

func TestAFailedCommandStaysIntended(t *testing.T) {
	n := &notes{}
	r := suppliedRig(t, n)
	r.answer["--cluster ${CLUSTER_1}"] = func(context.Context, shell.Command) (shell.Result, error) {
		return shell.Result{ExitCode: 1}, errors.New("exit status 1")
	}
	if _, err := r.p.SetUp(t.Context()); err == nil {
		t.Fatal("accepted")
	}
	if !n.has("intend IstioOperator istio-system/eastwest on cluster east") || n.has("made IstioOperator istio-system/eastwest on cluster east") {
		t.Errorf("%q", n.lines)
	}
}

func TestWithoutALedgerEntryNothingIsDone(t *testing.T) {
	n := &notes{err: errors.New("disk full")}
	r := suppliedRig(t, n)
	if _, err := r.p.SetUp(t.Context()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error %v", err)
	}
	for _, c := range r.commands {
		if strings.Contains(c.Args[2], "gen-eastwest-gateway.sh") {
			t.Error("the gateway was installed although it could not be noted")
		}
	}
}

func TestRefuseNamesEverythingAndChangesNothing(t *testing.T) {
	for path, want := range map[string]string{
		servicePath: "Service istio-system/istio-eastwestgateway",
		"/apis/networking.istio.io/v1/namespaces/istio-system/gateways/cross-network-gateway": "Gateway istio-system/cross-network-gateway",
		namespacePath: "Namespace sample",
		"/api/v1/namespaces/istio-system/secrets/istio-remote-secret-ctx-east":          "Secret istio-system/istio-remote-secret-ctx-east",
		"/apis/rbac.authorization.k8s.io/v1/namespaces/istio-system/roles/of-something": "Role istio-system/of-something",
	} {
		n := &notes{}
		r := suppliedRig(t, n)
		r.servers["west"].Put(t, path, "{metadata: {name: "+path[strings.LastIndexByte(path, '/')+1:]+", labels: {install.operator.istio.io/owning-resource: eastwest}}}")
		err := Refuse(t.Context(), r.set, r.p.o.Intent)
		if err == nil || !strings.Contains(err.Error(), "cluster west: ") || strings.Count(err.Error(), want) != 1 {
			t.Errorf("error %v, want one that says %q once", err, want)
		}
		if _, setUp := r.p.SetUp(t.Context()); setUp == nil || len(r.commands) != 0 || len(n.lines) != 0 || len(r.servers["west"].Calls()) != 0 {
			t.Errorf("%s: the set-up went on: %v, %d commands", want, setUp, len(r.commands))
		}
	}
	r := suppliedRig(t, &notes{})
	if err := Refuse(t.Context(), r.set, r.p.o.Intent); err != nil {
		t.Errorf("clean clusters were refused: %v", err)
	}
	r.servers["east"].Fail(http.MethodGet, namespacePath, http.StatusForbidden)
	if err := Refuse(t.Context(), r.set, r.p.o.Intent); err == nil {
		t.Error("what could not be looked for counts as absent")
	}
}

// TestWhatSomebodyMakesMeanwhileIsTheirs: what was free when the run looked, and is there when the step comes to it, is neither noted nor
// written, and no removal takes it.
func TestWhatSomebodyMakesMeanwhileIsTheirs(t *testing.T) {
	for name, tc := range map[string]struct{ path, object, after, step, what, noted string }{
		"the sample's namespace": {namespacePath, "name: sample", "get pods -l app=istiod", "S10", "Namespace sample",
			"Namespace sample"},
		"the exposure": {gatewayPath, "name: cross-network-gateway, namespace: istio-system", "gen-eastwest-gateway.sh", "S7.2",
			"Gateway istio-system/cross-network-gateway", "Gateway istio-system/cross-network-gateway"},
		"a gateway without the label": {deploymentPath, "name: istio-eastwestgateway, namespace: istio-system", "get-contexts", "S6.2",
			"Deployment istio-system/istio-eastwestgateway", "IstioOperator istio-system/eastwest"},
	} {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			r := suppliedRig(t, n)
			r.answer[tc.after] = func(ctx context.Context, c shell.Command) (shell.Result, error) {
				r.servers["west"].Put(t, tc.path, "{metadata: {"+tc.object+", creationTimestamp: '"+time.Now().UTC().Format(time.RFC3339)+"'}}")
				return r.act(ctx, c, c.Args[len(c.Args)-1])
			}
			steps, err := r.p.SetUp(t.Context())
			if !errors.Is(err, ErrInTheWay) || !strings.Contains(err.Error(), "step "+tc.step) || !strings.Contains(err.Error(), tc.what+" on cluster west was not there when the run began") {
				t.Errorf("%v", err)
			}
			if s := named(t, steps, tc.step); s.ExitCode != -1 {
				t.Errorf("the command was run: %+v", s)
			}
			if n.has("intend " + tc.noted + " on cluster west") {
				t.Errorf("noted as about to be made: %q", n.lines)
			}
			if err := Undo(t.Context(), r.set, n, DefaultLimits(), unsaid); err != nil || r.servers["west"].Get(tc.path) == nil {
				t.Errorf("the removal took it: %v", err)
			}
		})
	}
}

func TestUndoRemovesWhatTheLedgerNamesAndNothingElse(t *testing.T) {
	n := &notes{}
	r := suppliedRig(t, n)
	foreign := "/api/v1/namespaces/istio-system/services/somebodys"
	r.servers["east"].Put(t, foreign, "{metadata: {name: somebodys, labels: {install.operator.istio.io/owning-resource: other}}}")
	if _, err := r.p.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.servers {
		s.Put(t, servicePath, "{metadata: {name: istio-eastwestgateway, labels: {install.operator.istio.io/owning-resource: eastwest}}}")
		s.Put(t, "/apis/networking.istio.io/v1/namespaces/istio-system/gateways/cross-network-gateway", "{metadata: {name: cross-network-gateway}}")
	}
	r.servers["west"].Put(t, "/api/v1/namespaces/istio-system/secrets/istio-remote-secret-ctx-east", "{metadata: {name: istio-remote-secret-ctx-east}}")
	if err := Undo(t.Context(), r.set, n, DefaultLimits(), unsaid); err != nil {
		t.Fatal(err)
	}
	left := slices.DeleteFunc(append(r.servers["east"].Paths(), r.servers["west"].Paths()...), func(p string) bool { return strings.HasPrefix(p, podsPath) })
	if !slices.Equal(left, []string{foreign}) {
		t.Errorf("left: %q, want only %s", left, foreign)
	}
	for _, e := range n.all {
		if !n.has("removed " + e.String()) {
			t.Errorf("%s was not noted as removed", e)
		}
	}
}

func TestUndoGoesOnAfterAnErrorAndKeepsItsEntry(t *testing.T) {
	n := &notes{all: []ledger.Entry{
		{Kind: "Namespace", Name: "sample", Cluster: "east", Time: time.Now()}, {Kind: "Namespace", Name: "sample", Cluster: "west", Time: time.Now()},
		{Kind: "Namespace", Name: "sample", Cluster: "north"}, {Kind: "Volcano", Name: "x", Cluster: "east"},
	}}
	r := suppliedRig(t, n)
	for _, s := range r.servers {
		s.Put(t, namespacePath, "{metadata: {name: sample}}")
	}
	r.servers["east"].Fail(http.MethodDelete, namespacePath, http.StatusForbidden)
	err := Undo(t.Context(), r.set, n, DefaultLimits(), unsaid)
	for _, want := range []string{"remove Namespace sample on cluster east: ", "Forbidden", `cluster "north" is not among the given ones`, `not known how a "Volcano" is removed`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if !slices.Equal(n.lines, []string{"removed Namespace sample on cluster west"}) {
		t.Errorf("%q", n.lines)
	}
}

func TestCleanUpIsNoted(t *testing.T) {
	n := &notes{}
	r := suppliedRig(t, n)
	if _, err := r.p.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.servers {
		s.Fail(http.MethodGet, namespacePath, http.StatusNotFound)
	}
	if _, err := r.p.CleanUp(t.Context()); err != nil || !n.has("removed Namespace sample on cluster west") {
		t.Errorf("%v, %q", err, n.lines)
	}
}

func TestRemoteName(t *testing.T) {
	long := "arn:aws:eks:eu-west-1:123456789012:cluster/" + strings.Repeat("n", 40)
	for context, want := range map[string]string{
		"kind-mp-r1-east":       "kind-mp-r1-east",
		"kra-bm-1-admin@kra.bm": "kra-bm-1-admin-kra-bm",
		"gke_p_us-east1_c":      "gke-p-us-east1-c",
		strings.Repeat("a", 63): strings.Repeat("a", 63),
		// printf '%s\n' NAME | sha256sum | head -c20
		strings.Repeat("a", 64): strings.Repeat("a", 42) + "-44c2336fedab8ff6a85c",
		long:                    "arn-aws-eks-eu-west-1-123456789012-cluster-dbb8952411b6497c0f55",
	} {
		if got := RemoteName(context); got != want {
			t.Errorf("%s: %q (%d), want %q", context, got, len(got), want)
		}
	}
}
