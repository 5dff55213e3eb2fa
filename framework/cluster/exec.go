package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
)

// Exec runs a command in a container and returns what it printed. A command that ends with a non-zero code gives an
// error that wraps k8s.io/client-go/util/exec.CodeExitError; what was printed until then is returned too, also when the
// context ends first. (e2e-framework's ExecInPod writes into plain buffers, which its stream may still be filling when a
// cancelled call returns.)
func (c *Cluster) Exec(ctx context.Context, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error) {
	return c.exec(ctx, nil, io.Discard, namespace, pod, container, command...)
}

// Follow is Exec, with the standard output copied to a writer as it comes. The writer must not fail.
func (c *Cluster) Follow(ctx context.Context, to io.Writer, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error) {
	return c.exec(ctx, nil, to, namespace, pod, container, command...)
}

// Feed is Exec with something on the command's standard input: what must not stand in its arguments. nil is no input.
func (c *Cluster) Feed(ctx context.Context, stdin io.Reader, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error) {
	return c.exec(ctx, stdin, io.Discard, namespace, pod, container, command...)
}

func (c *Cluster) exec(ctx context.Context, stdin io.Reader, to io.Writer, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error) {
	request := c.kube.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	var out, errOut output
	executor, err := remotecommand.NewSPDYExecutor(c.rest, "POST", request.URL())
	if err == nil {
		err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: io.MultiWriter(&out, to), Stderr: &errOut})
	}
	if err != nil {
		err = fmt.Errorf("run %q in %s/%s container %s on cluster %s: %w", command, namespace, pod, container, c.Name, err)
	}
	return out.take(), errOut.take(), err
}

// output collects a stream that may go on being written to after its reader has left.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to what was collected.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.text.Bytes())
}
