package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/report"
)

// Proof is what came of one fault: what was declared, and what the suite said.
type Proof struct {
	Fault fault.Fault
	// Verdict is the judgement's; Causes are those of the findings that are not passed, the verdict's own first.
	Verdict claim.Verdict
	Causes  []string
	// Took is the time from the fault being in force to the verdict.
	Took time.Duration
	// Named tells that verdict and cause are as declared, with no other cause beside it.
	Named bool
	// Err is why the fault could not be put in, judged or taken out; nil when all of that went well.
	Err error
}

// provingSamples shows at the declared rate that a side is missing, and no finer imbalance.
const provingSamples = 60

// Prove puts each fault into the standing mesh, has it judged, and takes it out again; before and after each the mesh must
// pass. It tells of each proof as it ends. An error means that the mesh is not healthy any more, and nothing can be proved.
func (s *Session) Prove(ctx context.Context, faults []fault.Fault, tell func(Proof)) error {
	rig, err := s.newRig("faults")
	if err != nil {
		return err
	}
	if err := s.healthy(ctx, filepath.Join(s.o.ReportDir, "healthy")); err != nil {
		return err
	}
	for _, f := range faults {
		p := s.prove(ctx, rig, f)
		tell(p)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := s.timed("repair "+f.ID, func() error { return f.Repair(s.watched(ctx), rig) }); err != nil {
			return fmt.Errorf("take fault %s out again: %w", f.ID, err)
		}
		if err := s.healthy(ctx, filepath.Join(s.o.ReportDir, "faults", f.ID, "repaired")); err != nil {
			return fmt.Errorf("after fault %s was taken out: %w", f.ID, err)
		}
	}
	return nil
}

// prove puts one fault in and has the mesh judged.
func (s *Session) prove(ctx context.Context, rig *fault.Rig, f fault.Fault) Proof {
	p := Proof{Fault: f}
	if p.Err = s.timed("break "+f.ID, func() error { return f.Break(s.watched(ctx), rig) }); p.Err != nil {
		return p
	}
	samples := f.Samples
	if samples == 0 {
		samples = provingSamples
	}
	began := time.Now()
	var found report.Findings
	err := s.timed("judge "+f.ID, func() (err error) {
		found, err = s.Judge(ctx, filepath.Join(s.o.ReportDir, "faults", f.ID, "broken"),
			JudgeOptions{Samples: samples, Limits: s.provingLimits(), Planted: []string{f.ID}})
		return err
	})
	p.Took, p.Verdict, p.Causes = time.Since(began), found.Verdict, causes(found)
	if found.Verdict == "" {
		p.Err = err // a look that was cut short is judged all the same, and the findings say so
	}
	p.Named = p.Verdict == f.Verdict && slices.Contains(p.Causes, f.Cause) &&
		!slices.ContainsFunc(p.Causes, func(id string) bool { return id != f.Cause && !slices.Contains(f.Also, id) })
	return p
}

// causes gives the causes of the findings that are not passed, each once. An extended finding counts when it failed.
func causes(found report.Findings) []string {
	var all []string
	for _, f := range found.Findings {
		if f.Cause != nil && f.Verdict != claim.Passed && !slices.Contains(all, f.Cause.ID) {
			all = append(all, f.Cause.ID)
		}
	}
	return all
}

// healthy has the mesh judged, and is an error unless it passes.
func (s *Session) healthy(ctx context.Context, dir string) error {
	found, err := s.Judge(ctx, dir, JudgeOptions{Samples: provingSamples})
	if found.Verdict == claim.Passed {
		return nil
	}
	if ctx.Err() == nil && !s.diagnosed {
		err = errors.Join(err, s.saveDiagnostics(ctx)) // the proof ends here, and the clusters go
	}
	return errors.Join(fmt.Errorf("the mesh is %s: %s: see %s", found.Verdict, strings.TrimSpace(found.Reason), dir), err)
}

// newRig is what faults, disruptions and injections act with; name is that of its private directory.
func (s *Session) newRig(name string) (*fault.Rig, error) {
	rig := &fault.Rig{Set: s.set, Intent: s.intent, Kubectl: s.images.Kubectl, Mesh: s.mesh, Dir: filepath.Join(s.o.dir(), name), Limits: s.limits.Fault}
	if rig.Mesh.Release == nil { // the control planes of given clusters are somebody's
		rig.Mesh.Release = s.rel
	}
	if err := os.MkdirAll(rig.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for what is done to the mesh: %w", err)
	}
	return rig, nil
}
