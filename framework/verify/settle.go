package verify

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/poll"
)

type looker func(context.Context, Options) map[string]*evidence.Cluster

// settle looks until every claim that is awaited of a mesh in that state (Joined or Removed) has passed, and tells whether they
// have. Not to settle is no error: the claims will say so. The error is that of an interrupted look.
func settle(ctx context.Context, o Options, epoch, state string, limit time.Duration, take looker) (snapshot map[string]*evidence.Cluster, settled bool, _ error) {
	step := evidence.Step{ID: "V." + epoch[3:], Title: "wait until the " + epoch[3:] + " mesh has settled", Started: time.Now()}
	if o.OnBegin != nil {
		o.OnBegin(step)
	}
	s := settling{o: o, state: state, take: take, changed: time.Now()}
	err := s.until(ctx, limit)
	if err != nil && ctx.Err() == nil && o.Limits.HostName > 0 && s.awaitsHostName() {
		err = s.until(ctx, o.Limits.HostName)
	}
	if o.OnStep != nil {
		step.Seconds, step.Error = time.Since(step.Started).Seconds(), text(err)
		o.OnStep(step)
	}
	if ctx.Err() != nil {
		return s.snapshot, false, context.Cause(ctx)
	}
	return s.snapshot, err == nil, nil
}

// settling is one wait for a mesh to settle.
type settling struct {
	o     Options
	state string
	take  looker
	// snapshot is the last look that was not cut short, open what did not hold in it, and changed when that became so.
	snapshot map[string]*evidence.Cluster
	open     []claim.Finding
	changed  time.Time
}

func (s *settling) until(ctx context.Context, limit time.Duration) error {
	what := "every claim about the " + s.state[3:] + " mesh that converges"
	if s.o.Await != nil {
		what = strings.Join(s.o.Await, ", ")
	}
	patient := s.awaitsHostName() // the first time nothing was seen yet
	return poll.Until(ctx, poll.Wait{What: what, Where: "all clusters", Limit: limit}, func(ctx context.Context) (string, error) {
		seen := s.take(ctx, s.o)
		if ctx.Err() != nil && s.snapshot != nil { // cut short: the look before it is kept
			return "", ctx.Err()
		}
		s.snapshot = seen
		open := unsettled(s.o, s.state, seen)
		if len(open) == 0 {
			s.open = nil
			return "", nil
		}
		if verdictsOf(open) != verdictsOf(s.open) {
			s.changed = time.Now()
		}
		s.open = open
		err := fmt.Errorf("claims that do not hold yet: %d", len(open))
		if cutShort(seen) {
			s.changed = time.Now() // what the look did not see says nothing of the mesh
		} else if time.Since(s.changed) > s.o.Limits.Quiet && (!patient || !s.awaitsHostName()) {
			return inShort(open), poll.Enough(err, fmt.Sprintf("nothing has changed for %s", s.o.Limits.Quiet))
		}
		return inShort(open), err
	})
}

// awaitsHostName tells whether all that is open may come of the host name of a gateway's load balancer, which the cloud gives before
// it can be resolved and before somebody answers there.
func (s *settling) awaitsHostName() bool {
	comes := func(f claim.Finding) bool {
		return f.Area == claim.Denial || slices.Contains([]string{"gateway-reached", "gateways-known", "endpoints-across-gateway", "second-endpoints"}, f.Claim)
	}
	if slices.ContainsFunc(s.open, func(f claim.Finding) bool { return !comes(f) }) {
		return false
	}
	for _, c := range s.snapshot {
		if slices.ContainsFunc(c.Dials, unansweredName) {
			return true
		}
	}
	return false
}

// unansweredName tells whether a connection to a host name found no address or no answer. One that is refused was answered.
func unansweredName(d evidence.Dial) bool {
	host, _, err := net.SplitHostPort(d.Address)
	return err == nil && net.ParseIP(host) == nil && !d.Connected &&
		slices.ContainsFunc([]string{"no such host", "i/o timeout", "deadline exceeded", "server misbehaving"}, func(w string) bool { return strings.Contains(d.Error, w) })
}
