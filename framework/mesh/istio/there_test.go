package istio

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// TestRefuse: every trace of an Istio is named, what only looks like one is not, and what cannot be seen is no absence.
func TestRefuse(t *testing.T) {
	const webhooks, classes = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/", "/apis/gateway.networking.k8s.io/v1/gatewayclasses/"
	for _, tc := range []struct{ path, text, says string }{
		{"/api/v1/namespaces/istio-system", "{metadata: {name: istio-system}}", "Namespace istio-system"},
		{"/api/v1/namespaces/istio-ingress", "{metadata: {name: istio-ingress}}", ""},
		{"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/wasmplugins.extensions.istio.io", "{metadata: {name: wasmplugins.extensions.istio.io}}", "CustomResourceDefinition wasmplugins.extensions.istio.io"},
		{"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.gateway.networking.k8s.io", "{metadata: {name: gateways.gateway.networking.k8s.io}}", ""},
		{webhooks + "istiod-default-validator", "{metadata: {name: istiod-default-validator}}", "ValidatingWebhookConfiguration istiod-default-validator"},
		{webhooks + "cert-manager", "{metadata: {name: cert-manager}}", ""},
		{"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/istio-reader-clusterrole-r", "{metadata: {name: istio-reader-clusterrole-r}}", "ClusterRoleBinding istio-reader-clusterrole-r"},
		{"/api/v1/namespaces/web/configmaps/istio-ca-root-cert", "{metadata: {name: istio-ca-root-cert, namespace: web, labels: {istio.io/config: 'true'}}}", "ConfigMap web/istio-ca-root-cert"},
		{"/api/v1/namespaces/web/configmaps/istio-ca-crl", "{metadata: {name: istio-ca-crl, namespace: web, labels: {istio.io/config: 'true'}}}", "ConfigMap web/istio-ca-crl"},
		{"/api/v1/namespaces/web/configmaps/settings", "{metadata: {name: settings, namespace: web, labels: {istio.io/config: 'true'}}}", ""},
		{classes + "istio", "{metadata: {name: istio}, spec: {controllerName: istio.io/gateway-controller}}", "GatewayClass istio"},
		{classes + "theirs", "{metadata: {name: theirs}, spec: {controllerName: istio.io/gateway-controller}}", "GatewayClass theirs"},
		{classes + "other", "{metadata: {name: other}, spec: {controllerName: example.com/istio.io}}", ""},
	} {
		s := apitest.New(t)
		s.Know("gateway.networking.k8s.io/v1", "gatewayclasses", "GatewayClass")
		s.Put(t, tc.path, tc.text)
		err := Refuse(t.Context(), s.Cluster(t, "east"))
		if errors.Is(err, ErrThere) != (tc.says != "") || tc.says != "" && !strings.HasSuffix(err.Error(), ": "+tc.says) {
			t.Errorf("%s: %v", tc.path, err)
		}
		if calls := s.Calls(); len(calls) != 0 {
			t.Errorf("it was written to: %q", calls)
		}
	}
	s := apitest.New(t)
	s.Fail(http.MethodGet, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", http.StatusForbidden)
	if err := Refuse(t.Context(), s.Cluster(t, "east")); err == nil || errors.Is(err, ErrThere) || !strings.Contains(err.Error(), "meshproof rbac") {
		t.Errorf("what cannot be seen: %v", err)
	}
}

// TestOnlyTheClassesOfIstiodGo: a class of gateways that somebody has made for Istio's controller is named, and nothing is given for
// removal with it; that of another controller is nothing of Istio's, whatever its name.
func TestOnlyTheClassesOfIstiodGo(t *testing.T) {
	const classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/"
	for name, tc := range map[string]struct{ controller, gone, says string }{
		"istio":           {"istio.io/gateway-controller", "GatewayClass istio", ""},
		"istio-remote":    {"istio.io/unmanaged-gateway", "GatewayClass istio-remote", ""},
		"istio-waypoint":  {"istio.io/mesh-controller", "GatewayClass istio-waypoint", ""},
		"istio-east-west": {"istio.io/eastwest-controller", "GatewayClass istio-east-west", ""},
		"theirs":          {"istio.io/gateway-controller", "", "GatewayClass theirs on cluster east is of Istio's controller, and istiod makes none of that name: move or remove it"},
		"other":           {"example.com/istio.io", "", ""},
	} {
		s := apitest.New(t)
		s.Know("gateway.networking.k8s.io/v1", "gatewayclasses", "GatewayClass")
		s.Put(t, classes+name, "{metadata: {name: "+name+"}, spec: {controllerName: "+tc.controller+"}}")
		c := s.Cluster(t, "east")
		refs, err := Stages(false)[1](t.Context(), c)
		spared := Spare(t.Context(), c)
		if manifest.Listed(refs) != tc.gone || (err != nil) != (tc.says != "") || err != nil && err.Error() != tc.says {
			t.Errorf("%s: %v, %v", name, refs, err)
		}
		if (spared != nil) != (tc.says != "") || spared != nil && spared.Error() != tc.says {
			t.Errorf("%s, before the first stage: %v", name, spared)
		}
	}
}
