package traffic

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	logLimit = 20 * time.Second
	// maxLog bounds what is read of one pod's log; a line has about 400 bytes.
	maxLog = 64 << 20
	// clockSkew is how far the node that stamps the log lines may be behind this machine: more than preflight lets pass. Lines of
	// other calls do not match anyway.
	clockSkew = 5 * time.Minute
)

// Log is what the sidecars of helloworld on one cluster log of the run's measured calls, from whichever cluster they come.
type Log struct {
	mu    sync.Mutex
	lines map[string][]evidence.LogLine // by pod
	errs  []error
	ended sync.WaitGroup
}

// Follow begins to read the log before the calls are made, until the context ends. A log that is read after them may have been
// rotated meanwhile (kubelet does so at 10 MiB, some 25,000 calls), and an API server gives only what was written since. What cannot be
// read, at the start or later, is told by Lines.
func Follow(ctx context.Context, c *cluster.Cluster, namespace, run string, since time.Time) *Log {
	l := &Log{lines: map[string][]evidence.LogLine{}}
	pods, err := c.Pods(ctx, namespace, "app=helloworld")
	if err != nil {
		l.note(err)
	}
	for _, p := range pods {
		if p.Status.Phase != corev1.PodRunning {
			continue
		}
		from := metav1.NewTime(since.Add(-clockSkew))
		options := &corev1.PodLogOptions{Container: sidecar, SinceTime: &from, Follow: true}
		stream, err := c.Kube().CoreV1().Pods(p.Namespace).GetLogs(p.Name, options).Stream(ctx)
		if err != nil {
			l.note(fmt.Errorf("read the access log of %s/%s on cluster %s: %w", p.Namespace, p.Name, c.Name, err))
			continue
		}
		l.ended.Go(func() {
			defer stream.Close()
			odd, err := l.read(io.LimitReader(stream, maxLog), p.Name, run)
			if err == nil {
				err = endedWith(odd)
			}
			if ctx.Err() == nil {
				l.note(fmt.Errorf("read the access log of %s/%s on cluster %s: %w", p.Namespace, p.Name, c.Name, err))
			}
		})
	}
	return l
}

// endedWith says why a log ended that is followed. A kubelet that cannot go on says so in a line of its own, and ends the log.
func endedWith(odd string) error {
	switch {
	case odd == "":
		return errors.New("it ended while it was followed: the sidecar was restarted, or its log is too long")
	case strings.Contains(odd, "too many open files"):
		return fmt.Errorf("it ended while it was followed: %.300s: the node has no inotify instance left: remove other clusters from its machine, or raise fs.inotify.max_user_instances there", odd)
	}
	return fmt.Errorf("it ended while it was followed: %.300s", odd)
}

func (l *Log) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

// Lines gives what is known so far, in the order of the pods and then of the log, beside what could not be read: of that no more lines
// will come. Envoy writes its log once a second: lines of the last calls may not be there yet.
func (l *Log) Lines() ([]evidence.LogLine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []evidence.LogLine
	for _, pod := range slices.Sorted(maps.Keys(l.lines)) {
		all = append(all, l.lines[pod]...)
	}
	return all, errors.Join(l.errs...)
}

// Wait waits until nothing reads any more, which is so after the end of the context.
func (l *Log) Wait() { l.ended.Wait() }

// read keeps the lines of the run's calls. A line that names such a call but cannot be understood is an error: it would otherwise
// be missing without a word. It gives the last line where that is none of the sidecar's, but the kubelet's.
func (l *Log) read(r io.Reader, pod, run string) (odd string, _ error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		text := scan.Text()
		if odd = ""; text != "" && unicode.IsLetter(rune(text[0])) { // access logs begin with "[" or "{", the agent's lines with a date
			odd = text
		}
		if !strings.Contains(text, pathOf(run)) {
			continue
		}
		line, err := parseLine(text, run)
		if err != nil {
			return odd, err
		}
		line.Pod = pod
		l.mu.Lock()
		l.lines[pod] = append(l.lines[pod], line)
		l.mu.Unlock()
	}
	return odd, scan.Err()
}

func pathOf(run string) string { return "/hello?" + run + "-" }

// entry is what both of Istio's log formats hold, as text.
type entry struct{ path, code, flags, downstream string }

func parseLine(text, run string) (evidence.LogLine, error) {
	read := textEntry
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		read = jsonEntry
	}
	e, err := read(text)
	if err != nil {
		return evidence.LogLine{}, fmt.Errorf("understand the line %.300q: %w", text, err)
	}
	call, ok := strings.CutPrefix(e.path, pathOf(run))
	dash := strings.LastIndex(call, "-")
	if !ok || dash < 0 {
		return evidence.LogLine{}, fmt.Errorf("understand the line %.300q: its path %q is not that of a call", text, e.path)
	}
	number, numberErr := strconv.Atoi(call[dash+1:])
	code, codeErr := strconv.Atoi(e.code)
	host, _, hostErr := net.SplitHostPort(e.downstream)
	if err := errors.Join(numberErr, codeErr, hostErr); err != nil {
		return evidence.LogLine{}, fmt.Errorf("understand the line %.300q: %w", text, err)
	}
	flags := e.flags
	if flags == "-" {
		flags = ""
	}
	return evidence.LogLine{From: call[:dash], Number: number, Code: code, Downstream: host, Flags: flags}, nil
}

// textEntry reads Istio's default format (EnvoyTextLogFormat in istio's pilot/pkg/model/telemetry_logging.go):
//
//	[START] "METHOD PATH PROTOCOL" CODE FLAGS DETAILS ... "UPSTREAM_HOST" CLUSTER UPSTREAM_LOCAL DOWNSTREAM_LOCAL DOWNSTREAM_REMOTE SNI ROUTE
//
// It is read from both ends, because the quoted texts between may hold anything.
func textEntry(text string) (entry, error) {
	_, rest, ok := strings.Cut(text, `"`)
	request, rest, closed := strings.Cut(rest, `"`)
	words, before := strings.Fields(request), strings.Fields(rest)
	last := strings.Fields(text[strings.LastIndex(text, `"`)+1:])
	if !ok || !closed || len(words) != 3 || len(before) < 2 || len(last) < 6 {
		return entry{}, errors.New("it is not in Istio's default log format: use that format or JSON")
	}
	return entry{path: words[1], code: before[0], flags: before[1], downstream: last[3]}, nil
}

// jsonEntry reads Istio's JSON format, whose keys are the lower-case names of the text format's parts.
func jsonEntry(text string) (entry, error) {
	var all struct {
		Path       string          `json:"path"`
		Code       json.RawMessage `json:"response_code"`
		Flags      string          `json:"response_flags"`
		Downstream string          `json:"downstream_remote_address"`
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return entry{}, err
	}
	return entry{path: all.Path, code: strings.Trim(string(all.Code), `"`), flags: all.Flags, downstream: all.Downstream}, nil
}
