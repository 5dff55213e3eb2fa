package collect

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/evidence"
)

const metricsPage = "metrics"

// keptMetrics are those of istiod that are about remote clusters.
func keptMetrics() []string {
	return []string{evidence.MetricManaged, evidence.MetricSecretEvents, evidence.MetricTimeouts, evidence.MetricSyncStatus}
}

var (
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)
	sampleName = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

// parseMetrics reads the kept metrics out of Prometheus's text format, in an order of its own; never nil.
func parseMetrics(page []byte) []evidence.Metric {
	found := []evidence.Metric{}
	for line := range strings.Lines(string(page)) {
		m := sampleLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || !slices.Contains(keptMetrics(), m[1]) {
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		one := evidence.Metric{Name: m[1], Value: value}
		for _, l := range sampleName.FindAllStringSubmatch(m[2], -1) {
			if one.Labels == nil {
				one.Labels = map[string]string{}
			}
			one.Labels[l[1]] = l[2]
		}
		found = append(found, one)
	}
	slices.SortStableFunc(found, func(a, b evidence.Metric) int {
		return strings.Compare(a.Name+fmt.Sprint(a.Labels), b.Name+fmt.Sprint(b.Labels)) // fmt prints maps in the order of their keys
	})
	return found
}

const (
	// logLines and logBytes bound what is read of istiod's log: its informers repeat a trouble every half minute or so.
	logLines = 2000
	logBytes = 1 << 20
)

// complaints reads what a replica's log says of remote clusters. It is read always: a cluster that was read once stays "synced"
// on clusterz when istiod may read it no more.
func (s source) complaints(ctx context.Context, p corev1.Pod) ([]evidence.Complaint, error) {
	text, err := s.istiodLog(ctx, p, logLines, logBytes, corev1.PodLogOptions{})
	if err != nil {
		return nil, err
	}
	return parseComplaints(text), nil
}

// How istiod's log speaks of remote clusters: ErrorHandlerForCluster in pilot/pkg/util/informermetric, createRemoteCluster
// in pkg/kube/multicluster/secretcontroller.go and DeleteRegistry in pilot/pkg/serviceregistry/aggregate. Both of its
// formats, text and JSON, hold these words.
var (
	watchError = regexp.MustCompile(`watch error in cluster ([A-Za-z0-9._-]+): (.*)`)
	unusable   = regexp.MustCompile(`create remote cluster failed.*?cluster"?[=:]\s*"?([A-Za-z0-9._-]+)`)
	undeleted  = regexp.MustCompile(`registry for cluster ([A-Za-z0-9._-]+) was already replaced, skipping delete`)
	written    = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z`)
)

// parseComplaints counts the lines of each kind, in the order of clusters and kinds.
func parseComplaints(text []byte) []evidence.Complaint {
	type key struct {
		cluster string
		trouble evidence.Trouble
	}
	all := map[key]evidence.Complaint{}
	for line := range strings.Lines(string(text)) {
		cluster, trouble := complaint(line)
		if trouble == "" {
			continue
		}
		c := all[key{cluster, trouble}]
		c.Cluster, c.Trouble = cluster, trouble
		c.Count++
		if at, err := time.Parse(time.RFC3339Nano, written.FindString(line)); err == nil && at.After(c.Last) {
			c.Last = at.UTC()
		}
		all[key{cluster, trouble}] = c
	}
	return slices.SortedFunc(maps.Values(all), func(a, b evidence.Complaint) int {
		return strings.Compare(a.Cluster+" "+string(a.Trouble), b.Cluster+" "+string(b.Trouble))
	})
}

func complaint(line string) (cluster string, trouble evidence.Trouble) {
	if m := watchError.FindStringSubmatch(line); m != nil {
		return m[1], troubleOf(m[2])
	}
	if m := unusable.FindStringSubmatch(line); m != nil {
		return m[1], evidence.Unusable
	}
	if m := undeleted.FindStringSubmatch(line); m != nil {
		return m[1], evidence.Undeleted
	}
	return "", ""
}

// troubleOf tells the kind of a watch error. An answer of the API server comes before what the network may say.
func troubleOf(message string) evidence.Trouble {
	for _, kind := range []struct {
		trouble evidence.Trouble
		words   []string
	}{
		{evidence.Forbidden, []string{"is forbidden"}},
		{evidence.Unauthorized, []string{"Unauthorized", "provide credentials"}},
		{evidence.Untrusted, []string{"x509:", "tls: failed to verify"}},
		{evidence.Unreached, []string{"connection refused", "no route to host", "i/o timeout", "no such host", "network is unreachable",
			"TLS handshake timeout", "deadline exceeded", "connection reset", "Client.Timeout", "server misbehaving"}},
	} {
		if slices.ContainsFunc(kind.words, func(w string) bool { return strings.Contains(message, w) }) {
			return kind.trouble
		}
	}
	return evidence.Unread
}
