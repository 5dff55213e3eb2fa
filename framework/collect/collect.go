// Package collect takes snapshots of a cluster's API objects, of istiod and of Envoy into evidence. It looks; it never
// judges and never changes anything. What it cannot see it names as a problem of the snapshot, and nothing that is secret
// is taken at all.
package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// ProbeRef says where the suite's own probe pod is found.
type ProbeRef struct {
	// Namespace of the pod; empty when there is no probe, and then nothing is dialled.
	Namespace string
	// Selector is a label selector, such as app=meshproof-probe.
	Selector string
	// MadeFrom is what the probe must be made from (images.ProbeMadeFrom): one of another version looks at nothing. "" = whatever it is.
	MadeFrom string
}

// command is the command line that has the probe do something.
func (p ProbeRef) command(args ...string) []string {
	if p.MadeFrom == "" {
		return append([]string{"probe"}, args...)
	}
	return append([]string{"probe", "--made-from", p.MadeFrom}, args...)
}

// Options say what to look at.
type Options struct {
	Intent intent.Intent
	Probe  ProbeRef
	// Attempts are made with every address of the peers' gateways, from the probe pod of the cluster of that name; nil = none.
	Attempts func(clusterName string) []Attempt
	// Since is the time from which on logs are read; the zero value means from their beginning.
	Since time.Time
	// GatewayNamespace is where istiod and the east-west gateway run; "" means "istio-system".
	GatewayNamespace string
	// Request bounds each request to an API server, the reading of a pod's pages, and each exec; 0 means DefaultRequest.
	Request time.Duration
}

// DefaultRequest is longer than what a probe gives one connection, in dials and handshakes.
const DefaultRequest = 10 * time.Second

func (o Options) withDefaults() Options {
	if o.GatewayNamespace == "" {
		o.GatewayNamespace = "istio-system"
	}
	if o.Request == 0 {
		o.Request = DefaultRequest
	}
	return o
}

// namespaces are those that the run looks into.
func (o Options) namespaces() []string {
	all := []string{o.GatewayNamespace, o.Intent.Namespace()}
	if o.Probe.Namespace != "" && !slices.Contains(all, o.Probe.Namespace) {
		all = append(all, o.Probe.Namespace)
	}
	return all
}

// maxExecs at once on one cluster: more only queue up in the kubelet.
const maxExecs = 8

// reader is what is needed of a cluster; *cluster.Cluster is one.
type reader interface {
	LogEnd(ctx context.Context, namespace, pod string, o *corev1.PodLogOptions, most int) ([]byte, error)
	Exec(ctx context.Context, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error)
	Feed(ctx context.Context, stdin io.Reader, namespace, pod, container string, command ...string) (stdout, stderr []byte, err error)
	Kube() kubernetes.Interface
	Dynamic() dynamic.Interface
	Server() string
}

// source is one cluster, as the parts of this package read it.
type source struct {
	reader
	name     string
	metadata metadata.Interface
	forward  getter
	execs    chan struct{}
	limit    time.Duration // Options.Request
}

func from(c *cluster.Cluster, o Options) (source, error) {
	config := c.Resources().GetConfig()
	m, err := metadata.NewForConfig(config)
	if err != nil {
		return source{}, fmt.Errorf("make a metadata client for cluster %s: %w", c.Name, err)
	}
	return source{reader: c, name: c.Name, metadata: m, forward: &forwarder{kube: c.Kube(), config: config}, execs: make(chan struct{}, maxExecs), limit: o.withDefaults().Request}, nil
}

// run executes a command in a container and gives its standard output.
func (s source) run(ctx context.Context, pod corev1.Pod, container string, command ...string) ([]byte, error) {
	select {
	case s.execs <- struct{}{}:
		defer func() { <-s.execs }()
	case <-ctx.Done():
		return nil, fmt.Errorf("run %q in %s/%s on cluster %s: %w", command, pod.Namespace, pod.Name, s.name, context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	stdout, stderr, err := s.Exec(ctx, pod.Namespace, pod.Name, container, command...)
	if err != nil {
		return stdout, fmt.Errorf("%w%s", err, said(stderr))
	}
	return stdout, nil
}

// said gives the last line that a command wrote to standard error, for an error message.
func said(stderr []byte) string {
	text := strings.TrimSpace(string(stderr))
	text = text[strings.LastIndex(text, "\n")+1:]
	if text == "" {
		return ""
	}
	return ": it said " + fmt.Sprintf("%.300q", text)
}

// Cluster takes everything of one cluster at once: its API objects, each istiod's pages, each Envoy's pages, and, when the
// options name a probe pod, a connection to every address of the peers' gateways. It takes as much as it can: what it
// cannot see is in Problems, by name.
func Cluster(ctx context.Context, c *cluster.Cluster, peers cluster.Set, o Options) *evidence.Cluster {
	s, err := from(c, o)
	if err != nil {
		return &evidence.Cluster{Problems: problems("clients", err)}
	}
	targets := func(ctx context.Context) ([]Target, error) { return GatewayTargets(ctx, peers, o) }
	return snapshot(ctx, s, targets, o.withDefaults())
}

func snapshot(ctx context.Context, s source, targets func(context.Context) ([]Target, error), o Options) *evidence.Cluster {
	var seen evidence.Cluster
	var mu sync.Mutex
	var all sync.WaitGroup
	part := func(what string, look func() error) {
		all.Go(func() {
			if err := look(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				seen.Problems = append(seen.Problems, problems(what, err)...)
			}
		})
	}
	part("API objects", func() (err error) { seen.Kubernetes, err = s.kubernetes(ctx, o); return err })
	part("istiod", func() (err error) { seen.Istiods, err = s.istiods(ctx, o); return err })
	part("proxies", func() (err error) { seen.Proxies, err = s.proxies(ctx, o, allPages, allRoles()...); return err })
	if o.Probe.Namespace != "" {
		part("dials", func() error {
			to, err := targets(ctx)
			dials, dialErr := s.dials(ctx, o, to)
			seen.Dials = dials
			return errors.Join(err, dialErr)
		})
	}
	if o.Probe.Namespace != "" && o.Attempts != nil {
		part("handshakes", func() error {
			to, err := targets(ctx)
			made, madeErr := s.handshakes(ctx, o, to)
			seen.Handshakes = made
			return errors.Join(err, madeErr)
		})
	}
	all.Wait()
	slices.SortFunc(seen.Problems, func(a, b evidence.Problem) int { return strings.Compare(a.What+a.Error, b.What+b.Error) })
	return &seen
}

// problems gives one Problem for each error that was joined.
func problems(what string, err error) []evidence.Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []evidence.Problem
		for _, e := range joined.Unwrap() {
			all = append(all, problems(what, e)...)
		}
		return all
	}
	return []evidence.Problem{{What: what, Error: err.Error(), At: now()}}
}

// now is the time without the parts that do not survive being saved.
func now() time.Time { return time.Now().UTC().Round(0) }
