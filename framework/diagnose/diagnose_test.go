package diagnose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/packed"
	"github.com/meshproof/meshproof/framework/packed/packedtest"
)

const canary = "canary-91c2"

// fake is a cluster with one pod, whose sidecar was restarted once; what fails is named.
type fake struct{ fails []string }

func (f fake) err(what string) error {
	if slices.Contains(f.fails, what) {
		return errors.New(what + " is out of order")
	}
	return nil
}

func (f fake) Pods(_ context.Context, namespace, _ string) ([]corev1.Pod, error) {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sleep-1", Annotations: map[string]string{"note": canary}}}
	p.Spec.NodeName = "node-1"
	p.Spec.Containers = []corev1.Container{{Name: "sleep", Env: []corev1.EnvVar{{Name: "TOKEN", Value: canary}}, Args: []string{canary}}}
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "istio-proxy", RestartCount: 1,
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}}}}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "sleep", Ready: true}}
	return []corev1.Pod{p}, f.err("pods")
}

func (f fake) Events(_ context.Context, namespace string) ([]corev1.Event, error) {
	at := func(minute int) metav1.Time {
		return metav1.NewTime(time.Date(2026, 9, 1, 10, minute, 0, 0, time.UTC))
	}
	about := corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: "sleep-1"}
	return []corev1.Event{
		{Type: "Normal", Reason: "Pulled", InvolvedObject: about, LastTimestamp: at(5), Count: 3, Message: "second"},
		{Type: "Warning", Reason: "Unhealthy", InvolvedObject: about, EventTime: metav1.NewMicroTime(at(1).Time), Message: "first"},
	}, f.err("events")
}

func (f fake) Log(_ context.Context, _ corev1.Pod, container string, previous bool) ([]byte, error) {
	return []byte(fmt.Sprintf("%s before: %t\n", container, previous)), f.err("log")
}

func (f fake) Istioctl(_ context.Context, args ...string) ([]byte, error) {
	return []byte(strings.Join(args, " ") + "\n" + strings.Repeat("x", 2*packed.Most) + "end"), f.err("istioctl")
}

func (f fake) Node(_ context.Context, folder string) error {
	return errors.Join(os.MkdirAll(folder, 0o700), f.err("node"))
}

func (f fake) Snapshot(context.Context) *evidence.Cluster {
	if f.err("snapshot") != nil {
		return &evidence.Cluster{Problems: []evidence.Problem{{What: "istiod", Error: "no pod runs"}, {What: "proxies", Error: "not injected"}}}
	}
	long := json.RawMessage(`"` + strings.Repeat("x", packed.Most) + `end"`)
	return &evidence.Cluster{
		Kubernetes: &evidence.Kubernetes{Version: "v1.33"},
		Istiods:    []evidence.Istiod{{Pod: "istiod-1", Version: "1.31"}},
		Proxies:    []evidence.Proxy{{Namespace: "sample", Pod: "sleep-1", Stats: long}},
	}
}

func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "east")
	if err := Save(t.Context(), dir, fake{}, []Place{{"sample", ""}, {"sample", "app=x"}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pods.yaml":                                    "reason: OOMKilled",
		"events.txt":                                   "2026-09-01T10:01:00Z Warning Unhealthy            Pod sample/sleep-1 (1 times): first\n2026-09-01T10:05:00Z Normal ",
		"logs/sample/sleep-1/sleep.log":                "sleep before: false",
		"logs/sample/sleep-1/istio-proxy.log":          "istio-proxy before: false",
		"proxy-status.txt":                             "xend",
		"objects.json":                                 "v1.33",
		"istiod/istiod-1.json":                         "1.31",
		"logs/sample/sleep-1/istio-proxy.previous.log": "istio-proxy before: true",
	} {
		if got := packedtest.Read(t, filepath.Join(dir, name)); !strings.Contains(got, want) || len(got) > packed.Most {
			t.Errorf("%s: %d bytes, %.200q lacks %q", name, len(got), got, want)
		}
	}
	if whole := packedtest.Read(t, filepath.Join(dir, "envoy/sample/sleep-1.json")); !json.Valid([]byte(whole)) || len(whole) < packed.Most {
		t.Errorf("an Envoy's pages are not whole: %d bytes", len(whole))
	}
	if _, err := os.Stat(filepath.Join(dir, ErrorsFile+packed.Suffix)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a list of errors where there was none: %v", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.Contains(packedtest.Read(t, strings.TrimSuffix(path, packed.Suffix)), canary) {
			t.Errorf("%s holds the canary", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSaveNamesWhatItCouldNotHave(t *testing.T) {
	dir := t.TempDir()
	if err := Save(t.Context(), dir, fake{fails: []string{"pods", "events", "log", "istioctl", "snapshot", "node"}}, []Place{{"sample", ""}}); err != nil {
		t.Fatal(err)
	}
	got := packedtest.Read(t, filepath.Join(dir, ErrorsFile))
	for _, want := range []string{"the pods of namespace sample: pods is", "the events of namespace sample: events is", "the log of sample/sleep-1/sleep: log is",
		"istioctl analyze --all-namespaces: istioctl is", "istiod: no pod runs\n", "proxies: not injected\n", "the node's state: node is"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// TestHalfADocumentIsNone: pages that are too long are named, and not cut.
func TestHalfADocumentIsNone(t *testing.T) {
	s := &saver{folder: t.TempDir()}
	s.document("objects.json", strings.Repeat("x", maxPages))
	if left, err := os.ReadDir(s.folder); err != nil || len(left) != 0 || len(s.gaps) != 1 || !strings.Contains(s.gaps[0], "objects.json: it has 16777218 bytes") {
		t.Errorf("%v, %v, missing %q", left, err, s.gaps)
	}
}

func TestSaveFailsWhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Save(t.Context(), filepath.Join(file, "east"), fake{}, nil); err == nil {
		t.Error("no error for a folder that cannot be made")
	}
}
