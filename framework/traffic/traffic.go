// Package traffic sends calls from a workload in the mesh, one in flight at a time, and returns every reply; and it reads
// what the called sidecars logged. What a reply means is for others to judge.
package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/exec"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

const (
	sidecar = "istio-proxy"
	// secondURL is that of fixtures/second.yaml.
	secondURL = "http://echo." + evidence.SecondNamespace + ":8080/"

	// callLimit bounds one call. A remote endpoint that cannot be reached costs 10 s of Envoy's connect timeout before the
	// call is tried elsewhere: a call that takes longer will not be answered.
	callLimit = 15 * time.Second
	// execStart and perCall bound the exec as a whole. A healthy call takes about 2 ms; where the peer's gateway is dead,
	// every second call loses about 1 s before it is tried elsewhere.
	execStart = time.Minute
	perCall   = 500 * time.Millisecond

	maxStderr = 4096
	stopLimit = 5 * time.Second
)

// workload is what is needed of a cluster to call from it; *cluster.Cluster is one.
type workload interface {
	Follow(ctx context.Context, to io.Writer, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error)
	Pods(ctx context.Context, namespace, selector string) ([]corev1.Pod, error)
}

// Split calls helloworld n times from sleep on the cluster, both in that namespace, in one exec of curl with one call in flight, and returns every
// reply. Each call's path names the run, the cluster and the call's number, which AccessLog finds again. A call without an
// answer is a Reply with curl's exit code. The error (which is also in Traffic.Error) says that the exec could not be made
// or ended before every call was: the replies until then are returned with it. seen, if not nil, is told who has answered so
// far: how many calls by version, "" for those that helloworld did not answer.
func Split(ctx context.Context, c *cluster.Cluster, namespace, run string, n int, seen func(answered map[string]int)) (evidence.Traffic, error) {
	return split(ctx, c, c.Name, namespace, run, n, &tally{seen: seen})
}

// Second calls the suite's own second service as Split calls helloworld. The replies hold the bodies.
func Second(ctx context.Context, c *cluster.Cluster, namespace, run string, n int) (evidence.Traffic, error) {
	return calls(ctx, c, c.Name, run, n, way{from: namespace, to: secondURL, purpose: evidence.Second}, io.Discard)
}

func split(ctx context.Context, w workload, name, namespace, run string, n int, to io.Writer) (evidence.Traffic, error) {
	return calls(ctx, w, name, run, n, way{from: namespace, to: evidence.HelloworldURL(namespace), purpose: evidence.Split}, to)
}

// way is what is called from the sleep of which namespace, and why.
type way struct{ from, to, purpose string }

func calls(ctx context.Context, w workload, name, run string, n int, on way, to io.Writer) (evidence.Traffic, error) {
	t := evidence.Traffic{
		Purpose: on.purpose, From: name, Asked: n, Command: curl(on.to, run, name, n), Started: time.Now().UTC().Round(0), Replies: []evidence.Reply{},
	}
	fail := func(err error) (evidence.Traffic, error) {
		err = fmt.Errorf("call %s %d times from cluster %s: %w", on.to, n, name, err)
		t.Error = err.Error()
		return t, err
	}
	limit := Limit(n)
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s %s", evidence.CallsTookLonger, limit))
	defer cancel()
	pod, container, err := sleepPod(bounded, w, on.from)
	if err != nil {
		return fail(causeOf(bounded, err))
	}
	t.Pod = pod
	began := time.Now()
	stdout, stderr, err := w.Follow(bounded, to, on.from, pod, container, t.Command...)
	t.Seconds = time.Since(began).Seconds()
	t.Replies = ParseSplit(stdout)
	t.Stderr = cut(string(stderr), maxStderr)
	if err != nil && bounded.Err() != nil {
		err = errors.Join(context.Cause(bounded), stop(ctx, w, on.from, pod, container, run+"-"+name))
	}
	missing := missingOf(t.Replies, n)
	var code exec.CodeExitError
	switch {
	case len(missing) == 0 && (err == nil || errors.As(err, &code)):
		return t, nil // curl's exit code is that of its last call, and stands in that reply
	case err == nil:
		return fail(fmt.Errorf("%s: curl said nothing about them", numbers(missing)))
	case len(missing) == 0:
		return fail(err)
	default:
		return fail(fmt.Errorf("%s: %w", numbers(missing), err))
	}
}

// stop ends the curl whose calls have that mark: what an exec has started outlives its connection (kubernetes/kubernetes#89031), and
// calls that go on would be counted by the next look. Any image with a shell and cat will do.
func stop(ctx context.Context, w workload, namespace, pod, container, mark string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	script := fmt.Sprintf(`cat /proc/self/cmdline > /dev/null && for p in /proc/[0-9]*; do case "$(cat "$p/cmdline" 2> /dev/null)" in *[%s]%s*) kill "${p#/proc/}";; esac; done`,
		mark[:1], mark[1:]) // the shell's own command line has the brackets, and does not match
	if _, stderr, err := w.Follow(ctx, io.Discard, namespace, pod, container, "sh", "-c", script); err != nil {
		return fmt.Errorf("calls that were cut short may go on: %w: %s", err, cut(string(stderr), maxStderr))
	}
	return nil
}

// causeOf gives why a context ended, where that is why there is an error.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Limit is how long n calls may take in all.
func Limit(n int) time.Duration { return execStart + time.Duration(n)*perCall }

// marker starts the line that curl writes after each body. No reply of helloworld, Envoy or a load balancer holds it.
const marker = "==meshproof-call "

// curl is the command. The numbers come from curl's own URL globbing, so that no shell is needed, and one process keeps
// one connection to its sidecar, as a client would.
func curl(url, run, from string, n int) []string {
	return []string{
		"curl", "-sS", "-m", strconv.Itoa(int(callLimit.Seconds())),
		"-w", `\n` + marker + `%{http_code} %{time_total} %{exitcode} %{url_effective}\n`,
		fmt.Sprintf("%s?%s-%s-[1-%d]", url, run, from, n),
	}
}

// sleepPod gives the pod to call from and its application's container.
func sleepPod(ctx context.Context, w workload, namespace string) (pod, container string, err error) {
	pods, err := w.Pods(ctx, namespace, "app=sleep")
	if err != nil {
		return "", "", err
	}
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range pods {
		if p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil {
			continue
		}
		for _, c := range p.Spec.Containers {
			if c.Name != sidecar {
				return p.Name, c.Name, nil
			}
		}
	}
	return "", "", fmt.Errorf("no pod app=sleep runs in namespace %s: deploy the sample's sleep first (guide, S13)", namespace)
}

// missingOf gives the numbers from 1 to n that no reply has.
func missingOf(replies []evidence.Reply, n int) []int {
	seen := map[int]bool{}
	for _, r := range replies {
		seen[r.Number] = true
	}
	var missing []int
	for i := 1; i <= n; i++ {
		if !seen[i] {
			missing = append(missing, i)
		}
	}
	return missing
}

func numbers(missing []int) string {
	return fmt.Sprintf("%d of the calls have no reply, the first is number %d", len(missing), missing[0])
}

func cut(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
