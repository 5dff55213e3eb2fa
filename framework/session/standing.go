package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/verify"
)

// A standing mesh is set up once and judged as often as one likes: to prove the suite against planted faults, to judge
// many times, or to watch a mesh while something is done to it. S15 is not performed until Close.

// Stand provisions clusters and performs S1 to S13. Whatever it returns, Close removes what it made.
func (s *Session) Stand(ctx context.Context) error {
	limited, cancel := s.limited(ctx)
	defer cancel()
	return s.explained(ctx, s.stand(limited))
}

func (s *Session) stand(ctx context.Context) error {
	s.intent.Standing = true
	if err := s.provision(ctx); err != nil {
		return err
	}
	s.intent.Standing = true // the intent of given clusters is read from them
	if err := s.prepare(nil); err != nil {
		return err
	}
	return s.setUp(s.watched(ctx))
}

// Close removes what Stand made, and the run's own directory.
func (s *Session) Close(ctx context.Context) error { return s.removeAndTell(ctx) }

// JudgeOptions say how a standing mesh is judged; the zero value is as the run's own options say.
type JudgeOptions struct {
	// Samples per direction; 0 = the run's.
	Samples int
	// Limits of the waits; the zero value = the run's.
	Limits verify.Limits
	// Planted names the faults that are in force, for the report.
	Planted []string
	// LeaveOut are the purposes of calls that are not made (evidence.Split).
	LeaveOut []string
	// Await are the claims for which the mesh is given time to settle, by id; nil = every core claim that converges.
	Await []string
	// Unsettled bounds the calls of one purpose on a mesh that has not settled; 0 = as on any other.
	Unsettled time.Duration
	// Since is from when on the control planes' logs are read; zero = from now on, so that nothing is judged twice.
	Since time.Time
}

// Judge looks at the standing mesh anew, sends the traffic anew, and judges what it saw from the files in dir. The error
// says what could not be done; the findings are there whenever something could be judged. The mesh is not changed.
func (s *Session) Judge(ctx context.Context, dir string, o JudgeOptions) (report.Findings, error) {
	looked, err := s.look(ctx, dir, o)
	if err != nil {
		return report.Findings{}, errors.Join(looked, err)
	}
	found, run, err := report.JudgeDir(dir)
	if err != nil {
		return found, errors.Join(looked, err)
	}
	return found, errors.Join(looked, report.Write(dir, found, run, s.extra(nil)))
}

// look is what Judge does on the clusters: it leaves the sealed evidence in dir. What could not be seen, and what could not be kept,
// are told apart: what could be seen is judged all the same.
func (s *Session) look(ctx context.Context, dir string, o JudgeOptions) (looked, err error) {
	folder, err := evidence.Create(filepath.Join(dir, report.EvidenceDir))
	if err != nil {
		return nil, err
	}
	in := s.intent
	in.Planted = slices.Concat(in.Planted, o.Planted)
	if len(o.Planted) > 0 {
		in.SecondCalls = 0 // each would wait for what is broken, and nothing is named by it that the others do not name
		in.Logs = false    // the control plane says what is broken, and is meant to
	}
	if o.Samples > 0 {
		in.Samples = o.Samples
	}
	steps := s.orderedSteps()
	v := s.verifyOptions()
	v.Intent, v.Folder, v.Collect.Intent, v.Collect.Since = in, folder, in, o.Since
	if o.Since.IsZero() {
		v.Collect.Since = time.Now()
	}
	v.LeaveOut, v.Await, v.Unsettled = o.LeaveOut, o.Await, o.Unsettled
	v.OnStep = func(step evidence.Step) {
		steps = append(steps, step)
		s.tellDone(step)
	}
	if o.Limits != (verify.Limits{}) {
		v.Limits = o.Limits
	}
	looked = verify.Joined(s.watched(ctx), v)
	if err := errors.Join(folder.SaveIntent(in), folder.SaveSteps(steps), folder.Seal()); err != nil {
		return looked, fmt.Errorf("keep the evidence of a standing mesh: %w", err)
	}
	return looked, nil
}

// Kubectl is the program that the guide's commands call.
func (s *Session) Kubectl() string { return s.images.Kubectl }

// CADir holds the certificate authority of a mesh on kind, which signs for its workloads; on given clusters there is none, and
// it is "".
func (s *Session) CADir() string {
	if s.intent.Provision != intent.Kind {
		return ""
	}
	if s.intent.EmulatedCA {
		return filepath.Join(s.o.dir(), "fleet-ca")
	}
	return filepath.Join(s.o.dir(), "ca")
}
