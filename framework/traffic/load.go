package traffic

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

// LoadPod is the pod of fixtures/load.yaml, and LoadContainer the one whose log is the result.
const (
	LoadPod       = "meshproof-load"
	LoadContainer = "load"
)

// Load reads what the load pod in that namespace of a cluster was answered until now, in the order in which the requests were sent.
func Load(ctx context.Context, c *cluster.Cluster, namespace string) ([]evidence.Request, error) {
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	stream, err := c.Kube().CoreV1().Pods(namespace).GetLogs(LoadPod, &corev1.PodLogOptions{Container: LoadContainer}).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the log of %s/%s on cluster %s: %w", namespace, LoadPod, c.Name, err)
	}
	defer stream.Close()
	requests, err := parseLoad(io.LimitReader(stream, maxLog))
	if err != nil {
		return requests, fmt.Errorf("read the log of %s/%s on cluster %s: %w", namespace, LoadPod, c.Name, err)
	}
	return requests, nil
}

// parseLoad reads one request a line. A last line that was cut short is left out; any other that is no request is an error.
func parseLoad(r io.Reader) ([]evidence.Request, error) {
	requests := []evidence.Request{}
	scan := bufio.NewScanner(r)
	var bad error
	for scan.Scan() {
		if bad != nil {
			return requests, bad
		}
		var one struct {
			At      time.Time `json:"at"`
			Seconds float64   `json:"seconds"`
			Code    int       `json:"code"`
			Body    string    `json:"body"`
			Error   string    `json:"error"`
		}
		if err := json.Unmarshal(scan.Bytes(), &one); err != nil {
			bad = fmt.Errorf("line %d is no request: %w", len(requests)+1, err)
			continue
		}
		q := evidence.Request{At: one.At, Seconds: one.Seconds, Code: one.Code, Error: one.Error}
		var reply evidence.Reply
		fill(&reply, one.Body)
		if q.Version = reply.Version; q.Version == "" && q.Error == "" {
			q.Error = cut(one.Body, maxBody)
		}
		requests = append(requests, q)
	}
	slices.SortStableFunc(requests, func(a, b evidence.Request) int { return a.At.Compare(b.At) })
	return requests, scan.Err()
}
