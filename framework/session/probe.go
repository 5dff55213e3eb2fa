package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/preflight"
)

// CheckProbe refuses a probe where nothing may be made, or where no cluster is there yet.
func (o Options) CheckProbe() error {
	switch {
	case len(o.Targets) == 0:
		return &UsageError{errors.New("--probe is for given clusters: those that a run makes are not there yet: give --kubeconfig twice, or leave it out")}
	case o.ReadOnly:
		return &UsageError{errors.New("--probe deploys a pod on each cluster, and --read-only deploys nothing: leave one of them out")}
	}
	return nil
}

// dialling is how a probe pod is had to dial, and how long until all is reached.
type dialling struct {
	dial  func(context.Context, *cluster.Cluster, collect.Options, []collect.Target) ([]evidence.Dial, error)
	limit time.Duration
	// request bounds one of its requests to the cluster.
	request time.Duration
}

// newPod is how long a pod may need after its start until what lets its packets through knows it: a dial that failed is tried
// again for so long. Each takes 5 s at most.
const newPod = 15 * time.Second

// Dialled is what the probe pods saw of the other clusters' API servers, by the cluster of the pod.
type Dialled = map[string]preflight.Seen[[]evidence.Dial]

// Probe deploys the probe pod on each given cluster, as a run does, and has it dial the API servers of the others at the addresses
// that S8 hands on. It removes what it made before it returns, also after an interruption. What was not seen is there with
// the reason; the error says what could not be removed.
func (s *Session) Probe(ctx context.Context) (Dialled, error) {
	return s.probe(ctx, dialling{dial: collect.Dials, limit: newPod, request: s.limits.Request})
}

func (s *Session) probe(ctx context.Context, d dialling) (Dialled, error) {
	seen := s.dialAll(ctx, d)
	if err := s.removeAndTell(ctx); err != nil {
		return seen, fmt.Errorf("run %s was not removed whole: %w: once that is mended, remove the rest with: meshproof down %s", s.o.RunID, err, s.o.RunID)
	}
	return seen, nil
}

// dialAll is probe without the removal.
func (s *Session) dialAll(ctx context.Context, d dialling) Dialled {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	s.intent.Provision, s.intent.Clusters = intent.Supplied, nil // nothing is read of their mesh: there may be none
	for _, c := range s.set {
		s.intent.Clusters = append(s.intent.Clusters, intent.Cluster{Name: c.Name})
	}
	ready := s.readyToProbe(ctx)
	seen := Dialled{}
	var mu sync.Mutex
	_ = s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error { // every reason is in what was seen
		var dials []evidence.Dial
		err := ready
		if err == nil {
			dials, err = s.dialFrom(ctx, c, d)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[c.Name] = preflight.Seen[[]evidence.Dial]{Value: dials, Err: err}
		return nil
	})
	return seen
}

// readyToProbe looks whether a pod may be deployed, keeps other runs off, and writes down how to reach the clusters.
func (s *Session) readyToProbe(ctx context.Context) error {
	err := s.bounded(ctx, "P3", "", "look at the given clusters", func(ctx context.Context) error {
		if err := s.intent.ValidateNames(); err != nil {
			return err
		}
		if err := s.reach(ctx); err != nil {
			return err
		}
		if s.o.installs() { // it is to make istio-system, where the lease is
			if err := s.set.Each(ctx, istio.Refuse); err != nil {
				return err
			}
		}
		if err := s.lookForOthers(ctx); err != nil {
			return err
		}
		return s.set.Each(ctx, probeIsFree)
	})
	if err == nil {
		err = s.hold(ctx)
	}
	if err == nil && !s.o.installs() {
		err = s.remember(ctx)
	}
	return err
}

func probeIsFree(ctx context.Context, c *cluster.Cluster) error {
	namespace := manifest.Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: fixtures.ProbeNamespace}
	there, err := manifest.Exists(ctx, c, namespace)
	if err == nil && there {
		err = fmt.Errorf("%s is there already: if a run has left it, meshproof cleanup removes it; else remove or rename it", namespace)
	}
	return err
}

// dialFrom deploys the probe pod on a cluster, waits until it runs, and has it dial. A connection that fails is no error.
func (s *Session) dialFrom(ctx context.Context, c *cluster.Cluster, d dialling) (dials []evidence.Dial, err error) {
	targets, err := collect.ServerTargets(s.set.Peers(c.Name))
	if err == nil {
		err = s.bounded(ctx, "P7", c.Name, "deploy the probe pod", func(ctx context.Context) error {
			return s.deployIn(ctx, c, fixtures.ProbeNamespace, fixtures.Probe)
		})
	}
	if err != nil {
		return nil, err
	}
	err = s.step(ctx, "P13", c.Name, "dial the other clusters' API servers", func(ctx context.Context) error {
		w := poll.Wait{What: "the probe pod runs", Where: "cluster " + c.Name + ", namespace " + fixtures.ProbeNamespace, Limit: s.limits.Step}
		if err := poll.Until(ctx, w, probeRuns(c)); err != nil {
			return err
		}
		dials, err = d.until(ctx, c, targets)
		return err
	})
	return dials, err
}

// until dials until all is reached or the limit has passed, and gives what was seen last. The error says that no try had an answer
// for every target.
func (d dialling) until(ctx context.Context, c *cluster.Cluster, targets []collect.Target) (dials []evidence.Dial, err error) {
	whole := false
	w := poll.Wait{What: "the other clusters' API servers are reached", Where: "cluster " + c.Name, Limit: d.limit, Every: time.Second}
	err = poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		found, err := d.dial(ctx, c, collect.Options{Probe: probeRef(), Request: d.request}, targets)
		if err != nil {
			if !whole {
				dials = found
			}
			if pods, listErr := c.Pods(ctx, fixtures.ProbeNamespace, fixtures.ProbeSelector); listErr == nil {
				if other := misfitAmong(pods); other != nil { // it ran for a moment
					return "", poll.Final(other)
				}
			}
			return "", err
		}
		dials, whole = found, true
		for _, one := range found {
			if !one.Connected {
				return one.Error, errors.New("not all are reached")
			}
		}
		return "all are reached", nil
	})
	if whole {
		return dials, nil
	}
	return dials, err
}

// probeRuns looks for the probe pod, with its container up: a program for other machines leaves the pod running and the container not.
func probeRuns(c *cluster.Cluster) poll.Try {
	return func(ctx context.Context) (string, error) {
		pods, err := c.Pods(ctx, fixtures.ProbeNamespace, fixtures.ProbeSelector)
		if err != nil {
			return "", err
		}
		state := "there is no pod"
		for _, p := range pods {
			if list := p.Status.ContainerStatuses; p.Status.Phase == corev1.PodRunning && len(list) == 1 && list[0].Ready {
				return "it runs", nil
			}
			if err := misfit(p); err != nil {
				return "", poll.Final(err)
			}
			state = whyNot(p)
		}
		return state, errors.New("it does not run")
	}
}

// whyNot is what Kubernetes says of a pod that does not run.
func whyNot(p corev1.Pod) string {
	says := []string{"phase " + string(p.Status.Phase)}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			says = append(says, c.Reason+" "+c.Message)
		}
	}
	for _, s := range p.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil {
			says = append(says, w.Reason+" "+w.Message)
		}
	}
	return oneLine(strings.Join(says, ", "))
}
