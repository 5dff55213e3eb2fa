package traffic

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	logLimit = 20 * time.Second
	// maxLog bounds what is read of one pod's log; a line has about 400 bytes.
	maxLog = 64 << 20
	// clockSkew between this machine and the node that stamps the log lines. Lines of other runs do not match anyway.
	clockSkew = 2 * time.Second
)

// AccessLog gives the lines that the sidecars of helloworld in that namespace of the cluster logged of the run's measured calls since then,
// from whichever cluster they came, in the order of their pods and then of the log. Envoy writes its log once a second:
// lines of the last calls may not be there yet.
func AccessLog(ctx context.Context, c *cluster.Cluster, namespace, run string, since time.Time) ([]evidence.LogLine, error) {
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	pods, err := c.Pods(ctx, namespace, "app=helloworld")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	lines, errs := make([][]evidence.LogLine, len(pods)), make([]error, len(pods))
	var all sync.WaitGroup
	for i, p := range pods {
		if p.Status.Phase != corev1.PodRunning {
			continue
		}
		all.Go(func() { lines[i], errs[i] = podLog(ctx, c, p, run, since) })
	}
	all.Wait()
	return slices.Concat(lines...), errors.Join(errs...)
}

func podLog(ctx context.Context, c *cluster.Cluster, p corev1.Pod, run string, since time.Time) ([]evidence.LogLine, error) {
	from := metav1.NewTime(since.Add(-clockSkew))
	stream, err := c.Kube().CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: sidecar, SinceTime: &from}).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the access log of %s/%s on cluster %s: %w", p.Namespace, p.Name, c.Name, err)
	}
	defer stream.Close()
	lines, err := parseLog(io.LimitReader(stream, maxLog), p.Name, run)
	if err != nil {
		return lines, fmt.Errorf("read the access log of %s/%s on cluster %s: %w", p.Namespace, p.Name, c.Name, err)
	}
	return lines, nil
}

// parseLog keeps the lines of the run's calls. A line that names such a call but cannot be understood is an error: it
// would otherwise be missing without a word.
func parseLog(r io.Reader, pod, run string) ([]evidence.LogLine, error) {
	var lines []evidence.LogLine
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		text := scan.Text()
		if !strings.Contains(text, pathOf(run)) {
			continue
		}
		line, err := parseLine(text, run)
		if err != nil {
			return lines, err
		}
		line.Pod = pod
		lines = append(lines, line)
	}
	return lines, scan.Err()
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
