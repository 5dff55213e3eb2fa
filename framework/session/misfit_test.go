package session

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
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
		"it ran, and runs":     {now: running, last: ended(misfitCode, other)},
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

// TestMisfitsOfEachKind: the probe and the second service may come from different nodes' caches.
func TestMisfitsOfEachKind(t *testing.T) {
	for path, want := range map[string]bool{probePod: true, "/api/v1/namespaces/meshproof-second/pods/echo": true, "/api/v1/namespaces/elsewhere/pods/echo": false} {
		farm, o := meshes(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ends(t, farm.Server("east"), path)
		if err := misfits(t.Context(), s.set[0]); (err != nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func ends(t *testing.T, s *apitest.Server, path string) {
	parts := strings.Split(path, "/")
	s.Put(t, path, "{metadata: {name: "+parts[6]+", namespace: "+parts[4]+"}, status: {containerStatuses: [{name: c, lastState: {terminated: {exitCode: 3, message: 'probe: it is made from \"\", and \"x\" is needed'}}}]}}")
}
