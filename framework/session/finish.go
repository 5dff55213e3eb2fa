package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/kindcluster"
	"github.com/meshproof/meshproof/framework/report"
)

// Outcome is what a finished run leaves for the last lines.
type Outcome struct {
	Findings  report.Findings
	ReportDir string
	// Left says what the run made and did not remove, and how to remove it; empty when nothing is left.
	Left []string
	// Stays names what is kept for the next run: caches and the engine.
	Stays []string
}

// Run does everything: it provisions, verifies, judges, reports and removes. The error says what went wrong on the way;
// the outcome is there in any case but when the input was refused.
func (s *Session) Run(ctx context.Context) (Outcome, error) {
	if err := s.openFolder(); err != nil {
		return Outcome{}, errors.Join(err, s.discard(ctx))
	}
	limited, cancel := s.limited(ctx)
	defer cancel()
	err := s.Provision(limited)
	if err == nil {
		err = s.Verify(limited)
	}
	var usage *UsageError
	if errors.As(err, &usage) {
		return Outcome{}, errors.Join(err, s.discard(ctx))
	}
	outcome, finishErr := s.finish(ctx)
	return outcome, errors.Join(err, finishErr)
}

// Discard takes away what New made, for a run that does not begin.
func (s *Session) Discard() error { return errors.Join(s.ledger.Close(), os.RemoveAll(s.o.dir())) }

// discard takes away the directories of a run that made nothing on any cluster.
func (s *Session) discard(ctx context.Context) error {
	return errors.Join(s.releaseLeases(ctx), s.Discard(), os.RemoveAll(s.o.ReportDir))
}

// finish seals the evidence, judges it from its files, removes what the run made, and writes the report. Whatever of that
// cannot be done, the removal is.
func (s *Session) finish(ctx context.Context) (Outcome, error) {
	out := Outcome{ReportDir: s.o.ReportDir, Stays: s.stays()}
	errs := []error{s.folder.SaveIntent(s.intent), s.folder.SaveSteps(s.orderedSteps()), s.folder.Seal()}
	found, run, err := report.JudgeDir(s.o.ReportDir)
	if err != nil {
		found = report.Findings{RunID: s.o.RunID, Verdict: claim.Inconclusive, ExitCode: exitcode.CouldNotTell,
			Reason: fmt.Sprintf("the evidence could not be read back: %v", err)}
		errs = append(errs, err)
	}
	out.Findings = found
	diagnostics, diagnoseErr := s.diagnose(ctx, found.Verdict)
	errs = append(errs, diagnoseErr)
	var removeErr error
	out.Left, removeErr = s.removeUnlessKept(ctx, found.Verdict)
	errs = append(errs, removeErr)
	if err == nil {
		errs = append(errs, report.Write(s.o.ReportDir, found, run, s.extra(out.Left, diagnostics...)))
	}
	if err := report.AppendSummary(os.Getenv(report.SummaryVariable), found, run); err != nil {
		s.o.Tell.Note(err.Error()) // the report is whole without it, and the verdict is the mesh's, not the CI system's
	}
	if err := pointLatest(s.o.ReportDir); err != nil {
		s.o.Tell.Note(err.Error()) // the report is whole without it
	}
	return out, errors.Join(errs...)
}

func (s *Session) removeUnlessKept(ctx context.Context, v claim.Verdict) (left []string, err error) {
	if !s.o.ReadOnly && (s.o.Keep == KeepAlways || s.o.Keep == KeepOnFailure && v != claim.Passed) {
		return []string{fmt.Sprintf("what run %s made, with its files in %s, is kept (--keep %s); remove it with: meshproof down %s",
			s.o.RunID, s.o.dir(), s.o.Keep, s.o.RunID)}, s.releaseLeases(ctx)
	}
	if err = s.remove(ctx); err != nil {
		left = []string{fmt.Sprintf("run %s was not removed whole; once the cause is mended (see the error), remove the rest with: meshproof down %s",
			s.o.RunID, s.o.RunID)}
	}
	return append(left, s.stayed.All()...), err
}

func (s *Session) extra(left []string, diagnostics ...string) report.Extra {
	x := report.Extra{By: s.o.By, Where: s.o.Where, Tool: tool(), Left: left, Diagnostics: diagnostics}
	replicas := fmt.Sprintf("%d replica of istiod in each cluster stands in for the 2 of Cloud Service Mesh", istiodReplicas)
	if s.o.installs() {
		x.StandIns = append(x.StandIns, replicas)
	}
	if s.images == nil || s.intent.Provision == intent.Supplied {
		return x
	}
	x.Images = s.images.Source + ": " + s.images.Reason
	for _, i := range s.images.Images {
		if i.StandsInFor != "" {
			x.StandIns = append(x.StandIns, i.Ref+" stands in for "+i.StandsInFor)
		}
	}
	if s.intent.EmulatedCA {
		x.StandIns = append(x.StandIns, intent.EmulatedCA+": a signer of our own, by Istio's certificate API, stands in for "+s.intent.CA+
			": an external root, one for the fleet, and the fleet's trust domain")
	}
	x.StandIns = append(x.StandIns, replicas, "MetalLB in L2 mode, without its webhooks and memberlist, stands in for a cloud's load balancer")
	return x
}

// tool names this program with its version; without a version, as a test is built, only the program.
func tool() string {
	const name = "meshproof"
	info, known := debug.ReadBuildInfo()
	if !known {
		return name
	}
	return strings.TrimSpace(name + " " + info.Main.Version)
}

// stays names what no run removes.
func (s *Session) stays() []string {
	if len(s.o.Targets) > 0 || s.images == nil {
		return nil
	}
	return []string{"the image cache " + images.CacheDir(s.o.Images), "the container engine with its node and registry images"}
}

// remove takes away what the ledger names. It is done also after an interruption, so it has a time limit of its own.
func (s *Session) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.limits.Remove, tooLong("the removal", s.limits.Remove))
	defer cancel()
	return s.timed("remove what the run made", func() error {
		var err error
		if s.intent.Provision == intent.Supplied {
			err = s.whileHeld(s.watched(ctx), s.undoHeld)
		} else {
			err = kindcluster.Remove(s.watched(ctx), s.ledger)
		}
		if err == nil {
			err = errors.Join(s.ledger.Close(), os.RemoveAll(s.o.dir()))
		}
		return err
	})
}

// Leave ends the work on clusters that stay: other runs may work there, and other processes remove or judge what was made.
func (s *Session) Leave(ctx context.Context) error {
	return errors.Join(s.releaseLeases(ctx), s.ledger.Close())
}

// Abandon removes what an unfinished Provision made.
func (s *Session) Abandon(ctx context.Context) error { return s.removeAndTell(ctx) }

// removeAndTell is remove where no outcome says what stays for good.
func (s *Session) removeAndTell(ctx context.Context) error {
	err := s.remove(ctx)
	for _, sentence := range s.stayed.All() {
		s.o.Tell.Note(sentence)
	}
	return err
}

// pointLatest makes the link "latest" beside the report directory, when that is in a directory named reports.
func pointLatest(dir string) error {
	parent := filepath.Dir(dir)
	if filepath.Base(parent) != ReportsDir {
		return nil
	}
	link := filepath.Join(parent, "latest")
	next := link + ".next"
	if err := errors.Join(ignoreMissing(os.Remove(next)), os.Symlink(filepath.Base(dir), next), os.Rename(next, link)); err != nil {
		return fmt.Errorf("point %s at the report: %w", link, err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
