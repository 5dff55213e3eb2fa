package procedure

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/shell"
)

const (
	homePath       = "/api/v1/namespaces/istio-system"
	secretsPath    = "/api/v1/namespaces/istio-system/secrets/"
	deploymentPath = "/apis/apps/v1/namespaces/istio-system/deployments/istio-eastwestgateway"
	gatewayPath    = "/apis/networking.istio.io/v1/namespaces/istio-system/gateways/cross-network-gateway"
)

// theirs puts on both clusters what somebody has made with S6 to S8.
func theirs(t *testing.T, r *rig) {
	t.Helper()
	for name, s := range r.servers {
		s.Put(t, servicePath, "{metadata: {name: istio-eastwestgateway, labels: {install.operator.istio.io/owning-resource: eastwest}}}")
		s.Put(t, deploymentPath, "{metadata: {name: istio-eastwestgateway, labels: {install.operator.istio.io/owning-resource: eastwest}}}")
		s.Put(t, gatewayPath, "{metadata: {name: cross-network-gateway}}")
		peer := map[string]string{"east": "west", "west": "east"}[name]
		s.Put(t, secretsPath+"istio-remote-secret-ctx-"+peer, "{metadata: {name: istio-remote-secret-ctx-"+peer+", labels: {istio/multiCluster: 'true'}}}")
	}
}

// TestABeginningLeavesOutWhatIsBeforeIt: what the left out steps would have made is not done, not noted and not removed.
func TestABeginningLeavesOutWhatIsBeforeIt(t *testing.T) {
	done := map[string]string{intent.StepGateway: "gen-eastwest-gateway.sh", intent.StepExpose: "expose-services.yaml", intent.StepJoin: "create-remote-secret"}
	for from, skipped := range map[intent.Begin][]string{
		intent.FromGateway: nil, intent.FromExpose: {"S6"}, intent.FromJoin: {"S6", "S7"}, intent.FromVerify: {"S6", "S7", "S8"},
	} {
		n := &notes{}
		r := newRig(t, func(o *Options) {
			o.Intent.Provision, o.Intent.From, o.Ledger = intent.Supplied, from, n
			o.Intent.Clusters[0].RemoteName, o.Intent.Clusters[1].RemoteName = "ctx-east", "ctx-west"
		})
		if from.Later() {
			theirs(t, r)
		}
		if from.Skips("S6") && !from.Skips("S7") {
			for _, s := range r.servers {
				s.Fail(http.MethodGet, gatewayPath, http.StatusNotFound)
			}
		}
		if !from.Skips("S8") {
			for _, s := range r.servers {
				for _, peer := range []string{"east", "west"} {
					s.Fail(http.MethodGet, secretsPath+"istio-remote-secret-ctx-"+peer, http.StatusNotFound)
				}
			}
		}
		before := slices.Concat(r.servers["east"].Paths(), r.servers["west"].Paths())
		steps, err := r.p.SetUp(t.Context())
		if err != nil {
			t.Fatalf("--from %s: %v", from, err)
		}
		for step, command := range done {
			want := slices.Contains(skipped, step)
			ran := slices.ContainsFunc(r.commands, func(c shell.Command) bool { return strings.Contains(c.Args[len(c.Args)-1], command) })
			if ran == want {
				t.Errorf("--from %s: %s was run: %t", from, command, ran)
			}
			for _, s := range steps {
				base, _, _ := strings.Cut(s.ID, ".")
				if base == step && (s.Skipped == "--from "+string(from)) != want {
					t.Errorf("--from %s: step %s is skipped for %q", from, s.ID, s.Skipped)
				}
			}
		}
		for _, kind := range map[string]string{"S6": "IstioOperator", "S7": "Gateway"} {
			noted := slices.ContainsFunc(n.lines, func(l string) bool { return strings.HasPrefix(l, "intend "+kind+" ") })
			if noted == slices.Contains(skipped, map[string]string{"IstioOperator": "S6", "Gateway": "S7"}[kind]) {
				t.Errorf("--from %s: %s was noted: %t", from, kind, noted)
			}
		}
		if from != intent.FromVerify {
			continue
		}
		if err := Undo(context.Background(), r.set, n, DefaultLimits(), unsaid); err != nil {
			t.Fatal(err)
		}
		left := slices.DeleteFunc(slices.Concat(r.servers["east"].Paths(), r.servers["west"].Paths()), func(p string) bool { return strings.HasPrefix(p, podsPath) })
		if !slices.Equal(left, before) {
			t.Errorf("before %q, after %q", before, left)
		}
	}
}

// TestRequire takes away one thing at a time.
func TestRequire(t *testing.T) {
	for _, tc := range []struct {
		from    intent.Begin
		missing string
		says    string
	}{
		{intent.FromExpose, "", ""},
		{intent.FromExpose, servicePath, "no Service istio-system/istio-eastwestgateway"},
		{intent.FromExpose, deploymentPath, "no Deployment istio-system/istio-eastwestgateway"},
		{intent.FromExpose, gatewayPath, ""},
		{intent.FromJoin, gatewayPath, "no Gateway istio-system/cross-network-gateway"},
		{intent.FromJoin, secretsPath + "istio-remote-secret-ctx-east", ""},
		{intent.FromVerify, servicePath, "no Service"},
		{intent.FromVerify, secretsPath + "istio-remote-secret-ctx-east", "no Secret with the label istio/multiCluster=true in istio-system for cluster east: begin earlier"},
		{intent.FromVerify, "", ""},
		{intent.FromGateway, servicePath, ""},
	} {
		r := suppliedRig(t, &notes{})
		theirs(t, r)
		if tc.missing != "" {
			r.servers["west"].Remove(tc.missing)
		}
		in := r.p.o.Intent
		in.From = tc.from
		err := Require(t.Context(), r.set, in)
		switch {
		case tc.says == "" && err != nil:
			t.Errorf("--from %s without %q: %v", tc.from, tc.missing, err)
		case tc.says != "" && (!errors.Is(err, ErrMissing) || !strings.HasPrefix(err.Error(), "cluster west: ") || !strings.Contains(err.Error(), tc.says) || strings.HasPrefix(err.Error(), "cluster east: ")):
			t.Errorf("--from %s without %q: %v, want %q", tc.from, tc.missing, err, tc.says)
		}
	}
	r := suppliedRig(t, &notes{})
	theirs(t, r)
	r.servers["east"].Fail(http.MethodGet, strings.TrimSuffix(secretsPath, "/"), http.StatusForbidden)
	in := r.p.o.Intent
	in.From = intent.FromVerify
	if err := Require(t.Context(), r.set, in); err == nil || errors.Is(err, ErrMissing) {
		t.Errorf("%v: what could not be looked for counts as missing", err)
	}
}
