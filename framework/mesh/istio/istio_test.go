package istio

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/mesh/authority"
	"github.com/meshproof/meshproof/framework/release"
)

func options(t *testing.T) Options {
	t.Helper()
	return Options{
		Intent: intent.Intent{RunID: "r1", MeshID: "proj-123", Revision: "asm-1232-2", TrustDomain: "cluster.local", Clusters: []intent.Cluster{
			{Name: "east", ID: "cn-fleet-global-east", Network: "network1"}, {Name: "west", ID: "cn-fleet-global-west", Network: "network2"},
		}},
		CADir: filepath.Join(t.TempDir(), "ca"), Hub: "example.org/istio", Tag: "dev", Replicas: 1,
	}
}

// makeCA makes what istiod signs with.
func makeCA(t *testing.T, o Options) {
	t.Helper()
	if err := authority.Make(authority.Plan{Dir: o.CADir, Name: "r1", Clusters: []string{"east", "west"}}); err != nil {
		t.Fatal(err)
	}
}

func TestOperator(t *testing.T) {
	o := options(t)
	c := apitest.New(t).Cluster(t, "west")
	read := func() map[string]any {
		text, err := o.operator(c)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := yaml.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	at := func(all map[string]any, path string) any {
		var v any = all
		for key := range strings.SplitSeq(path, ".") {
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = m[key]
		}
		return v
	}
	all := read()
	for path, want := range map[string]any{
		"metadata.name": "control-plane", "spec.revision": "asm-1232-2", "spec.hub": "example.org/istio", "spec.tag": "dev",
		"spec.meshConfig.localityLbSetting.enabled": false, "spec.meshConfig.trustDomain": "cluster.local", "spec.meshConfig.accessLogFile": nil,
		"spec.values.global.meshID": "proj-123", "spec.values.global.network": "network2", "spec.values.pilot.replicaCount": 1.0,
		"spec.values.global.multiCluster.clusterName": "cn-fleet-global-west", "spec.values.pilot.env": nil, "spec.values.telemetry": nil,
	} {
		if got := at(all, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	o.UpstreamEnvoy, o.Replicas, o.Hub = true, 0, ""
	all = read()
	for path, want := range map[string]any{
		"spec.values.pilot.env.PILOT_ENABLE_ALPN_FILTER": "false", "spec.values.telemetry.v2.prometheus.enabled": false,
		"spec.values.pilot.replicaCount": 2.0, "spec.hub": nil,
	} {
		if got := at(all, path); got != want {
			t.Errorf("with an upstream Envoy: %s = %v, want %v", path, got, want)
		}
	}
}

func TestOperatorWithAFleetsCA(t *testing.T) {
	o := options(t)
	o.Intent.TrustDomain = "fleet.svc.id.goog"
	o.FleetCA = &FleetCA{Address: "csr.example.svc:15012", Audience: "fleet.svc.id.goog", Aliases: []string{"fleet.svc.id.goog", "fleet.hub.id.goog"}}
	text, err := o.operator(apitest.New(t).Cluster(t, "west"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"caAddress: csr.example.svc:15012", "aud: fleet.svc.id.goog", "TOKEN_AUDIENCES: istio-ca,fleet.svc.id.goog", "- fleet.hub.id.goog"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// installer is a release directory whose istioctl notes its arguments and input.
func installer(t *testing.T, script string) (dir *release.Dir, notes string) {
	t.Helper()
	path := t.TempDir()
	notes = filepath.Join(path, "notes")
	name := filepath.Join(path, "istioctl")
	text := "#!/bin/bash\necho \"$@\" > " + notes + "\ncat >> " + notes + "\n" + script
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return &release.Dir{Path: path, Istioctl: name}, notes
}

func TestInstallBringsTheCABeforeTheControlPlane(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	o := options(t)
	var notes string
	o.Release, notes = installer(t, "")
	makeCA(t, o)
	if err := Install(t.Context(), c, o); err != nil {
		t.Fatal(err)
	}
	want := []string{"PATCH /api/v1/namespaces/istio-system", "PATCH /api/v1/namespaces/istio-system/secrets/cacerts"}
	if got := s.Calls(); !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
	if got := s.Get("/api/v1/namespaces/istio-system").GetLabels()[NetworkLabel]; got != "network1" {
		t.Errorf("network label %q", got)
	}
	data, _ := s.Get("/api/v1/namespaces/istio-system/secrets/cacerts").Object["data"].(map[string]any)
	if len(data) != 4 || data["root-key.pem"] != nil {
		t.Errorf("cacerts holds %d entries: want the four that istiod reads, and never the root's key", len(data))
	}
	said, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"--context ctx-east", "install -y -f -", "clusterName: cn-fleet-global-east"} {
		if !strings.Contains(string(said), part) {
			t.Errorf("istioctl was not given %q: %s", part, said)
		}
	}
}

func TestInstallErrors(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		spoil        func(*apitest.Server, *Options)
		want         []string
	}{
		{"istioctl fails", "echo 'istiod not ready' >&2; exit 1", nil, []string{"install the control plane istiod-asm-1232-2 on cluster east", "istiod not ready"}},
		{"the API server refuses", "", func(s *apitest.Server, _ *Options) {
			s.Fail(http.MethodPatch, "/api/v1/namespaces/istio-system", http.StatusForbidden)
		}, []string{"apply Namespace istio-system on cluster east"}},
		{"no CA", "", func(_ *apitest.Server, o *Options) { o.CADir = "/nowhere" }, []string{"read the CA"}},
		{"another cluster", "", func(_ *apitest.Server, o *Options) { o.Intent.Clusters = nil }, []string{"the intent has no cluster east"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := apitest.New(t)
			o := options(t)
			o.Release, _ = installer(t, tc.script)
			makeCA(t, o)
			if tc.spoil != nil {
				tc.spoil(s, &o)
			}
			err := Install(t.Context(), s.Cluster(t, "east"), o)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestInstallEndsWithItsContext(t *testing.T) {
	o := options(t)
	o.Release, _ = installer(t, "sleep 3600")
	makeCA(t, o)
	s := apitest.New(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	c := s.Cluster(t, "east")
	go func() {
		for s.Get("/api/v1/namespaces/istio-system/secrets/cacerts") == nil && ctx.Err() == nil {
			continue
		}
		cancel(why)
	}()
	if err := Install(ctx, c, o); !errors.Is(err, why) {
		t.Errorf("error %v, want the reason of the end", err)
	}
}
