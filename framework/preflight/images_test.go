package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const injector = "/api/v1/namespaces/istio-system/configmaps/istio-sidecar-injector-asm-1232-2"

func inject(t *testing.T, s *apitest.Server, values string) {
	t.Helper()
	quoted, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	s.Put(t, injector, "{metadata: {name: istio-sidecar-injector-asm-1232-2}, data: {values: "+string(quoted)+"}}")
}

func TestTheProxysImage(t *testing.T) {
	for values, want := range map[string]string{
		`{"global":{"hub":"gcr.io/asm","tag":"1.23.2-asm.2"}}`:                                "gcr.io/asm/proxyv2:1.23.2-asm.2",
		`{"global":{"hub":"h","tag":1.28,"proxy":{"image":"proxy"}}}`:                         "h/proxy:1.28",
		`{"global":{"hub":"h","tag":"1.28","variant":"distroless"}}`:                          "h/proxyv2:1.28-distroless",
		`{"global":{"hub":"h","tag":"1.28-debug","variant":"distroless"}}`:                    "h/proxyv2:1.28-distroless",
		`{"global":{"hub":"h","tag":"1.28-distroless","variant":"default"}}`:                  "h/proxyv2:1.28",
		`{"global":{"hub":"h","tag":"1.28","variant":"debug","proxy":{"image":"o.com/p:2"}}}`: "o.com/p:2",
		`{"global":{"hub":"h"}}`: "",
		`{}`:                     "",
	} {
		var i injection
		if err := json.Unmarshal([]byte(values), &i); err != nil {
			t.Fatal(err)
		}
		if got := i.proxy(); got != want {
			t.Errorf("%s: %q, want %q", values, got, want)
		}
	}
}

func TestPulls(t *testing.T) {
	s := apitest.New(t)
	s.Know("v1", "nodes", "Node")
	s.Put(t, "/api/v1/nodes/one", "{metadata: {name: one}, status: {images: [{names: [x/y@sha256:0000000000000000000000000000000000000000000000000000000000000000, docker.io/h/proxyv2:1]}]}}")
	inject(t, s, `{"global":{"hub":"h","tag":1}}`)
	c := s.Cluster(t, "east")
	var asked []string
	o := Options{Revision: "asm-1232-2", ProbeImage: "e.com/probe:1", Ask: func(_ context.Context, refs []string) []images.Asked {
		asked = refs
		return []images.Asked{{Ref: refs[0]}}
	}}
	p, err := pulls(t.Context(), c, o, nodesOf(t.Context(), c))
	if err != nil || !slices.Equal(p.There, []string{"h/proxyv2:1"}) || p.Samples || len(p.Asked) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if !slices.Equal(asked, []string{"e.com/probe:1"}) {
		t.Errorf("asked for %q, want what no node holds", asked)
	}
	if calls := s.Calls(); len(calls) != 0 {
		t.Errorf("written: %q", calls)
	}
	o.Ask = nil
	if p, err := pulls(t.Context(), c, o, nil); err != nil || p.Asked != nil || len(p.There) != 0 {
		t.Errorf("unasked: %+v, %v", p, err)
	}
	inject(t, s, `{}`)
	if _, err := pulls(t.Context(), c, o, nil); err == nil {
		t.Error("an injector that names no image")
	}
	s.Remove(injector)
	if _, err := pulls(t.Context(), c, o, nil); err == nil {
		t.Error("no injector")
	}
	o.Asked.From = intent.FromInstall
	o.Installs = func(context.Context) ([]string, error) { return []string{"h/pilot:1", "h/proxyv2:1"}, nil }
	p, err = pulls(t.Context(), c, o, nodesOf(t.Context(), c))
	if err != nil || p.Proxy != "" || !slices.Equal(p.Wanted, []string{"h/pilot:1", "h/proxyv2:1", "e.com/probe:1"}) || !slices.Equal(p.There, []string{"h/proxyv2:1"}) {
		t.Errorf("before an installation: %+v, %v", p, err)
	}
	o.Installs = func(context.Context) ([]string, error) { return nil, errNo }
	if _, err := pulls(t.Context(), c, o, nil); !errors.Is(err, errNo) {
		t.Errorf("a release that does not say its images: %v", err)
	}
}

func TestPullSecrets(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	s.Put(t, "/api/v1/namespaces/istio-system/secrets/a", "{metadata: {name: a}}")
	inject(t, s, `{"global":{"imagePullSecrets":["a","b"]}}`)
	got, err := pullSecretsOf(t.Context(), c, "asm-1232-2")
	if err != nil || !slices.Equal(got.Named, []string{"a", "b"}) || !slices.Equal(got.Lacking, []string{"b"}) {
		t.Errorf("%+v, %v", got, err)
	}
	s.Fail(http.MethodGet, "/api/v1/namespaces/istio-system/secrets", http.StatusForbidden)
	if _, err := pullSecretsOf(t.Context(), c, "asm-1232-2"); err == nil {
		t.Error("secrets that nobody sees are not there")
	}
	inject(t, s, `{"global":{}}`)
	if got, err := pullSecretsOf(t.Context(), c, "asm-1232-2"); err != nil || len(got.Named) != 0 {
		t.Errorf("none named: %+v, %v", got, err)
	}
}
