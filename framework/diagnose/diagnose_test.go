package diagnose

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

func (f fake) Log(_ context.Context, _ corev1.Pod, container string, previous bool, _ int64) ([]byte, error) {
	return []byte(fmt.Sprintf("%s before: %t\n", container, previous)), f.err("log")
}

func (f fake) Istioctl(_ context.Context, args ...string) ([]byte, error) {
	return []byte(strings.Join(args, " ") + "\n" + strings.Repeat("x", 2*maxFile) + "end"), f.err("istioctl")
}

func (f fake) Node(_ context.Context, folder string) error {
	return errors.Join(os.MkdirAll(folder, 0o700), f.err("node"))
}

func unpack(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
		"logs/sample/sleep-1/istio-proxy.previous.log": "istio-proxy before: true",
	} {
		if got := unpack(t, filepath.Join(dir, name)); !strings.Contains(got, want) || len(got) > maxFile {
			t.Errorf("%s: %d bytes, %.200q lacks %q", name, len(got), got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ErrorsFile+".gz")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a list of errors where there was none: %v", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %s, error %v", path, info.Mode(), err)
		}
		if strings.Contains(unpack(t, strings.TrimSuffix(path, ".gz")), canary) {
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
	if err := Save(t.Context(), dir, fake{fails: []string{"pods", "events", "log", "istioctl", "node"}}, []Place{{"sample", ""}}); err != nil {
		t.Fatal(err)
	}
	got := unpack(t, filepath.Join(dir, ErrorsFile))
	for _, want := range []string{"the pods of namespace sample: pods is", "the events of namespace sample: events is", "the log of sample/sleep-1/sleep: log is",
		"istioctl analyze --all-namespaces: istioctl is", "the node's state: node is"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
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
