package kindcluster

import (
	"context"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
)

// The parts of metallb-native.yaml that matter here, in its order.
const manifest = `apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: speaker, namespace: metallb-system}
---
apiVersion: v1
kind: Secret
metadata: {name: metallb-webhook-cert, namespace: metallb-system}
---
apiVersion: v1
kind: Service
metadata: {name: metallb-webhook-service, namespace: metallb-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: metallb-system}
spec:
  selector: {matchLabels: {component: controller}}
  template:
    metadata: {labels: {component: controller}}
    spec:
      containers:
      - name: controller
        image: quay.io/metallb/controller:v0.15.2
        args: [--port=7472]
        env: [{name: METALLB_ML_SECRET_NAME, value: memberlist}, {name: METALLB_DEPLOYMENT, value: controller}]
        readinessProbe: {httpGet: {path: /metrics, port: monitoring}, initialDelaySeconds: 10, periodSeconds: 10}
        volumeMounts: [{mountPath: /certs, name: cert, readOnly: true}]
      volumes: [{name: cert, secret: {secretName: metallb-webhook-cert}}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: speaker, namespace: metallb-system}
spec:
  selector: {matchLabels: {component: speaker}}
  template:
    metadata: {labels: {component: speaker}}
    spec:
      hostNetwork: true
      containers:
      - name: speaker
        image: quay.io/metallb/speaker:v0.15.2
        env: [{name: METALLB_NODE_NAME, value: node}, {name: METALLB_ML_BIND_ADDR, value: a}, {name: METALLB_ML_LABELS, value: b}]
        readinessProbe: {httpGet: {path: /metrics, port: monitoring}, initialDelaySeconds: 10, periodSeconds: 10}
        volumeMounts: [{mountPath: /etc/ml_secret_key, name: memberlist}, {mountPath: /etc/metallb, name: metallb-excludel2}]
      volumes: [{name: memberlist, secret: {secretName: memberlist}}, {name: metallb-excludel2, configMap: {name: metallb-excludel2}}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ipaddresspools.metallb.io}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: metallb-webhook-configuration}
---
`

func find[T any](t *testing.T, objects []*unstructured.Unstructured, kind string, into *T) {
	t.Helper()
	at := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == kind })
	if at < 0 {
		t.Fatalf("no %s", kind)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[at].Object, into); err != nil {
		t.Fatal(err)
	}
}

func TestRenderMetalLB(t *testing.T) {
	objects, err := renderMetalLB([]byte(manifest), "172.29.1.64-172.29.1.151", "172.29.1.2")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, o.GetKind())
	}
	want := []string{"Namespace", "ServiceAccount", "CustomResourceDefinition", "IPAddressPool", "L2Advertisement", "Deployment", "DaemonSet"}
	if !slices.Equal(kinds, want) {
		t.Errorf("got %q, want %q", kinds, want)
	}
	pool, _, _ := unstructured.NestedStringSlice(objects[3].Object, "spec", "addresses")
	if !slices.Equal(pool, []string{"172.29.1.64-172.29.1.151"}) {
		t.Errorf("pool %q", pool)
	}
	named := func(env []corev1.EnvVar) bool {
		return slices.Contains(env, corev1.EnvVar{Name: "KUBERNETES_SERVICE_HOST", Value: "172.29.1.2"}) &&
			slices.Contains(env, corev1.EnvVar{Name: "KUBERNETES_SERVICE_PORT", Value: "6443"})
	}
	var controller appsv1.Deployment
	find(t, objects, "Deployment", &controller)
	pod := controller.Spec.Template.Spec
	c := pod.Containers[0]
	if !slices.Equal(c.Args, []string{"--port=7472", "--webhook-mode=disabled"}) || len(c.Env) != 3 || !named(c.Env) || len(c.VolumeMounts)+len(pod.Volumes) != 0 {
		t.Errorf("controller: %+v, volumes %v", c, pod.Volumes)
	}
	if c.Image != "quay.io/metallb/controller:v0.15.2" || c.ReadinessProbe.InitialDelaySeconds != 0 || c.ReadinessProbe.PeriodSeconds != 1 {
		t.Errorf("controller: image %s, probe %+v", c.Image, c.ReadinessProbe)
	}
	var speaker appsv1.DaemonSet
	find(t, objects, "DaemonSet", &speaker)
	pod = speaker.Spec.Template.Spec
	c = pod.Containers[0]
	if len(c.Env) != 3 || !named(c.Env) || c.Env[0].Name != "METALLB_NODE_NAME" || len(pod.Volumes) != 1 || pod.Volumes[0].Name != "metallb-excludel2" ||
		len(c.VolumeMounts) != 1 || !pod.HostNetwork {
		t.Errorf("speaker: %+v, volumes %v", c, pod.Volumes)
	}
}

func TestRenderMetalLBRefusesAnotherManifest(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "Namespace/metallb-system"},
		"no speaker":     {manifest[:strings.Index(manifest, "apiVersion: apps/v1\nkind: DaemonSet")], "DaemonSet/speaker"},
		"two containers": {strings.Replace(manifest, "      - name: controller\n", "      - name: extra\n      - name: controller\n", 1), "2 containers"},
		"not a manifest": {"a: [", "read MetalLB's manifest"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := renderMetalLB([]byte(c.text), "x", "y"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestBalancerReady(t *testing.T) {
	pool := object("metallb.io/v1beta1", "IPAddressPool", map[string]any{})
	speaker := object("apps/v1", "DaemonSet", map[string]any{})
	speaker.SetName("speaker")
	set := func(o *unstructured.Unstructured, field string, n int64) {
		if err := unstructured.SetNestedField(o.Object, n, "status", field); err != nil {
			t.Fatal(err)
		}
	}
	look := func(objects ...runtime.Object) error {
		kinds := map[schema.GroupVersionResource]string{
			{Group: "metallb.io", Version: "v1beta1", Resource: "ipaddresspools"}: "IPAddressPoolList",
			{Group: "apps", Version: "v1", Resource: "daemonsets"}:                "DaemonSetList",
		}
		_, err := balancerReady(context.Background(), fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...))
		return err
	}
	if look() == nil || look(pool, speaker) == nil {
		t.Error("ready without a status")
	}
	set(pool, "availableIPv4", 88)
	if look(pool, speaker) == nil {
		t.Error("ready without a speaker")
	}
	set(speaker, "numberReady", 1)
	if err := look(pool, speaker); err != nil {
		t.Error(err)
	}
	set(pool, "availableIPv4", 0)
	if look(pool, speaker) == nil {
		t.Error("ready without an address")
	}
}

func TestEstablished(t *testing.T) {
	crd := &unstructured.Unstructured{Object: map[string]any{}}
	if established(crd) == nil {
		t.Error("established without a status")
	}
	for status, want := range map[string]bool{"False": false, "True": true} {
		conditions := []any{map[string]any{"type": "NamesAccepted", "status": "True"}, map[string]any{"type": "Established", "status": status}}
		if err := unstructured.SetNestedSlice(crd.Object, conditions, "status", "conditions"); err != nil {
			t.Fatal(err)
		}
		if got := established(crd) == nil; got != want {
			t.Errorf("condition %s: established %t", status, got)
		}
	}
}
