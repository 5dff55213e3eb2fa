package kindcluster

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const metallbNamespace = "metallb-system"

// renderMetalLB takes MetalLB's own manifest (metallb-native.yaml) and gives the objects to create, in the order
// of their stages, with an address pool and its L2 announcement. It leaves out what one node in L2 mode has no use for and what would cost most
// of the wait:
//   - The admission webhooks, with their service, certificate and mount. They check pools that people write; ours is
//     written below. With them the controller makes its certificate only after its start, and kubelet brings that into
//     the pod at its next look, up to a minute later; until then nobody can create a pool.
//   - memberlist (speakers watching each other, to move an address off a dead node). There is one node. With it the
//     speaker's pod cannot start before the controller has run and made the secret that it mounts; kubelet retries
//     that mount with growing pauses.
//
// Both pods speak to the API server at apiServer, the node's address, instead of its service's: they start before
// kube-proxy has written the service's rules, would end because of that, and start again only after kubelet's pause of
// 10 s. And their readiness probes, which come first after 10 s and then every 10 s, ask every second from the start.
// Image references stay as they are.
func renderMetalLB(manifest []byte, pool, apiServer string) ([]*unstructured.Unstructured, error) {
	all, err := decode(manifest)
	if err != nil {
		return nil, fmt.Errorf("read MetalLB's manifest: %w", err)
	}
	var objects []*unstructured.Unstructured
	found := map[string]bool{}
	for _, o := range all {
		if isWebhookPart(o) {
			continue
		}
		id := o.GetKind() + "/" + o.GetName()
		switch id {
		case "Deployment/controller":
			err = podEdit{apiServer: apiServer, volume: "cert", args: []string{"--webhook-mode=disabled"}}.apply(o)
		case "DaemonSet/speaker":
			err = podEdit{apiServer: apiServer, volume: "memberlist"}.apply(o)
		}
		if err != nil {
			return nil, fmt.Errorf("prepare MetalLB's %s: %w", id, err)
		}
		found[id] = true
		objects = append(objects, o)
	}
	for _, id := range []string{"Namespace/" + metallbNamespace, "Deployment/controller", "DaemonSet/speaker"} {
		if !found[id] {
			return nil, fmt.Errorf("read MetalLB's manifest: it has no %s: give metallb-native.yaml of MetalLB's module", id)
		}
	}
	objects = append(objects,
		object("metallb.io/v1beta1", "IPAddressPool", map[string]any{"addresses": []any{pool}}),
		object("metallb.io/v1beta1", "L2Advertisement", map[string]any{"ipAddressPools": []any{poolName}}))
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return stage(a) - stage(b) })
	return objects, nil
}

func decode(manifest []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &o.Object); err != nil {
			return nil, err
		}
		if len(o.Object) > 0 {
			objects = append(objects, o)
		}
	}
}

func isWebhookPart(o *unstructured.Unstructured) bool {
	switch o.GetKind() + "/" + o.GetName() {
	case "ValidatingWebhookConfiguration/metallb-webhook-configuration", "Service/metallb-webhook-service", "Secret/metallb-webhook-cert":
		return true
	}
	return false
}

// stage is when an object is created: the namespace, what stands in it, the pool (whose kind must be served by then), and
// the pods at last, since they end when a kind that they watch is not served.
func stage(o *unstructured.Unstructured) int {
	switch o.GetKind() {
	case "Namespace":
		return 0
	case "IPAddressPool", "L2Advertisement":
		return 2
	case "Deployment", "DaemonSet":
		return 3
	}
	return 1
}

// poolName is the name of the address pool and of its announcement.
const poolName = "meshproof"

func object(apiVersion, kind string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind,
		"metadata": map[string]any{"name": poolName, "namespace": metallbNamespace},
		"spec":     spec,
	}}
}

// podEdit is what changes in a pod beside memberlist's settings: a volume is left out, arguments are added, and the API
// server is named (host only; its port is 6443).
type podEdit struct {
	apiServer, volume string
	args              []string
}

var errNotThere = errors.New("its pod is not as expected")

func (e podEdit) apply(o *unstructured.Unstructured) error {
	path := []string{"spec", "template", "spec"}
	raw, _, err := unstructured.NestedMap(o.Object, path...)
	if err != nil {
		return err
	}
	var pod corev1.PodSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &pod); err != nil {
		return err
	}
	if len(pod.Containers) != 1 || pod.Containers[0].ReadinessProbe == nil {
		return fmt.Errorf("%w: %d containers, 1 with a readiness probe is needed", errNotThere, len(pod.Containers))
	}
	c := &pod.Containers[0]
	c.Args = append(c.Args, e.args...)
	c.Env = slices.DeleteFunc(c.Env, func(v corev1.EnvVar) bool { return strings.HasPrefix(v.Name, "METALLB_ML_") })
	// client-go's names; what a pod sets itself wins over what kubelet sets for the service.
	c.Env = append(c.Env,
		corev1.EnvVar{Name: "KUBERNETES_SERVICE_HOST", Value: e.apiServer},
		corev1.EnvVar{Name: "KUBERNETES_SERVICE_PORT", Value: "6443"})
	c.VolumeMounts = slices.DeleteFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == e.volume })
	pod.Volumes = slices.DeleteFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == e.volume })
	c.ReadinessProbe.InitialDelaySeconds, c.ReadinessProbe.PeriodSeconds = 0, 1
	if raw, err = runtime.DefaultUnstructuredConverter.ToUnstructured(&pod); err != nil {
		return err
	}
	return unstructured.SetNestedMap(o.Object, raw, path...)
}
