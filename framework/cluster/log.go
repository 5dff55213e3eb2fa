package cluster

import (
	"context"
	"errors"
	"io"

	corev1 "k8s.io/api/core/v1"
)

// LogEnd reads what the options ask of a container's log and keeps the last bytes of it, at most so many. The API's own LimitBytes
// would keep the first ones of the lines that TailLines gives: what came last, at the failure, would be missing.
func (c *Cluster) LogEnd(ctx context.Context, namespace, pod string, o *corev1.PodLogOptions, most int) ([]byte, error) {
	stream, err := c.kube.CoreV1().Pods(namespace).GetLogs(pod, o).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return end(stream, most)
}

// end keeps the last bytes of a text, at most so many.
func end(r io.Reader, most int) ([]byte, error) {
	var kept []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := r.Read(chunk)
		kept = append(kept, chunk[:n]...)
		if over := len(kept) - most; over > 0 {
			kept = append(kept[:0], kept[over:]...)
		}
		switch {
		case errors.Is(err, io.EOF):
			return kept, nil
		case err != nil:
			return nil, err
		}
	}
}
