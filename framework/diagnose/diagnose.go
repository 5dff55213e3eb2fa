// Package diagnose saves, at the moment of failure and before anything is removed, what a person needs to find out why: events,
// the states of pods, logs (also of containers that ended), the API objects, istiod's and Envoy's own pages, what istioctl makes of
// the mesh, and on kind what the node says. It is best effort, at any stage of a set-up: what cannot be had is named in errors.txt.
//
// Nothing secret is read in the first place: no secret, no environment, no manifest; of logs only those of the mesh's own
// components, of the sample and of the suite's pods; objects and pages as they become evidence.
package diagnose

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/packed"
)

// Limits of one cluster's diagnostics.
const (
	// limit bounds the whole of it: nothing waits for a cluster that does not answer.
	limit = 15 * time.Second
	// maxPages is how large a file of pages may be before it is compressed. Envoy's of a small mesh have 0.3 MB.
	maxPages = 16 << 20
	// atOnce is how many logs are read at the same time.
	atOnce = 8
)

// ErrorsFile lists what could not be had.
const ErrorsFile = "errors.txt"

// Place is a namespace and a label selector ("" = all) of pods to look at.
type Place struct{ Namespace, Selector string }

// Source is one cluster as this package reads it.
type Source interface {
	// Pods lists pods, Events the events of a namespace.
	Pods(ctx context.Context, namespace, selector string) ([]corev1.Pod, error)
	Events(ctx context.Context, namespace string) ([]corev1.Event, error)
	// Log gives the end of a container's log, at most packed.Most bytes; previous means that of the container before it.
	Log(ctx context.Context, pod corev1.Pod, container string, previous bool) ([]byte, error)
	// Istioctl runs the release's istioctl against the cluster.
	Istioctl(ctx context.Context, args ...string) ([]byte, error)
	// Snapshot takes the API objects and the pages of istiod and Envoy, without anything secret; what it lacks is in its Problems.
	Snapshot(ctx context.Context) *evidence.Cluster
	// Node saves what the cluster's node says into a folder; on given clusters it does nothing.
	Node(ctx context.Context, folder string) error
}

// Save writes the diagnostics of one cluster into a folder (files gzip-compressed, mode 0600). The error is that of a folder
// or file that cannot be written; what could not be read is in errors.txt.
func Save(ctx context.Context, folder string, from Source, places []Place) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the limit of %s for diagnostics has passed", limit))
	defer cancel()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder for diagnostics: %w", err)
	}
	s := &saver{folder: folder, from: from}
	var all sync.WaitGroup
	all.Go(func() { s.pods(ctx, places) })
	all.Go(func() { s.events(ctx, places) })
	all.Go(func() { s.snapshot(ctx) })
	all.Go(func() { s.istioctl(ctx, "analyze.txt", "analyze", "--all-namespaces") })
	all.Go(func() { s.istioctl(ctx, "proxy-status.txt", "proxy-status") })
	all.Go(func() { s.missing("the node's state", from.Node(ctx, filepath.Join(folder, "node"))) })
	all.Wait()
	slices.Sort(s.gaps)
	if len(s.gaps) > 0 {
		s.write(ErrorsFile, []byte(strings.Join(s.gaps, "\n")+"\n"))
	}
	return errors.Join(s.failed...)
}

type saver struct {
	folder string
	from   Source

	mu sync.Mutex
	// gaps are what could not be read, failed what could not be written.
	gaps   []string
	failed []error
}

func (s *saver) missing(what string, err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps = append(s.gaps, fmt.Sprintf("%s: %v", what, err))
}

// write saves one file, of a long text its end: what came last says most.
func (s *saver) write(name string, content []byte) {
	s.written(packed.Tail(filepath.Join(s.folder, name), content))
}

func (s *saver) written(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, fmt.Errorf("write diagnostics: %w", err))
}

// pods saves the states of all pods, and their logs.
func (s *saver) pods(ctx context.Context, places []Place) {
	var found []corev1.Pod
	for _, p := range places {
		pods, err := s.from.Pods(ctx, p.Namespace, p.Selector)
		s.missing("the pods of namespace "+p.Namespace, err)
		found = append(found, pods...)
	}
	s.write("pods.yaml", s.states(found))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, p := range found {
		for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				s.log(ctx, p, c, false)
				if c.RestartCount > 0 {
					s.log(ctx, p, c, true)
				}
			})
		}
	}
	all.Wait()
}

// states gives what the kubelet says of pods: conditions, and the states of containers with the reasons of their ends.
func (s *saver) states(pods []corev1.Pod) []byte {
	type state struct {
		Pod    string           `json:"pod"`
		Node   string           `json:"node"`
		Status corev1.PodStatus `json:"status"`
	}
	all := make([]state, len(pods))
	for i, p := range pods {
		all[i] = state{Pod: p.Namespace + "/" + p.Name, Node: p.Spec.NodeName, Status: p.Status}
	}
	text, err := yaml.Marshal(all)
	s.missing("the states of the pods", err)
	return text
}

func (s *saver) log(ctx context.Context, p corev1.Pod, c corev1.ContainerStatus, previous bool) {
	name := fmt.Sprintf("%s/%s/%s", p.Namespace, p.Name, c.Name)
	if previous {
		name += ".previous"
	}
	text, err := s.from.Log(ctx, p, c.Name, previous)
	s.missing("the log of "+name, err)
	if err == nil {
		s.write(filepath.Join("logs", name+".log"), text)
	}
}

func (s *saver) events(ctx context.Context, places []Place) {
	var lines []string
	seen := map[string]bool{}
	for _, p := range places {
		if seen[p.Namespace] {
			continue
		}
		seen[p.Namespace] = true
		events, err := s.from.Events(ctx, p.Namespace)
		s.missing("the events of namespace "+p.Namespace, err)
		slices.SortStableFunc(events, func(a, b corev1.Event) int { return cmp.Compare(at(a).UnixNano(), at(b).UnixNano()) })
		for _, e := range events {
			lines = append(lines, fmt.Sprintf("%s %-7s %-20s %s %s/%s (%d times): %s", at(e).UTC().Format(time.RFC3339), e.Type, e.Reason,
				e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name, max(e.Count, 1), e.Message))
		}
	}
	s.write("events.txt", []byte(strings.Join(lines, "\n")+"\n"))
}

// at is when an event was seen last: newer senders fill eventTime alone.
func at(e corev1.Event) time.Time {
	if e.LastTimestamp.IsZero() {
		return e.EventTime.Time
	}
	return e.LastTimestamp.Time
}

func (s *saver) istioctl(ctx context.Context, file string, args ...string) {
	text, err := s.from.Istioctl(ctx, args...)
	s.missing("istioctl "+strings.Join(args, " "), err)
	s.write(file, text)
}

// snapshot saves the API objects, and the pages of each istiod and Envoy.
func (s *saver) snapshot(ctx context.Context) {
	seen := s.from.Snapshot(ctx)
	for _, p := range seen.Problems {
		s.missing(p.What, errors.New(p.Error))
	}
	if seen.Kubernetes != nil {
		s.document("objects.json", seen.Kubernetes)
	}
	for _, i := range seen.Istiods {
		s.document(filepath.Join("istiod", i.Pod+".json"), i)
	}
	for _, p := range seen.Proxies {
		s.document(filepath.Join("envoy", p.Namespace, p.Pod+".json"), p)
	}
}

// document saves one file of JSON whole, or names it as missing: half of it nobody could read.
func (s *saver) document(name string, value any) {
	text, err := json.MarshalIndent(value, "", " ")
	if err == nil && len(text) > maxPages {
		err = fmt.Errorf("it has %d bytes, more than %d", len(text), maxPages)
	}
	if err != nil {
		s.missing(name, err)
		return
	}
	s.written(packed.Whole(filepath.Join(s.folder, name), text))
}
