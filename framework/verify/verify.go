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
)

// Limits bounds the waits of this package.
type Limits struct {
	// Converge is how long the joined mesh may take until every claim that converges holds.
	Converge time.Duration
	// Quiet ends that wait early when no verdict has changed for so long, in looks of which none was cut short.
	Quiet time.Duration
	// HostName is how much longer that wait may take, without an early end, while the host name of a gateway's load balancer is not
	// resolved or does not answer; 0 = no longer.
	HostName time.Duration
	// Withdraw is how long the endpoints of a removed sample may stay in the mesh.
	Withdraw time.Duration
	// Counters is how long counters and access logs may take around the measured calls, which have traffic.Limit for themselves.
	Counters time.Duration
}

// DefaultLimits are what a mesh is given unless the run says otherwise. Measured on kind: discovery 0.2 to 2.5 s, 30 s
// until istiod gives up on a remote cluster (PILOT_REMOTE_CLUSTER_TIMEOUT), and 0.8 s a call through a dead gateway. A new load
// balancer of AWS has its host name at once, and is reached 2 to 5 minutes later.
func DefaultLimits() Limits {
	return Limits{Converge: 90 * time.Second, Quiet: 35 * time.Second, HostName: 6 * time.Minute, Withdraw: 60 * time.Second, Counters: time.Minute}
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
	snapshot, settled, err := settle(ctx, o, epoch, evidence.Joined, o.Limits.Converge, look)
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
	snapshot, _, err := settle(ctx, o, evidence.Removed, evidence.Removed, o.Limits.Withdraw, look)
	readLogs(ctx, o, snapshot)
	if saveErr := save(o, evidence.Removed, snapshot); saveErr != nil {
		return saveErr
	}
	return err
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

// cutShort tells whether a request of a look has met its limit.
func cutShort(snapshot map[string]*evidence.Cluster) bool {
	for _, c := range snapshot {
		if slices.ContainsFunc(c.Problems, func(p evidence.Problem) bool { return strings.Contains(p.Error, context.DeadlineExceeded.Error()) }) {
			return true
		}
	}
	return false
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
