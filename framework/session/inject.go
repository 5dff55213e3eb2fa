package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/traffic"
	"github.com/meshproof/meshproof/framework/verify"
)

const (
	// steadyRate is how many calls a second each cluster makes while something is done to the mesh.
	steadyRate = 20
	// calm is how long the calls must go well before a failure is injected, and after it; longer than a call may take (2 s),
	// so that none of those from before is still under way.
	calm = 4 * time.Second
)

// injections gives those that this run is to do.
func (s *Session) injections() []fault.Injection {
	if !s.o.Disruptive {
		return nil
	}
	return slices.DeleteFunc(fault.Injections(), func(i fault.Injection) bool { return !s.does(i.ID, i.KindOnly) })
}

// inject brings one failure after the other upon the mesh while every cluster calls at a steady rate, and looks at the mesh
// once it has recovered. The error says that the mesh could not be brought back.
func (s *Session) inject(ctx context.Context, o verify.Options, rig *fault.Rig, all []fault.Injection) error {
	o.Intent.Samples = disruptionSamples
	o.Collect.Intent = o.Intent
	for _, i := range all {
		if err := s.injectOnce(ctx, rig, o, i); err != nil {
			return err
		}
		if stop, err := s.failedFast(i.ID); stop || err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) injectOnce(run context.Context, rig *fault.Rig, o verify.Options, i fault.Injection) error {
	ctx, cancel := context.WithTimeoutCause(run, s.limits.Disruption, tooLong(i.ID, s.limits.Disruption))
	defer cancel()
	steady := evidence.SteadyCalls{Pod: traffic.LoadPod, Rate: steadyRate}
	err := s.step(ctx, "D."+i.ID+".calls", "", "call at a steady rate", s.startCalls)
	if err == nil {
		err = s.step(ctx, "D."+i.ID+".break", "", i.Sentence, func(ctx context.Context) error {
			steady.Broken = time.Now().UTC()
			return errors.Join(i.Break(ctx, rig), hold(ctx, i.Hold))
		})
	}
	if err := errors.Join(s.undo(run, rig, i.ID, i.Repair), context.Cause(ctx)); err != nil {
		if s.outlive() { // the pods that call would go on for ever
			_, stopErr := s.endCalls(ctx, steady)
			err = errors.Join(err, stopErr)
		}
		return err
	}
	steady.Restored = time.Now().UTC()
	made, stopErr := s.recovered(ctx, i.ID, steady, err == nil)
	err = s.step(ctx, "D."+i.ID+".again", "", "look at the mesh after it", func(ctx context.Context) error {
		return verify.Look(ctx, o, evidence.Repaired(i.ID))
	})
	for name, calls := range made {
		err = errors.Join(err, s.folder.AddSteadyCalls(evidence.Repaired(i.ID), name, calls))
	}
	return errors.Join(err, stopErr)
}

// recovered waits until the calls go well again, where they had begun well, and ends them: the look after it is to be alone.
func (s *Session) recovered(ctx context.Context, id string, steady evidence.SteadyCalls, began bool) (map[string]evidence.SteadyCalls, error) {
	if began {
		_ = s.step(ctx, "D."+id+".recover", "", "wait until all calls go well again", func(ctx context.Context) error {
			return s.calmed(ctx, s.limits.Recover, time.Now())
		}) // when they do not, the claim says so
	}
	steady.Ended = time.Now().UTC()
	return s.endCalls(ctx, steady)
}

// endCalls is stopCalls, also after an interruption where the clusters outlive the run: the pods that call would go on for ever.
func (s *Session) endCalls(ctx context.Context, steady evidence.SteadyCalls) (map[string]evidence.SteadyCalls, error) {
	if s.outlive() {
		limited, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.limits.Load, tooLong("to end the calls", s.limits.Load))
		defer cancel()
		ctx = limited
	}
	return s.stopCalls(ctx, steady)
}

// hold lets a failure last: nothing is awaited, so it is no wait.
func hold(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// startCalls makes the pods that call, and waits until their calls go well.
func (s *Session) startCalls(ctx context.Context) error {
	err := s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		data, err := s.o.Place.fill(map[string]string{"ProbeImage": s.o.ProbeImage, "Rate": fmt.Sprint(steadyRate), "Namespace": s.intent.Namespace(),
			"URL": evidence.HelloworldURL(s.intent.Namespace())})
		if err != nil {
			return err
		}
		if err := s.apply(ctx, c, fixtures.Load, data); err != nil {
			return err
		}
		w := poll.Wait{What: "the pod that calls is ready", Where: "cluster " + c.Name, Limit: s.limits.Load}
		return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
			p, err := c.Kube().CoreV1().Pods(s.intent.Namespace()).Get(ctx, traffic.LoadPod, metav1.GetOptions{})
			if err != nil {
				return "", err
			}
			ready := func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue }
			if err := misfit(*p); err != nil {
				return "", poll.Final(err)
			}
			if !slices.ContainsFunc(p.Status.Conditions, ready) {
				return string(p.Status.Phase), errors.New("it is not ready")
			}
			return "", nil
		})
	})
	if err != nil {
		return err
	}
	return s.calmed(ctx, s.limits.Load, time.Now())
}

// calmed waits until, since a moment, every cluster's calls have gone well for a while: none was lost, and every version
// answered.
func (s *Session) calmed(ctx context.Context, limit time.Duration, since time.Time) error {
	return s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		w := poll.Wait{What: fmt.Sprintf("all calls go well for %s", calm), Where: "cluster " + c.Name, Limit: limit, Every: time.Second}
		return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
			requests, err := traffic.Load(ctx, c, s.intent.Namespace())
			if err != nil {
				return "", err
			}
			now := time.Now()
			if now.Sub(since) < calm {
				return "", errors.New("not for long enough yet")
			}
			lost, versions := 0, map[string]bool{}
			for _, q := range requests {
				if q.At.Before(now.Add(-calm)) {
					continue
				}
				if q.Version == "" || q.Code != http.StatusOK {
					lost++
				}
				versions[q.Version] = true
			}
			if lost > 0 || len(versions) < len(s.set) {
				return fmt.Sprintf("%d calls lost, %d versions in the last %s", lost, len(versions), calm), errors.New("not yet")
			}
			return "", nil
		})
	})
}

// stopCalls reads what the pods were answered, and removes them: the measured calls that follow are to be alone.
func (s *Session) stopCalls(ctx context.Context, steady evidence.SteadyCalls) (map[string]evidence.SteadyCalls, error) {
	made := map[string]evidence.SteadyCalls{}
	var mu sync.Mutex
	err := s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		requests, err := traffic.Load(ctx, c, s.intent.Namespace())
		if err == nil {
			calls := steady
			calls.From, calls.Requests = c.Name, requests
			mu.Lock()
			made[c.Name] = calls
			mu.Unlock()
		}
		now := int64(0)
		deleted := c.Kube().CoreV1().Pods(s.intent.Namespace()).Delete(ctx, traffic.LoadPod, metav1.DeleteOptions{GracePeriodSeconds: &now})
		if deleted != nil {
			deleted = fmt.Errorf("remove the pod that calls from cluster %s: %w", c.Name, deleted)
		}
		return errors.Join(err, deleted)
	})
	return made, err
}
