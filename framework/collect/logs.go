package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

// Bounds of what is read of one container's log, from its end, and of what is kept of it. A control plane on kind writes about
// 1000 lines (100 KB) in a run, of which ten say more than information.
const (
	maxLogLines   = 10_000
	maxLogBytes   = 8 << 20
	maxKeptLines  = 200
	maxMessage    = 300
	maxStackDepth = 8
)

// Logs reads what every running replica of istiod, of all revisions, has logged beside information since the time in the
// options; of a container that was started anew also what the one before it wrote. What could not be read is a problem.
func Logs(ctx context.Context, c *cluster.Cluster, o Options) ([]evidence.IstiodLog, []evidence.Problem) {
	s, err := from(c, o)
	if err != nil {
		return nil, problems(evidence.ProblemLogs, err)
	}
	logs, err := s.logs(ctx, o.withDefaults())
	return logs, problems(evidence.ProblemLogs, err)
}

func (s source) logs(ctx context.Context, o Options) ([]evidence.IstiodLog, error) {
	pods, err := s.running(ctx, o.GatewayNamespace, istiodSelector)
	if err != nil {
		return nil, err
	}
	all := []evidence.IstiodLog{}
	var errs []error
	for _, p := range pods {
		of := []bool{false} // what runs
		restarted := slices.ContainsFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool {
			return c.Name == istiodEndpoint().container && c.RestartCount > 0
		})
		if restarted {
			of = append(of, true)
		}
		for _, previous := range of {
			one, err := s.replicaLog(ctx, p, o.Since, previous)
			all, errs = append(all, one), append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err // of a part of the logs nobody can say that it holds nothing
	}
	return all, nil
}

func (s source) replicaLog(ctx context.Context, p corev1.Pod, since time.Time, previous bool) (evidence.IstiodLog, error) {
	o := corev1.PodLogOptions{Previous: previous}
	if !since.IsZero() {
		from := metav1.NewTime(since)
		o.SinceTime = &from
	}
	text, err := s.istiodLog(ctx, p, maxLogLines, maxLogBytes, o)
	if err != nil {
		return evidence.IstiodLog{}, err
	}
	log := parseLog(text)
	log.Pod, log.Previous, log.Since = p.Name, previous, since.UTC().Round(0)
	return log, nil
}

// istiodLog reads so much of the end of a replica's log.
func (s source) istiodLog(ctx context.Context, p corev1.Pod, lines int64, bytes int, o corev1.PodLogOptions) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	o.Container, o.TailLines = istiodEndpoint().container, &lines
	text, err := s.LogEnd(ctx, p.Namespace, p.Name, &o, bytes)
	if err != nil {
		return nil, fmt.Errorf("read the log of istiod %s/%s (previous %t) on cluster %s: %w", p.Namespace, p.Name, o.Previous, s.name, err)
	}
	return text, nil
}

// parseLog takes out of a log what is more than information, equal lines once.
func parseLog(text []byte) evidence.IstiodLog {
	log := evidence.IstiodLog{Cut: len(text) >= maxLogBytes, Lines: []evidence.LoggedLine{}}
	var panicked *evidence.LoggedLine // the panic whose stack follows
	for line := range strings.Lines(string(text)) {
		log.Read++
		line = strings.TrimRight(line, "\r\n")
		one, is := logLine(line)
		if !is {
			addFrame(panicked, line)
			continue
		}
		panicked = nil
		kept := keep(&log, one)
		if one.Level == evidence.LevelPanic {
			panicked = kept
		}
	}
	log.Cut = log.Cut || log.Read >= maxLogLines
	return log
}

// keep adds a line, or counts it with an equal one. The line that is given back is nil when it is not kept.
func keep(log *evidence.IstiodLog, one evidence.LoggedLine) *evidence.LoggedLine {
	at := slices.IndexFunc(log.Lines, func(l evidence.LoggedLine) bool {
		return l.Level == one.Level && l.Scope == one.Scope && l.Message == one.Message
	})
	switch {
	case at >= 0:
		log.Lines[at].Count++
		log.Lines[at].Last = one.Last
		return nil // its stack is there
	case len(log.Lines) >= maxKeptLines && one.Level != evidence.LevelPanic:
		log.Left++
		return nil
	}
	log.Lines = append(log.Lines, one)
	return &log.Lines[len(log.Lines)-1]
}

var (
	// istioLine is Istio's text format (istio.io/istio/pkg/log): time, level, perhaps a scope, the message, perhaps values, with
	// tabs between them.
	istioLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\t(debug|info|warn|error|fatal)\t(.*)$`)
	// goLine is the format of Go's own log/slog, in which libraries write that know nothing of Istio's.
	goLine    = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (WARN|ERROR) (.*)$`)
	scopeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
	goPanic   = regexp.MustCompile(`^(?:panic: |fatal error: )`)
	// caught is how Kubernetes' libraries log a panic that they recovered from (k8s.io/apimachinery/pkg/util/runtime).
	caught = regexp.MustCompile(`^Observed a panic`)
	// frame is a function in the stack of a panic, with its arguments.
	frame = regexp.MustCompile(`^([A-Za-z][\w./*()\[\]-]*)\((?:[^()]*|\.\.\.)\)$`)
)

// logLine reads one line. The second result is false for information, and for what is neither a line of the log's format nor
// the head of a panic.
func logLine(line string) (evidence.LoggedLine, bool) {
	if goPanic.MatchString(line) {
		return evidence.LoggedLine{Level: evidence.LevelPanic, Message: redact(line), Count: 1}, true
	}
	at, level, scope, message, is := splitLine(line)
	if !is || level == "info" || level == "debug" {
		return evidence.LoggedLine{}, false
	}
	if caught.MatchString(message) {
		level = evidence.LevelPanic
	}
	one := evidence.LoggedLine{Level: level, Scope: scope, Message: redact(message), Count: 1}
	if when, err := time.Parse(time.RFC3339Nano, at); err == nil {
		one.First, one.Last = when.UTC(), when.UTC()
	}
	return one, true
}

// splitLine knows both of Istio's formats, text and JSON, and Go's; values beside the message are left out.
func splitLine(line string) (at, level, scope, message string, is bool) {
	if m := istioLine.FindStringSubmatch(line); m != nil {
		parts := strings.Split(m[3], "\t")
		if len(parts) > 1 && scopeName.MatchString(parts[0]) {
			return m[1], m[2], parts[0], parts[1], true
		}
		return m[1], m[2], "", parts[0], true
	}
	if m := goLine.FindStringSubmatch(line); m != nil {
		return "", strings.ToLower(m[1]), "", m[2], true
	}
	var structured struct{ Level, Time, Scope, Msg string }
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &structured) != nil || structured.Level == "" {
		return "", "", "", "", false
	}
	return structured.Time, structured.Level, structured.Scope, structured.Msg, true
}

// addFrame adds a function to a panic's stack: names of functions are the program's, what they were called with is not kept.
func addFrame(panicked *evidence.LoggedLine, line string) {
	if panicked == nil || len(panicked.Stack) >= maxStackDepth {
		return
	}
	if m := frame.FindStringSubmatch(line); m != nil && m[1] != "panic" {
		panicked.Stack = append(panicked.Stack, m[1])
	}
}
