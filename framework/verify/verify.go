// Package verify looks at a mesh and says what it saw: it collects until what must converge has converged, keeps the
// last snapshot, sends the traffic once, and looks again after the sample is removed. It changes nothing on a cluster
// but the traffic that it sends, and it knows no test runner.
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/poll"
)

// Limits bounds the waits of this package.
type Limits struct {
	// Converge is how long the joined mesh may take until every claim that converges holds.
	Converge time.Duration
	// Quiet ends that wait early when no verdict has changed for so long.
	Quiet time.Duration
	// Withdraw is how long the endpoints of a removed sample may stay in the mesh.
	Withdraw time.Duration
	// Counters is how long counters and access logs may take around the measured calls, which have traffic.Limit for themselves.
	Counters time.Duration
}

// DefaultLimits are what a mesh is given unless the run says otherwise. Measured on kind: discovery 0.2 to 2.5 s, 30 s
// until istiod gives up on a remote cluster (PILOT_REMOTE_CLUSTER_TIMEOUT), and 0.8 s a call through a dead gateway.
func DefaultLimits() Limits {
	return Limits{Converge: 90 * time.Second, Quiet: 35 * time.Second, Withdraw: 60 * time.Second, Counters: time.Minute}
}

// Caller makes the guide's own calls (S14) from one cluster.
type Caller interface {
	Calls(ctx context.Context, clusterName string) (evidence.Step, error)
}

// Options are what a look needs.
type Options struct {
	Set     cluster.Set
	Intent  intent.Intent
	Folder  *evidence.Folder
	Caller  Caller
	Collect collect.Options
	Limits  Limits
	// LeaveOut are the purposes of calls that are not made (evidence.Split), where each would wait for what is not there.
	LeaveOut []string
	// Await are the ids of the claims for which the mesh is given time to settle; nil = every core claim that converges.
	Await []string
	// Unsettled is how long the calls of one purpose may take on a mesh that has not settled, where each may wait for what is broken;
	// 0 = as long as on any other.
	Unsettled time.Duration
	// OnBegin is told of each step as it begins, OnStep as it ends; both may be nil.
	OnBegin, OnStep func(evidence.Step)
	// OnAnswers is told who has answered a cluster's measured calls so far: how many by version, "" for those that helloworld did
	// not answer; may be nil.
	OnAnswers func(from string, asked int, answered map[string]int)
}

// Joined collects until the joined mesh has settled, saves that epoch, makes the guide's calls and the measured ones, and
// saves them. The error says what could not be done; what could be seen is saved all the same.
func Joined(ctx context.Context, o Options) error { return Look(ctx, o, evidence.Joined) }

// Look is Joined for an epoch of another name: that of a joined mesh to which something was done.
func Look(ctx context.Context, o Options, epoch string) error {
	snapshot, settled, err := settle(ctx, o, epoch, evidence.Joined, o.Limits.Converge)
	if settled {
		o.Unsettled = 0
	}
	if saveErr := save(o, epoch, snapshot); saveErr != nil {
		return saveErr
	}
	if err != nil {
		return err
	}
	err = calls(ctx, o, snapshot)
	if epoch == evidence.Joined { // in the others the control plane says what was done to it
		readLogs(ctx, o, snapshot)
	}
	if saveErr := save(o, epoch, snapshot); saveErr != nil {
		return saveErr
	}
	return err
}

// calls makes the guide's calls, those of the second service and the measured ones.
func calls(ctx context.Context, o Options, snapshot map[string]*evidence.Cluster) error {
	if !slices.Contains(o.LeaveOut, evidence.GuideCalls) {
		if err := guideCalls(ctx, o, snapshot); err != nil {
			return err
		}
	}
	if o.Intent.SecondCalls > 0 && !slices.Contains(o.LeaveOut, evidence.Second) {
		if err := secondCalls(ctx, o, snapshot); err != nil {
			return err
		}
	}
	if slices.Contains(o.LeaveOut, evidence.Split) {
		return nil
	}
	return split(ctx, o, snapshot)
}

// Removed collects until nothing of the removed sample is left in the mesh, or the limit has passed, and saves that.
func Removed(ctx context.Context, o Options) error {
	o.Collect.Attempts = nil // nobody is behind the gateways any more who could answer
	snapshot, _, err := settle(ctx, o, evidence.Removed, evidence.Removed, o.Limits.Withdraw)
	readLogs(ctx, o, snapshot)
	if saveErr := save(o, evidence.Removed, snapshot); saveErr != nil {
		return saveErr
	}
	return err
}

// settle looks until every claim that is awaited of a mesh in that state (Joined or Removed) has passed, and tells whether they
// have. Not to settle is no error: the claims will say so. The error is that of an interrupted look.
func settle(ctx context.Context, o Options, epoch, state string, limit time.Duration) (snapshot map[string]*evidence.Cluster, settled bool, _ error) {
	last, verdicts, changed := "", "", time.Now()
	step := evidence.Step{ID: "V." + epoch[3:], Title: "wait until the " + epoch[3:] + " mesh has settled", Started: time.Now()}
	if o.OnBegin != nil {
		o.OnBegin(step)
	}
	what := "every claim about the " + state[3:] + " mesh that converges"
	if o.Await != nil {
		what = strings.Join(o.Await, ", ")
	}
	err := poll.Until(ctx, poll.Wait{What: what, Where: "all clusters", Limit: limit},
		func(tryCtx context.Context) (string, error) {
			seen := look(tryCtx, o)
			if tryCtx.Err() != nil && snapshot != nil { // cut short: the look before it is kept
				return "", tryCtx.Err()
			}
			snapshot = seen
			open := unsettled(o, state, snapshot)
			if len(open) == 0 {
				return "", nil
			}
			last = inShort(open)
			if now := verdictsOf(open); now != verdicts {
				verdicts, changed = now, time.Now()
			}
			err := fmt.Errorf("claims that do not hold yet: %d", len(open))
			if time.Since(changed) > o.Limits.Quiet {
				return last, poll.Enough(err, fmt.Sprintf("nothing has changed for %s", o.Limits.Quiet))
			}
			return last, err
		})
	if o.OnStep != nil {
		step.Seconds, step.Error = time.Since(step.Started).Seconds(), text(err)
		o.OnStep(step)
	}
	if ctx.Err() != nil {
		return snapshot, false, context.Cause(ctx)
	}
	return snapshot, err == nil, nil
}

// look takes one snapshot of all clusters at once.
func look(ctx context.Context, o Options) map[string]*evidence.Cluster {
	snapshot := map[string]*evidence.Cluster{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, c := range o.Set {
		all.Go(func() {
			seen := collect.Cluster(ctx, c, o.Set.Peers(c.Name), o.Collect)
			mu.Lock()
			defer mu.Unlock()
			snapshot[c.Name] = seen
		})
	}
	all.Wait()
	return snapshot
}

// unsettled gives the findings about a mesh in that state that are awaited and do not hold in the snapshot.
func unsettled(o Options, state string, snapshot map[string]*evidence.Cluster) (open []claim.Finding) {
	run := evidence.Run{Intent: o.Intent, Epochs: map[string]evidence.Epoch{state: {Name: state, Clusters: snapshot}}}
	for _, c := range claim.All() {
		asked := slices.Contains(o.Await, c.ID)
		more := c.Area == claim.Setup || c.Area == claim.Printed // some of them read steps and logs too, which a look does not have
		if c.Kind != claim.Converges || c.Epoch != state || more && !asked || o.Await != nil && !asked {
			continue
		}
		for _, f := range c.Judge(run) {
			if more && f.Verdict == claim.Inconclusive {
				continue
			}
			if f.Verdict != claim.Passed && f.Verdict != claim.Skipped && (f.Level == claim.Core || asked) { // what this run does not claim is extended
				open = append(open, f)
			}
		}
	}
	return open
}

// verdictsOf names findings with their verdicts alone, for who wants to know whether another does.
func verdictsOf(open []claim.Finding) string {
	var all strings.Builder
	for _, f := range open {
		fmt.Fprintf(&all, "%s %s %s\n", f.Claim, f.Subject, f.Verdict)
	}
	return all.String()
}

// inShort tells the first finding whole, and of the others the claims alone: judged, each says for itself what is wrong.
func inShort(open []claim.Finding) string {
	first := open[0]
	said := first.Claim + " (" + first.Subject + "): " + first.Reason
	var others []string
	for _, f := range open[1:] {
		if !slices.Contains(others, f.Claim) {
			others = append(others, f.Claim)
		}
	}
	if len(others) > 0 {
		said += fmt.Sprintf("; and %d more, of %s", len(open)-1, strings.Join(others, ", "))
	}
	return said
}

func save(o Options, epoch string, snapshot map[string]*evidence.Cluster) error {
	for name, c := range snapshot {
		if err := o.Folder.SaveCluster(epoch, name, c); err != nil {
			return fmt.Errorf("save evidence of cluster %s, epoch %s: %w", name, epoch, err)
		}
	}
	return nil
}
