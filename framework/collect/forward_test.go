package collect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// forwarding is an API server that forwards ports as a kubelet does: port 15000 answers with the path, 15001 refuses, 15002
// never answers.
func forwarding(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/namespaces/sample/pods/sleep-1/portforward") {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		go func() { streams <- s }()
		return nil
	})
	defer conn.Close()
	errorStreams := map[string]httpstream.Stream{}
	waiting := map[string]httpstream.Stream{}
	for {
		select {
		case <-conn.CloseChan():
			return
		case s := <-streams:
			id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				errorStreams[id] = s
			} else {
				waiting[id] = s
			}
			if errorStreams[id] != nil && waiting[id] != nil {
				go answer(waiting[id], errorStreams[id])
			}
		}
	}
}

func answer(data, failure httpstream.Stream) {
	switch data.Headers().Get(corev1.PortHeader) {
	case "15000":
		req, err := http.ReadRequest(bufio.NewReader(data))
		if err == nil {
			status := "200 OK"
			if req.URL.Path == "/missing" {
				status = "404 Not Found"
			}
			body := req.URL.RequestURI() + strings.Repeat(" ", 100_000)
			fmt.Fprintf(data, "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		}
	case "15001":
		fmt.Fprint(failure, "connect: connection refused")
	case "15002":
		_, _ = io.Copy(io.Discard, data)
		return
	}
	failure.Close()
	data.Close()
}

func TestForward(t *testing.T) {
	c := openCluster(t, http.HandlerFunc(forwarding))
	f := &forwarder{kube: c.Kube(), config: c.Resources().GetConfig()}
	sleep := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "sample", Name: "sleep-1"}}
	bodies, errs := f.get(t.Context(), sleep, 15000, []string{"/a?x=1", "/missing", "/b"})
	for i, want := range []string{"/a?x=1", "", "/b"} {
		if want != "" && (errs[i] != nil || strings.TrimSpace(string(bodies[i])) != want || len(bodies[i]) < 100_000) {
			t.Errorf("answer %d has %d bytes, error %v, want %q", i, len(bodies[i]), errs[i], want)
		}
	}
	if errs[1] == nil || !strings.Contains(errs[1].Error(), "404") {
		t.Errorf("a page that is missing: error %v", errs[1])
	}
	if _, errs := f.get(t.Context(), sleep, 15001, []string{"/a"}); errs[0] == nil || errs[0].Error() != "connect: connection refused" {
		t.Errorf("a port that refuses: error %v", errs[0])
	}
	other := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "sample", Name: "other"}}
	if _, errs := f.get(t.Context(), other, 15000, []string{"/a", "/b"}); errs[0] == nil || errs[1] == nil || !strings.Contains(errs[1].Error(), "forbidden") {
		t.Errorf("a pod that may not be reached: errors %v", errs)
	}
}

// A server that accepts and never answers is left when the context ends.
func TestForwardEndsWithTheContext(t *testing.T) {
	c := openCluster(t, http.HandlerFunc(forwarding))
	f := &forwarder{kube: c.Kube(), config: c.Resources().GetConfig()}
	sleep := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "sample", Name: "sleep-1"}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, errs := f.get(ctx, sleep, 15002, []string{"/a"}); !errors.Is(errs[0], context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", errs[0], context.DeadlineExceeded)
	}
}

// Connections that are made at the same moment do not get each other's sockets.
func TestForwardAtOnce(t *testing.T) {
	c := openCluster(t, http.HandlerFunc(forwarding))
	f := &forwarder{kube: c.Kube(), config: c.Resources().GetConfig()}
	sleep := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "sample", Name: "sleep-1"}}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			want := fmt.Sprintf("/page?%d", i)
			bodies, errs := f.get(t.Context(), sleep, 15000, []string{want})
			if errs[0] != nil || strings.TrimSpace(string(bodies[0])) != want {
				t.Errorf("page %d: %.20q, error %v", i, bodies[0], errs[0])
			}
		})
	}
	all.Wait()
}
