package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/verify"
)

// disruptionSamples shows at the declared rate that a side is missing, and no finer imbalance: each call may cost a second
// while a gateway is gone.
const disruptionSamples = 40

// disruptions gives those that this run is to do: none, unless it was asked for them.
func (s *Session) disruptions() []fault.Disruption {
	if !s.o.Disruptive {
		return nil
	}
	return slices.DeleteFunc(fault.Disruptions(), func(d fault.Disruption) bool {
		return !s.does(d.ID, d.KindOnly) || d.NewBalancer && s.hostNamed
	})
}

// does tells whether a run that may change the mesh does this to it.
func (s *Session) does(id string, kindOnly bool) bool {
	if kindOnly && s.intent.Provision != intent.Kind {
		return false
	}
	if _, out := s.o.LeftOut[claim.OfDisruption(id)]; out {
		return false
	}
	return len(s.o.Disruptions) == 0 || slices.Contains(s.o.Disruptions, id)
}

// kindOnly tells whether a disruption or an injection is not for given clusters.
func kindOnly(id string) bool {
	return slices.ContainsFunc(fault.Disruptions(), func(d fault.Disruption) bool { return d.ID == id && d.KindOnly }) ||
		slices.ContainsFunc(fault.Injections(), func(i fault.Injection) bool { return i.ID == id && i.KindOnly })
}

// disrupt does one thing after the other to the joined mesh, looks at what comes of it, undoes it and looks again. It is for
// a mesh that conforms by itself (unfit): of another nothing would be shown. The error says that the mesh could not be
// brought back; what could not be done otherwise is told by the claims. saved is what was saved of that mesh.
func (s *Session) disrupt(ctx context.Context, o verify.Options, saved evidence.Run) error {
	if len(s.disruptions())+len(s.injections()) == 0 {
		return nil
	}
	s.lookForHostNames(saved)
	all, failures := s.disruptions(), s.injections()
	rig, err := s.newRig("disruptions")
	if err != nil {
		return err
	}
	s.intent = s.disrupted(s.intent)
	for _, d := range all {
		if err := s.disruptOnce(ctx, rig, o, d); err != nil {
			return err
		}
		if stop, err := s.failedFast(d.ID); stop || err != nil {
			return err
		}
	}
	return s.inject(ctx, o, rig, failures)
}

// lookForHostNames finds out whether a gateway's load balancer has a host name. A new one is reached minutes after it has its name, and
// longer than a repair may take: what needs a new load balancer is not done there.
func (s *Session) lookForHostNames(saved evidence.Run) {
	for _, c := range saved.Epochs[evidence.Joined].Clusters {
		s.hostNamed = s.hostNamed || slices.ContainsFunc(c.Kubernetes.GatewayAddresses(), func(a string) bool { return net.ParseIP(a) == nil })
	}
	if s.hostNamed {
		s.o.Tell.Note("what needs a new load balancer is not done to the mesh: the gateways have host names, which a cloud takes minutes to bring up")
	}
}

// disrupted is what a run expects that does all of it.
func (s *Session) disrupted(in intent.Intent) intent.Intent {
	for _, d := range s.disruptions() {
		in.Disruptions = append(in.Disruptions, d.ID)
	}
	for _, i := range s.injections() {
		in.Injections = append(in.Injections, i.ID)
	}
	in.DisruptionSamples = disruptionSamples
	return in
}

// leftOut are the purposes of the calls that are not made while a disruption is in force.
func leftOut(d fault.Disruption) []string {
	out := []string{evidence.Second}
	if !d.GuideCalls {
		out = append(out, evidence.GuideCalls)
	}
	if d.NoCalls {
		out = append(out, evidence.Split)
	}
	return out
}

func (s *Session) disruptOnce(run context.Context, rig *fault.Rig, o verify.Options, d fault.Disruption) error {
	ctx, cancel := context.WithTimeoutCause(run, s.limits.Disruption, tooLong(d.ID, s.limits.Disruption))
	defer cancel()
	o.Intent.Samples = disruptionSamples
	o.Collect.Intent = o.Intent
	broken := o
	broken.Limits, broken.LeaveOut = s.provingLimits(), leftOut(d)
	broken.OnStep = func(step evidence.Step) {
		step.Error = "" // not to settle is what is expected of it
		s.record(step)
	}
	if s.step(ctx, "D."+d.ID+".break", "", d.Sentence, func(ctx context.Context) error { return d.Break(ctx, rig) }) == nil {
		_ = s.step(ctx, "D."+d.ID+".look", "", "look at the mesh with it", func(ctx context.Context) error {
			return verify.Look(ctx, broken, evidence.Broken(d.ID))
		}) // what could not be done or seen is in the steps, and the claims tell it
	}
	if err := errors.Join(s.undo(run, rig, d.ID, d.Repair), context.Cause(ctx)); err != nil {
		return err
	}
	return s.step(ctx, "D."+d.ID+".again", "", "look at the mesh without it", func(ctx context.Context) error {
		return verify.Look(ctx, o, evidence.Repaired(d.ID))
	})
}

// outlive tells whether the clusters are there when the run is gone.
func (s *Session) outlive() bool { return s.intent.Provision != intent.Kind || s.o.Keep != KeepNever }

// undo repairs what was done to the mesh, within a limit of its own. Where the clusters outlive the run, an interruption of the
// run neither stops nor cuts it: nothing stays broken. ctx is the run's, not that of the one disruption.
func (s *Session) undo(ctx context.Context, rig *fault.Rig, id string, repair func(context.Context, *fault.Rig) error) error {
	if s.outlive() {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.Undo, tooLong("to undo "+id, s.limits.Undo))
	defer cancel()
	err := s.step(ctx, "D."+id+".repair", "", "undo it", func(ctx context.Context) error {
		if err := repair(ctx, rig); err != nil || s.mirror == nil {
			return err
		}
		return procedure.MarkAgain(ctx, s.set, s.mirror)
	})
	if err != nil {
		err = fmt.Errorf("undo %s: %w", id, err)
	}
	return err
}

// unfit says why the joined mesh, of which this was saved, is not fit to be disrupted; "" when every core claim about it holds.
func unfit(saved evidence.Run) string {
	left := openFindings(saved, func(c claim.Claim) bool { return c.Epoch == evidence.Joined })
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s) is %s: %s", left[0].Claim, left[0].Subject, left[0].Verdict, left[0].Reason)
}

// disruptionsExplained saves diagnostics where something that was done to the mesh was not noticed or could not be mended: before S15
// removes the sample. err is that of the disruptions.
func (s *Session) disruptionsExplained(ctx context.Context, err error) error {
	if ctx.Err() != nil || len(s.intent.Disruptions)+len(s.intent.Injections) == 0 {
		return err
	}
	if err == nil {
		saved, readErr := s.soFar()
		if readErr == nil && len(openFindings(saved, func(c claim.Claim) bool { return c.Disruptive })) == 0 {
			return nil
		}
		err = readErr
	}
	return errors.Join(err, s.saveDiagnostics(ctx))
}

// openFindings gives the findings of these core claims that do not hold.
func openFindings(saved evidence.Run, these func(claim.Claim) bool) []claim.Finding {
	var all []claim.Finding
	for _, c := range claim.All() {
		if these(c) {
			all = append(all, c.Judge(saved)...)
		}
	}
	return slices.DeleteFunc(all, func(f claim.Finding) bool { return f.Level != claim.Core || f.Verdict == claim.Passed })
}
