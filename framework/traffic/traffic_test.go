package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientexec "k8s.io/client-go/util/exec"

	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	v1 = "Hello version: v1, instance: helloworld-v1-5d\n"
	v2 = "Hello version: v2, instance: helloworld-v2-7c\n"
)

// answer is what curl prints for one call.
func answer(body string, number, code, exit int) string {
	return fmt.Sprintf("%s\n==meshproof-call %03d 0.001500 %d http://helloworld.sample:5000/hello?r-1-east-%d\n", body, code, exit, number)
}

func TestParseSplit(t *testing.T) {
	ok := evidence.Reply{Number: 1, Code: 200, Seconds: 0.0015, Body: v1, Version: "v1", Instance: "helloworld-v1-5d"}
	for _, tc := range []struct {
		name, stdout string
		want         []evidence.Reply
	}{
		{"nothing", "", nil},
		{"both versions", answer(v1, 1, 200, 0) + answer(v2, 2, 200, 0),
			[]evidence.Reply{ok, {Number: 2, Code: 200, Seconds: 0.0015, Body: v2, Version: "v2", Instance: "helloworld-v2-7c"}}},
		{"an error page without a line end", answer("upstream connect error", 1, 503, 0), []evidence.Reply{{Number: 1, Code: 503, Seconds: 0.0015, Body: "upstream connect error"}}},
		{"several lines", answer("a\n\nb\n", 1, 200, 0), []evidence.Reply{{Number: 1, Code: 200, Seconds: 0.0015, Body: "a\n\nb\n"}}},
		{"an empty body", answer("", 1, 200, 0), []evidence.Reply{{Number: 1, Code: 200, Seconds: 0.0015}}},
		{"no answer", answer("", 1, 0, 28), []evidence.Reply{{Number: 1, Seconds: 0.0015, Exit: 28}}},
		{"a body that goes on after helloworld's", answer(v1+"x", 1, 200, 0), []evidence.Reply{{Number: 1, Code: 200, Seconds: 0.0015, Body: v1 + "x"}}},
		{"a long body", answer(strings.Repeat("x", 600), 1, 200, 0), []evidence.Reply{{Number: 1, Code: 200, Seconds: 0.0015, Body: strings.Repeat("x", 512)}}},
		{"broken within a body", answer(v1, 1, 200, 0) + "Hello ver", []evidence.Reply{ok}},
		{"broken within the number", strings.TrimSuffix(answer(v1, 1, 200, 0)+answer(v1, 12, 200, 0), "2\n"), []evidence.Reply{ok}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ParseSplit([]byte(tc.stdout)); !slices.Equal(got, tc.want) {
				t.Errorf("replies\n%+v\nwant\n%+v", got, tc.want)
			}
		})
	}
}

func TestParseGuideCalls(t *testing.T) {
	got := ParseGuideCalls([]byte(v1 + "\nno healthy upstream\r\n" + strings.TrimSuffix(v2, "\n")))
	want := []evidence.Reply{
		{Number: 1, Body: strings.TrimSpace(v1), Version: "v1", Instance: "helloworld-v1-5d"},
		{Number: 2, Body: "no healthy upstream"},
		{Number: 3, Body: strings.TrimSpace(v2), Version: "v2", Instance: "helloworld-v2-7c"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("replies\n%+v\nwant\n%+v", got, want)
	}
}

type fakeWorkload struct {
	pods   []corev1.Pod
	stdout string
	err    error
}

func (f fakeWorkload) Pods(context.Context, string, string) ([]corev1.Pod, error) { return f.pods, nil }
func (f fakeWorkload) Follow(context.Context, io.Writer, string, string, string, ...string) ([]byte, []byte, error) {
	return []byte(f.stdout), []byte("curl: (6) Could not resolve host"), f.err
}

// elsewhere is a workload that notes where it is asked.
type elsewhere struct {
	fakeWorkload
	asked *[]string
}

func (e elsewhere) Pods(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	*e.asked = append(*e.asked, namespace)
	return e.fakeWorkload.Pods(ctx, namespace, selector)
}

func (e elsewhere) Follow(ctx context.Context, to io.Writer, namespace, pod, container string, command ...string) ([]byte, []byte, error) {
	*e.asked = append(*e.asked, namespace, command[len(command)-1])
	return e.fakeWorkload.Follow(ctx, to, namespace, pod, container, command...)
}

// stuck is a workload whose calls never end.
type stuck struct{ elsewhere }

func (s stuck) Follow(ctx context.Context, to io.Writer, namespace, pod, container string, command ...string) ([]byte, []byte, error) {
	if command[0] == "curl" {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	return s.elsewhere.Follow(ctx, to, namespace, pod, container, command...)
}

// TestCallsThatAreCutShortEnd: the next look would count them. What ends them does not end itself.
func TestCallsThatAreCutShortEnd(t *testing.T) {
	var asked []string
	w := stuck{elsewhere{fakeWorkload{pods: []corev1.Pod{pod("sleep", corev1.PodRunning, "sleep")}}, &asked}}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 1, errors.New("no more"))
	defer cancel()
	if _, err := split(ctx, w, "east", "ours", "r-1", 1, io.Discard); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("%v, want why they were cut short", err)
	}
	script := asked[len(asked)-1]
	if !strings.Contains(script, "[r]-1-east") || strings.Contains(script, "r-1-east") || !strings.Contains(script, "kill") {
		t.Errorf("asked %q", asked)
	}
	w.err = errors.New("no shell")
	if _, err := split(ctx, w, "east", "ours", "r-1", 1, io.Discard); err == nil || !strings.Contains(err.Error(), "may go on: no shell") {
		t.Errorf("%v, want that they go on", err)
	}
}

func TestCallsAreMadeWhereTheSampleIs(t *testing.T) {
	var asked []string
	w := elsewhere{fakeWorkload{pods: []corev1.Pod{pod("sleep", corev1.PodRunning, "sleep")}, stdout: answer(v1, 1, 200, 0)}, &asked}
	if _, err := split(t.Context(), w, "east", "ours", "r", 1, io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ours", "ours", "http://helloworld.ours:5000/hello?r-east-[1-1]"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func pod(name string, phase corev1.PodPhase, containers ...string) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{Phase: phase}}
	for _, c := range containers {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: c})
	}
	return p
}

func TestSplit(t *testing.T) {
	pods := []corev1.Pod{pod("sleep-a", corev1.PodPending, "sleep"), pod("sleep-b", corev1.PodRunning, "istio-proxy", "sleep")}
	code := fmt.Errorf("run: %w", clientexec.CodeExitError{Err: errors.New("exit 6"), Code: 6})
	for _, tc := range []struct {
		name    string
		w       fakeWorkload
		replies int
		want    string // part of the error, "" for none
	}{
		{"all answered", fakeWorkload{pods, answer(v1, 1, 200, 0) + answer(v2, 2, 200, 0), nil}, 2, ""},
		{"the last without an answer", fakeWorkload{pods, answer(v1, 1, 200, 0) + answer("", 2, 0, 6), code}, 2, ""},
		{"the stream broke", fakeWorkload{pods, answer(v1, 1, 200, 0), errors.New("stream broke")}, 1, "1 of the calls have no reply, the first is number 2: stream broke"},
		{"the stream broke after all", fakeWorkload{pods, answer(v1, 1, 200, 0) + answer(v2, 2, 200, 0), errors.New("stream broke")}, 2, "stream broke"},
		{"a number twice", fakeWorkload{pods, answer(v1, 1, 200, 0) + answer(v2, 1, 200, 0), nil}, 2, "number 2: curl said nothing"},
		{"no curl", fakeWorkload{pods, "", code}, 0, "first is number 1: run: exit 6"},
		{"no pod", fakeWorkload{pods[:1], "", nil}, 0, "no pod app=sleep runs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := split(t.Context(), tc.w, "east", "sample", "r-1", 2, io.Discard)
			if len(got.Replies) != tc.replies || got.Asked != 2 {
				t.Errorf("%d replies of %d asked, want %d of 2", len(got.Replies), got.Asked, tc.replies)
			}
			switch {
			case tc.want == "" && (err != nil || got.Error != "" || got.Pod != "sleep-b"):
				t.Errorf("error %v, in the evidence %q, pod %q", err, got.Error, got.Pod)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || got.Error != err.Error()):
				t.Errorf("error %v, in the evidence %q, want %q", err, got.Error, tc.want)
			}
		})
	}
}

// The command is understood by a real curl, and its output by ParseSplit.
func TestRealCurl(t *testing.T) {
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl here")
	}
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.RawQuery)
		if strings.HasSuffix(r.URL.RawQuery, "-2") {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "no healthy upstream")
			return
		}
		fmt.Fprint(w, v1)
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--noproxy", "*", "--connect-to", "helloworld.sample:5000:127.0.0.1:" + port}, curl(evidence.HelloworldURL("sample"), "r-1", "east", 3)[1:]...)
	stdout, err := exec.CommandContext(t.Context(), path, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := ParseSplit(stdout)
	for i := range got {
		got[i].Seconds = 0
	}
	hello := evidence.Reply{Number: 1, Code: 200, Body: v1, Version: "v1", Instance: "helloworld-v1-5d"}
	last := hello
	last.Number = 3
	if want := []evidence.Reply{hello, {Number: 2, Code: 503, Body: "no healthy upstream"}, last}; !slices.Equal(got, want) {
		t.Errorf("replies\n%+v\nwant\n%+v\noutput %q", got, want, stdout)
	}
	if want := []string{"r-1-east-1", "r-1-east-2", "r-1-east-3"}; !slices.Equal(seen, want) {
		t.Errorf("calls %v, want %v", seen, want)
	}
}

const textLine = `[2026-09-01T10:00:00.123Z] "GET /hello?r-1-we-st-17 HTTP/1.1" 200 - via_upstream - "-" 0 60 1 0 "-" "curl/8.16.0" "b3f" "helloworld.sample:5000" ` +
	`"10.244.0.8:5000" inbound|5000|| 127.0.0.6:44221 10.244.0.8:5000 10.244.0.6:36710 outbound_.5000_._.helloworld.sample.svc.cluster.local default`

func TestParseLog(t *testing.T) {
	ok := evidence.LogLine{Pod: "hw", From: "we-st", Number: 17, Code: 200, Downstream: "10.244.0.6"}
	denied := ok
	denied.Code, denied.Flags, denied.Downstream = 403, "UAEX", "fd00::6"
	for _, tc := range []struct {
		name, log string
		want      []evidence.LogLine
		err       string
	}{
		{"text", textLine + "\n", []evidence.LogLine{ok}, ""},
		{"other lines", "2026-09-01T10:00:00Z\tinfo\tReadiness succeeded\n" + strings.Replace(textLine, "r-1-", "r-2-", 1) + "\n", nil, ""},
		{"odd texts between", strings.Replace(textLine, "curl/8.16.0", `x " 503 UH [1] y`, 1), []evidence.LogLine{ok}, ""},
		{"denied, over IPv6", strings.NewReplacer("200 - via_upstream", "403 UAEX rbac_access_denied_matched_policy[none]", "10.244.0.6:36710", "[fd00::6]:36710").Replace(textLine), []evidence.LogLine{denied}, ""},
		{"json", `{"path":"/hello?r-1-we-st-17","response_code":200,"response_flags":"-","downstream_remote_address":"10.244.0.6:36710","method":"GET"}`, []evidence.LogLine{ok}, ""},
		{"json with text", `{"path":"/hello?r-1-we-st-17","response_code":"200","downstream_remote_address":"10.244.0.6:36710"}`, []evidence.LogLine{ok}, ""},
		{"another format", `GET /hello?r-1-we-st-17 200`, nil, "not in Istio's default log format"},
		{"no address", strings.Replace(textLine, "10.244.0.6:36710", "-", 1), nil, "missing port"},
		{"cut json", `{"path":"/hello?r-1-we-st-17","respo`, nil, "unexpected end"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := &Log{lines: map[string][]evidence.LogLine{}}
			_, err := l.read(strings.NewReader(tc.log), "hw", "r-1")
			got, _ := l.Lines()
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("lines %+v, want %+v", got, tc.want)
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

// TestTheLogIsReadWhileItGrows: what was read before the log's end is known, and a line that is no call's is passed over.
func TestTheLogIsReadWhileItGrows(t *testing.T) {
	l := &Log{lines: map[string][]evidence.LogLine{}}
	from, to := io.Pipe()
	l.ended.Go(func() { _, _ = l.read(from, "hw", "r-1") })
	for range 3 { // a pipe's writer returns when all was read; the third write tells that the first was taken in
		if _, err := io.WriteString(to, textLine+"\nnoise\n"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := l.Lines(); len(got) == 0 || err != nil {
		t.Errorf("%d lines before the end, %v", len(got), err)
	}
	to.Close()
	l.Wait()
	if got, err := l.Lines(); len(got) != 3 || got[2].Pod != "hw" || err != nil {
		t.Errorf("lines %+v, %v", got, err)
	}
}
