package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/traffic"
)

// guideCalls makes the guide's own calls from every cluster. The clusters call at the same time: each has one call in
// flight, and the picks of one client do not depend on another's.
func guideCalls(ctx context.Context, o Options, snapshot map[string]*evidence.Cluster) error {
	var mu sync.Mutex
	return o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		bounded, cancel := o.bounded(ctx)
		defer cancel()
		step, err := o.Caller.Calls(bounded, c.Name)
		t := evidence.Traffic{Purpose: evidence.GuideCalls, From: c.Name, Asked: o.Intent.GuideCalls, Command: []string{step.Command},
			Started: step.Started, Seconds: step.Seconds, Replies: traffic.ParseGuideCalls([]byte(step.Stdout)), Stderr: step.Stderr, Error: step.Error}
		mu.Lock()
		defer mu.Unlock()
		snapshot[c.Name].Traffic = append(snapshot[c.Name].Traffic, t)
		if ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		return nil // an answer that is not right is judged, not raised
	})
}

// secondCalls calls the suite's own service in its second namespace from every cluster. What comes of it is judged; the
// error is that of an interrupted run.
func secondCalls(ctx context.Context, o Options, snapshot map[string]*evidence.Cluster) error {
	var mu sync.Mutex
	mark := markOf(o.Intent.RunID, time.Now())
	return o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		bounded, cancel := o.bounded(ctx)
		defer cancel()
		t, _ := traffic.Second(bounded, c, o.Intent.Namespace(), mark, o.Intent.SecondCalls) // its error is in it
		mu.Lock()
		defer mu.Unlock()
		snapshot[c.Name].Traffic = append(snapshot[c.Name].Traffic, t)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	})
}

// split sends the measured calls, both directions at once, between two readings of every Envoy's counters. It is done
// once: there is no second try.
func split(ctx context.Context, o Options, snapshot map[string]*evidence.Cluster) error {
	limit := traffic.Limit(o.Intent.Samples) + o.Limits.Counters
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the measured calls took longer than %s", limit))
	defer cancel()
	began := time.Now()
	mark := markOf(o.Intent.RunID, began)
	var mu sync.Mutex
	measured := map[string]*evidence.Traffic{}
	before, err := counters(ctx, o)
	if err != nil {
		return fmt.Errorf("read the counters before the measured calls: %w", err)
	}
	logs, stop := follow(ctx, o, mark, began)
	defer stop()
	step := evidence.Step{ID: "V.split", Title: fmt.Sprintf("%d measured calls from each cluster", o.Intent.Samples), Started: began}
	if o.OnBegin != nil {
		o.OnBegin(step)
	}
	var cut error // of calls that were cut short on a mesh that has not settled
	err = o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		bounded, cancel := o.bounded(ctx)
		defer cancel()
		t, err := traffic.Split(bounded, c, o.Intent.Namespace(), mark, o.Intent.Samples, o.answers(c.Name))
		t.Before = before[c.Name]
		mu.Lock()
		defer mu.Unlock()
		measured[c.Name] = &t
		if err != nil && ctx.Err() == nil && bounded.Err() != nil {
			cut = errors.Join(cut, err)
			return nil // that is judged
		}
		return err
	})
	ended := time.Since(began)
	after, countErr := counters(ctx, o)
	if err == nil && countErr != nil {
		err = fmt.Errorf("read the counters after the measured calls: %w", countErr)
	}
	accessLogs(ctx, o, measured, logs)
	for name, t := range measured {
		t.After = after[name]
		snapshot[name].Traffic = append(snapshot[name].Traffic, *t)
	}
	if o.OnStep != nil {
		step.Seconds, step.Error = ended.Seconds(), text(errors.Join(err, cut))
		o.OnStep(step)
	}
	return err
}

// bounded gives calls of one purpose the time that they may take on a mesh that has not settled.
func (o Options) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := o.Unsettled
	if limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s, where calls wait for what is broken, and they were given no more than %s: meshproof claim --patient gives them more", evidence.MeshUnsettled, limit))
}

// answers tells who has answered a cluster's calls; nil when nobody wants to know.
func (o Options) answers(from string) func(map[string]int) {
	if o.OnAnswers == nil {
		return nil
	}
	return func(answered map[string]int) { o.OnAnswers(from, o.Intent.Samples, answered) }
}

// markOf names one round of measured calls in their paths. A mesh that stands is judged again and again under one run id,
// and a log is read from minutes before the calls: lines of the round before must not count for this one.
func markOf(runID string, began time.Time) string {
	const base = 36
	return runID + "-" + strconv.FormatInt(began.UnixMilli(), base)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func counters(ctx context.Context, o Options) (map[string][]evidence.Counters, error) {
	seen := map[string][]evidence.Counters{}
	var mu sync.Mutex
	err := o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		counted, err := collect.Counters(ctx, c, o.Collect)
		mu.Lock()
		defer mu.Unlock()
		seen[c.Name] = counted
		return err
	})
	return seen, err
}

// follow reads what the sidecars of helloworld log of the calls that are about to be made, until it is stopped.
func follow(ctx context.Context, o Options, mark string, since time.Time) (logs map[string]*traffic.Log, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	logs = map[string]*traffic.Log{}
	_ = o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		l := traffic.Follow(ctx, c, o.Intent.Namespace(), mark, since)
		mu.Lock()
		defer mu.Unlock()
		logs[c.Name] = l
		return nil
	})
	return logs, func() {
		cancel()
		for _, l := range logs {
			l.Wait()
		}
	}
}

// accessLogs waits until as many lines are there as replies came: Envoy flushes its log once a second. What is there when the limit
// passes, or when a log can be read no further, is kept, and the claim will say.
func accessLogs(ctx context.Context, o Options, measured map[string]*evidence.Traffic, logs map[string]*traffic.Log) {
	want := map[string]int{} // replies by the cluster whose version answered
	for _, t := range measured {
		for _, r := range t.Replies {
			for _, c := range o.Intent.Clusters {
				if c.Version == r.Version {
					want[c.Name]++
				}
			}
		}
	}
	_ = o.Set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		t, l := measured[c.Name], logs[c.Name]
		if t == nil || l == nil || want[c.Name] == 0 {
			return nil
		}
		return poll.Until(ctx, poll.Wait{What: "access log of the measured calls", Where: "cluster " + c.Name, Limit: accessLogLimit},
			func(ctx context.Context) (string, error) {
				lines, err := l.Lines()
				t.AccessLog = lines
				state := fmt.Sprintf("%d of %d lines", len(lines), want[c.Name])
				switch {
				case len(lines) >= want[c.Name]:
					return state, nil
				case err != nil:
					t.AccessLogError = err.Error()
					return state, poll.Final(err)
				}
				return state, errors.New("the log is not complete")
			})
	})
}

// accessLogLimit is several times Envoy's flush interval of one second (Istio's --file-flush-interval-msec 1000).
const accessLogLimit = 8 * time.Second
