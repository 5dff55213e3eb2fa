package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/verify"
)

// Beginning says where a run takes the guide up, and whether it performs any of it.
type Beginning struct {
	// From is the part of the guide at which the run begins; "" = at the gateways on given clusters, else with the installation.
	From intent.Begin
	// ReadOnly deploys nothing and sends no traffic.
	ReadOnly bool
}

// begin is what the intent holds of it: nothing where the run begins as every run does.
func (b Beginning) begin() intent.Begin {
	if b.From.Later() {
		return b.From
	}
	return ""
}

// Check refuses beginnings that cannot be: on given clusters or on those that the run makes, with what else was asked of it.
func (b Beginning) Check(given, disruptive bool, mode intent.Mode) error {
	if err := b.check(given, disruptive, mode); err != nil {
		return &UsageError{err}
	}
	return nil
}

func (b Beginning) check(given, disruptive bool, mode intent.Mode) error {
	switch later := b.From.Later(); {
	case b.From != "" && !slices.Contains(intent.Begins(), b.From):
		return fmt.Errorf("--from %s: use one of %v", b.From, intent.Begins())
	case !given && b.From != "" && b.From != intent.FromInstall:
		return fmt.Errorf("--from %s is for given clusters: on those that the run makes there is nothing yet: give --kubeconfig twice, or leave it out", b.From)
	case !given && b.ReadOnly:
		return errors.New("--read-only is for given clusters: on those that the run makes there is nothing to look at: give --kubeconfig twice, or leave it out")
	case b.ReadOnly && b.From != "" && b.From != intent.FromVerify:
		return fmt.Errorf("--from %s with --read-only, which performs no step: leave one of them out", b.From)
	case b.ReadOnly && disruptive:
		return errors.New("--disruptive changes the mesh, and --read-only changes nothing: leave one of them out")
	case b.ReadOnly && mode == intent.Literal:
		return errors.New("--mode literal is about the commands that are run, and --read-only runs none: leave one of them out")
	case later && disruptive:
		return fmt.Errorf("--disruptive with --from %s would break what somebody else made: the gateways are not the run's own: leave one of them out", b.From)
	case later && mode == intent.Literal:
		return fmt.Errorf("--mode literal with --from %s: what the guide prints for the gateways would not be run: leave one of them out", b.From)
	}
	return nil
}

// checkGround looks whether the given clusters hold what the run builds on and nothing that it would overwrite. A run that
// only reads takes them as they are.
func (s *Session) checkGround(ctx context.Context) error {
	if !s.o.ReadOnly {
		if err := s.lookForOthers(ctx); err != nil {
			return refused(err, lease.ErrHeld, mirror.ErrTaken, cluster.ErrAccess) // what is in the way may be the other run's
		}
	}
	if err := s.checkVacant(ctx); err != nil {
		return refused(err, istio.ErrThere, cluster.ErrAccess)
	}
	if s.intent.Skips(intent.StepJoin) != "" {
		named, err := procedure.RemoteNames(ctx, s.set, s.intent)
		if err != nil {
			return err
		}
		s.intent.Clusters = named
		if err := s.intent.Validate(); err != nil {
			return &UsageError{err}
		}
	}
	if s.o.ReadOnly {
		return s.findSample(ctx)
	}
	err := errors.Join(procedure.Require(ctx, s.set, s.intent), procedure.Refuse(ctx, s.set, s.intent, ownNamespaces()...))
	return refused(err, procedure.ErrInTheWay, procedure.ErrMissing)
}

// findSample notes whether any cluster has pods of the sample. Where only one has, the claims say so.
func (s *Session) findSample(ctx context.Context) error {
	s.intent.NoSample = true
	for _, c := range s.set {
		pods, err := c.Pods(ctx, s.intent.Namespace(), "app in ("+evidence.RoleHelloworld+","+evidence.RoleSleep+")")
		if err != nil {
			return err
		}
		if len(pods) > 0 {
			s.intent.NoSample = false
		}
	}
	return nil
}

// onlyLook is Verify for a run that only reads: it notes the steps as not performed, and collects once the mesh has settled.
func (s *Session) onlyLook(ctx context.Context) error {
	steps, err := guide.Steps(len(s.intent.Clusters))
	if err != nil {
		return err
	}
	for _, step := range procedure.Skipped(steps, s.intent) {
		s.record(step)
	}
	o := s.verifyOptions()
	o.LeaveOut = []string{evidence.GuideCalls, evidence.Second, evidence.Split}
	o.Collect.Probe, o.Collect.Attempts = collect.ProbeRef{}, nil
	return verify.Joined(ctx, o)
}
