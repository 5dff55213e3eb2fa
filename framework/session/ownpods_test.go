package session

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/images"
)

func TestMisfit(t *testing.T) {
	ended := func(code int32, message string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Message: message}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	const other, older = "probe: it is made from \"a\", and \"b\" is needed\n", "probe: no command \"--made-from\": use wait or dial\n"
	for name, tc := range map[string]struct {
		now, last corev1.ContainerState
		said      string // "" = it may go on
	}{
		"it runs":              {now: running},
		"it has not started":   {},
		"it is begun anew":     {now: running, last: ended(misfitCode, other), said: `made from "a"`},
		"another":              {now: ended(misfitCode, other), said: `made from "a"`},
		"another, to be begun": {last: ended(misfitCode, other), said: `made from "a"`},
		"an older":             {last: ended(olderCode, older), said: "is older"},
		"ended otherwise":      {now: ended(olderCode, "probe: no command \"x\"")},
		"killed":               {now: ended(137, other)},
		"a code alone":         {now: ended(misfitCode, "")},
	} {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "meshproof", Name: "probe"},
			Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: tc.now, LastTerminationState: tc.last, Image: "mirror.example/probe:old", ImageID: "sha256:ab"}}}}
		err := misfit(pod)
		if (err == nil) != (tc.said == "") {
			t.Errorf("%s: %v", name, err)
		}
		for _, part := range []string{tc.said, "meshproof/probe", "mirror.example/probe:old", "sha256:ab", images.ProbeMadeFrom(), "images push"} {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v lacks %s", name, err, part)
			}
		}
	}
}

// TestOwnPodsRun: what does not run is the suite's own trouble; the probe and the second service may come from different nodes' caches.
func TestOwnPodsRun(t *testing.T) {
	const echoPod = "/api/v1/namespaces/meshproof-second/pods/echo"
	const ready, other = "ready: true, state: {running: {}}", `lastState: {terminated: {exitCode: 3, message: 'probe: it is made from "", and "x" is needed'}}`
	for name, tc := range map[string]struct{ probe, echo, said string }{
		"both run":                  {ready, ready, ""},
		"no second service":         {ready, "", "no pod in namespace meshproof-second"},
		"no probe":                  {"", ready, "no pod in namespace meshproof"},
		"an image that nobody has":  {ready, "state: {waiting: {reason: ErrImagePull, message: 'not found'}}", "pod meshproof-second/echo: phase Running, ErrImagePull not found"},
		"another probe":             {"image: old:v1, " + other, ready, "pod meshproof/probe: image old:v1"},
		"another echo":              {ready, "image: old:v1, " + other, "pod meshproof-second/echo: image old:v1"},
		"another, for a moment up":  {ready + ", image: old:v1, " + other, ready, "pod meshproof/probe: image old:v1"},
		"a sidecar that is not one": {ready, "ready: false, state: {running: {}}}, {name: istio-proxy, ready: true", "pod meshproof-second/echo: phase Running"},
	} {
		t.Run(name, func(t *testing.T) {
			farm, o := meshes(t)
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			for path, container := range map[string]string{probePod: tc.probe, echoPod: tc.echo} {
				if parts := strings.Split(path, "/"); container != "" {
					farm.Server("east").Put(t, path, "{metadata: {name: "+parts[6]+", namespace: "+parts[4]+"}, status: {phase: Running, containerStatuses: [{name: "+parts[6]+", "+container+"}]}}")
				}
			}
			state, err := ownPods(s.set[0])(t.Context())
			if said := state + fmt.Sprint(err); (err == nil) != (tc.said == "") || !strings.Contains(said, tc.said) {
				t.Errorf("%q, want %q", said, tc.said)
			}
		})
	}
}
