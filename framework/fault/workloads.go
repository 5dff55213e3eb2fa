package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/claim"
)

// workloads are the faults in the sample itself.
func workloads() []Fault {
	return []Fault{
		{
			ID: "service-missing", Sentence: "the service helloworld is deleted on east", Verdict: claim.Failed, Cause: "service-missing", Samples: 40,
			Break: func(ctx context.Context, r *Rig) error {
				return r.in(ctx, r.east(), r.sample(), "delete service helloworld")
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return r.sampleApply(ctx, "service=helloworld")
			},
		},
		{
			ID: "not-injected", Sentence: "helloworld on west has no sidecar", Verdict: claim.Failed, Cause: "not-injected",
			Break: func(ctx context.Context, r *Rig) error {
				return r.template(ctx, `{"metadata":{"labels":{"sidecar.istio.io/inject":"false"}}}`)
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return r.template(ctx, `{"metadata":{"labels":{"sidecar.istio.io/inject":null}}}`)
			},
		},
		{
			ID: "endpoint-unhealthy", Sentence: "helloworld on west is never ready", Verdict: claim.Failed, Cause: "endpoint-unhealthy",
			Break: func(ctx context.Context, r *Rig) error {
				const never = `{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"},"template":{"spec":{"containers":[{"name":"helloworld","readinessProbe":{"exec":{"command":["false"]}}}]}}}}`
				return errors.Join(r.strategic(ctx, never), r.started(ctx))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				const free = `{"spec":{"template":{"spec":{"containers":[{"name":"helloworld","readinessProbe":null}]}}}}`
				return errors.Join(r.strategic(ctx, free), r.settled(ctx, r.west(), r.sample(), "helloworld-v2", "app=helloworld"))
			},
		},
		{
			ID: "version-in-wrong-cluster", Sentence: "v2 of helloworld runs on east too", Verdict: claim.Failed, Cause: "version-in-wrong-cluster", Samples: 200,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.sampleApply(ctx, "version=v2"), r.settled(ctx, r.east(), r.sample(), "helloworld-v2", "app=helloworld,version=v2"))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.east(), r.sample(), "delete deployment --ignore-not-found helloworld-v2"),
					r.in(ctx, r.east(), r.sample(), "delete pod -l version=v2 --ignore-not-found --grace-period=1 --wait=true"))
			},
		},
		{
			ID: "stale-endpoint", Sentence: "helloworld on east has an endpoint that no pod has", Verdict: claim.Failed, Cause: "stale-endpoint",
			Also: []string{"remote-connections-failing", "packets-dropped"}, Samples: 40,
			Break: func(ctx context.Context, r *Rig) error {
				address, err := nodeAddress(r.east()) // it refuses at once; an address that nobody has costs 10 s a call
				return errors.Join(err, r.apply(ctx, r.east(), fmt.Sprintf(nobody, address)))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return r.in(ctx, r.east(), r.sample(), "delete endpointslice --ignore-not-found helloworld-nobody")
			},
		},
		{
			ID: "image-not-pullable", Sentence: "helloworld on west has an image that is nowhere", Verdict: claim.Inconclusive, Cause: "image-not-pullable",
			Break: func(ctx context.Context, r *Rig) error {
				const missing = `{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"},"template":{"spec":{"containers":[{"name":"helloworld","image":"registry.meshproof.local/nowhere:v0"}]}}}}`
				return errors.Join(r.strategic(ctx, missing), r.waiting(ctx))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.west(), r.sample(), "rollout undo deployment/helloworld-v2"), r.settled(ctx, r.west(), r.sample(), "helloworld-v2", "app=helloworld"))
			},
		},
	}
}

// sampleApply applies a part of the release's helloworld sample to east, as S11 and S12 do.
func (r *Rig) sampleApply(ctx context.Context, selector string) error {
	text, err := os.ReadFile(filepath.Join(r.Mesh.Release.Samples, "samples", "helloworld", "helloworld.yaml"))
	if err != nil {
		return fmt.Errorf("read the sample of the release: %w", err)
	}
	_, err = r.kubectl(ctx, r.east(), string(text), "-n", r.sample(), "apply", "-l", selector, "-f", "-")
	return err
}

// template merges into the pod template of helloworld on west, and waits for its new pod.
func (r *Rig) template(ctx context.Context, merge string) error {
	return errors.Join(r.patch(ctx, r.west(), r.sample(), "deployment/helloworld-v2", `{"spec":{"template":`+merge+`}}`),
		r.settled(ctx, r.west(), r.sample(), "helloworld-v2", "app=helloworld"))
}

// strategic patches the deployment of helloworld on west by the names of its containers.
func (r *Rig) strategic(ctx context.Context, patch string) error {
	return r.do(ctx, r.west(), "-n", r.sample(), "patch", "deployment/helloworld-v2", "--type=strategic", "-p", patch)
}

// started waits until helloworld on west has one pod, whose containers run.
func (r *Rig) started(ctx context.Context) error {
	return errors.Join(r.ended(ctx, r.west(), r.sample(), "app=helloworld"),
		r.in(ctx, r.west(), r.sample(), "wait pod -l app=helloworld --for=condition=Initialized --timeout=60s"))
}

// waiting waits until the kubelet has given up on the image of helloworld's new pod on west.
func (r *Rig) waiting(ctx context.Context) error {
	return r.watch(ctx, "the image cannot be pulled", func(ctx context.Context) (string, error) {
		pods, err := r.west().Kube().CoreV1().Pods(r.sample()).List(ctx, metav1.ListOptions{LabelSelector: "app=helloworld"})
		if err != nil {
			return "", err
		}
		state := "no pod"
		for _, p := range pods.Items {
			for _, c := range p.Status.ContainerStatuses {
				if w := c.State.Waiting; w != nil {
					if state = w.Reason; state == "ImagePullBackOff" || state == "ErrImagePull" {
						return state, nil
					}
				}
			}
		}
		return state, errors.New("not yet")
	})
}

const nobody = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: helloworld-nobody
  namespace: <sample>
  labels: {kubernetes.io/service-name: helloworld, endpointslice.kubernetes.io/managed-by: meshproof.dev}
addressType: IPv4
endpoints: [{addresses: ["%s"], conditions: {ready: true}}]
ports: [{name: http, port: 5000, protocol: TCP}]
`
