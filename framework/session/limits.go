package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/verify"
)

// Limits are the waits of a run that a slow machine or a slow cluster may need longer for. What each of them bounds is said
// in its table, below.
type Limits struct {
	Procedure procedure.Limits
	Verify    verify.Limits
	Fault     fault.Limits
	// BrokenConverge and BrokenQuiet stand for Converge and Quiet where the mesh is broken on purpose.
	BrokenConverge, BrokenQuiet time.Duration
	// ClaimQuiet stands for Quiet where single claims are judged, and ClaimCalls bounds the calls of one purpose that they read on a
	// mesh that has not settled.
	ClaimQuiet, ClaimCalls time.Duration
	Create, Install        time.Duration
	Step, Script           time.Duration
	Disruption, Undo       time.Duration
	Recover, Load          time.Duration
	Request                time.Duration
	Remove                 time.Duration
}

// DefaultLimits are several times what was measured on two cores.
func DefaultLimits() Limits {
	return Limits{
		Procedure: procedure.DefaultLimits(), Verify: verify.DefaultLimits(), Fault: fault.DefaultLimits(),
		BrokenConverge: 45 * time.Second, BrokenQuiet: 5 * time.Second, ClaimQuiet: 3 * time.Second, ClaimCalls: 4 * time.Second,
		Create: 5 * time.Minute, Install: 5 * time.Minute,
		Step: 2 * time.Minute, Script: 10 * time.Second,
		Disruption: 10 * time.Minute, Undo: 3 * time.Minute,
		Recover: 2 * time.Minute, Load: time.Minute, Request: collect.DefaultRequest,
		Remove: 6 * time.Minute, // an installed control plane goes in five stages, each of which may take a load balancer's minute
	}
}

// Wait is one of the limits, as a person looks it up.
type Wait struct {
	Name string
	// Limit is the longest that is waited.
	Limit    time.Duration
	Sentence string
}

// Waits are the limits in the order of a run.
func (l Limits) Waits() []Wait {
	var all []Wait
	for _, n := range l.table() {
		all = append(all, Wait{n.name, *n.limit, n.sentence})
	}
	return all
}

// times gives limits that are so many times as long.
func (l Limits) times(factor float64) Limits {
	for _, n := range l.table() {
		*n.limit = time.Duration(float64(*n.limit) * factor)
	}
	return l
}

type named struct {
	name     string
	limit    *time.Duration
	sentence string
}

// table names every limit.
func (l *Limits) table() []named {
	return []named{
		{"create-clusters", &l.Create, "Both kind clusters are up; and, counted for itself, the load balancer of each."},
		{"install-control-plane", &l.Install, "The control plane of a cluster is installed and ready: on kind, and with --from install."},
		{"own-step", &l.Step, "A step of the run's own that only speaks to clusters: a look at given ones, the probe pods, the access log."},
		{"gateway-script", &l.Script, "The gateway script of a release directory prints its manifest, when it is tried."},
		{"guide-command", &l.Procedure.Command, "A command of the guide that changes or reads a few objects."},
		{"gateway-install", &l.Procedure.Gateway, "Step S6 installs the east-west gateway. istioctl itself gives up after 5 min, however long this is."},
		{"create-mesh", &l.Procedure.Join, "A real asmcli performs step S8 (--asmcli); and, counted for itself, refuses another fleet."},
		{"gateway-address", &l.Procedure.Address, "The load balancer gives the gateway an address."},
		{"clusters-joined", &l.Procedure.Joined, "With --join-in-turn, the clusters that were joined so far have synced each other before one more is."},
		{"sample-pods", &l.Procedure.Pods, "The pods of one of the sample's workloads are ready, each with its sidecar."},
		{"guide-calls", &l.Procedure.Calls, "Step S14 makes the guide's 20 calls; where a path is dead each may stall for 10 s."},
		{"look-request", &l.Request, "In a look at the mesh: a request to an API server, the reading of a pod's pages, a command in a pod."},
		{"mesh-settled", &l.Verify.Converge, "Every claim about the joined mesh that converges holds."},
		{"mesh-unchanged", &l.Verify.Quiet, "No verdict has changed for so long, in looks of which none was cut short (look-request): the wait for the mesh to settle ends early."},
		{"gateway-host-name", &l.Verify.HostName, "After these two, the host name that a load balancer has given a gateway is resolved, and somebody answers there."},
		{"counters-read", &l.Verify.Counters, "Counters and access logs are read before and after the measured calls, besides the time of the calls."},
		{"disruption", &l.Disruption, "Something is done to the mesh on purpose, looked at, undone, and looked at again."},
		{"fault-command", &l.Fault.Command, "A command that does or undoes a fault; a rollout is waited for in it."},
		{"fault-noticed", &l.Fault.Notice, "istiod or a sidecar has noticed what was done; it gives up on a remote cluster after 30 s."},
		{"broken-mesh-settled", &l.BrokenConverge, "The same as mesh-settled, while the mesh is broken on purpose."},
		{"broken-mesh-unchanged", &l.BrokenQuiet, "The same as mesh-unchanged, while the mesh is broken on purpose."},
		{"claim-unchanged", &l.ClaimQuiet, "The same as mesh-unchanged, for meshproof claim."},
		{"claim-calls", &l.ClaimCalls, "meshproof claim makes the calls of one kind, on a mesh that has not settled."},
		{"steady-calls", &l.Load, "The pods that call at a steady rate are ready; and, counted for itself, their calls go well."},
		{"recovery", &l.Recover, "All calls go well again after a failure. What is measured is how long it took."},
		{"undo", &l.Undo, "What was done to the mesh is undone after an interruption."},
		{"sample-removal", &l.Procedure.CleanUp, "Step S15 removes the sample; and, counted for itself, its namespace is gone."},
		{"endpoints-withdrawn", &l.Verify.Withdraw, "The endpoints of the removed sample have left the mesh."},
		{"removal", &l.Remove, "What the run made is removed."},
		{"object-removal", &l.Procedure.Gone, "One object on a given cluster is gone, within the limit of the removal."},
	}
}

// provingLimits are those of a judgement of a mesh that is broken on purpose. Break has waited until the fault is in force,
// so that the mesh settles at once or not at all.
func (s *Session) provingLimits() verify.Limits {
	l := s.limits.Verify
	l.Converge, l.Quiet, l.HostName = s.limits.BrokenConverge, s.limits.BrokenQuiet, 0 // what is broken may well be the way to a gateway
	return l
}

// Factors by which waits may be stretched. Shorter waits are none: a mesh that is only slow would be called broken.
const leastMultiplier, mostMultiplier = 1.0, 100.0

func (o Options) checkMultiplier() error {
	if o.TimeoutMultiplier >= leastMultiplier && o.TimeoutMultiplier <= mostMultiplier {
		return nil
	}
	return fmt.Errorf("--timeout-multiplier %g: use a factor from %g to %g: with shorter waits a mesh that is only slow would be called broken",
		o.TimeoutMultiplier, leastMultiplier, mostMultiplier)
}

// tooLong is the cause of a context that a limit has ended.
func tooLong(what string, limit time.Duration) error {
	return fmt.Errorf("%s took longer than %s: where the machine or a cluster is slow, --timeout-multiplier stretches this limit", what, limit)
}

// inTime bounds something that another process than the run does, which takes no --timeout-multiplier. An error that comes of the limit
// says so.
func inTime(ctx context.Context, what string, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s took longer than %s: see whether each API server, or the container engine, answers", what, limit))
	defer cancel()
	err := do(ctx)
	if err != nil && ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	return err
}

// stretched says by how much the waits are stretched; "" when they are not.
func (o Options) stretched() string {
	if o.TimeoutMultiplier == 1 {
		return ""
	}
	return fmt.Sprintf("each may take %g times as long as docs/configuration.md has it (--timeout-multiplier)", o.TimeoutMultiplier)
}
