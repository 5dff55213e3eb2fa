package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/evidence"
)

// endpoint is the HTTP server of a pod's own that shows the pages, on its loopback address.
type endpoint struct {
	port      int
	container string
	// command, followed by a path, prints a page from within the container. Every image of the kind has it, also those
	// without a shell.
	command []string
	// name of the kind for messages: "istiod".
	name string
}

func istiodEndpoint() endpoint {
	return endpoint{port: 15014, container: "discovery", command: []string{"pilot-discovery", "request", "GET"}, name: "istiod"}
}

func envoyEndpoint() endpoint {
	return endpoint{port: 15000, container: sidecar, command: []string{"pilot-agent", "request", "GET"}, name: "proxy"}
}

// get gives the pages at the paths (without the leading "/"), in their order, all at once: by port forwarding, and those
// that could not be had so, by an exec each (a cluster may allow the one and not the other).
func (s source) get(ctx context.Context, pod corev1.Pod, e endpoint, paths ...string) (bodies [][]byte, errs []error) {
	forwardCtx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	absolute := make([]string, len(paths))
	for i, path := range paths {
		absolute[i] = "/" + path
	}
	bodies, errs = s.forward.get(forwardCtx, pod, e.port, absolute)
	for i, err := range errs {
		if err == nil {
			continue
		}
		body, execErr := s.run(ctx, pod, e.container, slices.Concat(e.command, paths[i:i+1])...)
		bodies[i], errs[i] = body, nil
		if execErr != nil {
			errs[i] = s.pageError(pod, e, paths[i], fmt.Errorf("%w; and by port forwarding: %w", execErr, err))
		}
	}
	return bodies, errs
}

// asJSON wants a page to be JSON and gives it without white space. What a page holds is never quoted.
func (s source) asJSON(pod corev1.Pod, e endpoint, path string, body []byte) (json.RawMessage, error) {
	if !json.Valid(body) {
		return nil, s.pageError(pod, e, path, fmt.Errorf("the answer of %d bytes is not JSON", len(body)))
	}
	return evidence.Compact(body), nil
}

func (s source) pageError(pod corev1.Pod, e endpoint, path string, err error) error {
	return fmt.Errorf("read page %s of %s %s/%s on cluster %s: %w", path, e.name, pod.Namespace, pod.Name, s.name, err)
}
