package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/kindcluster"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/report"
)

// Outcome is what a finished run leaves for the last lines.
type Outcome struct {
	Findings  report.Findings
	ReportDir string
	// Left says what the run made and did not remove, and how to remove it; empty when nothing is left.
	Left []string
}

// removeLimit bounds the removal: it must end even when nothing answers any more.
const removeLimit = 3 * time.Minute

// Run does everything: it provisions, verifies, judges, reports and removes. The error says what went wrong on the way;
// the outcome is there in any case but when the input was refused.
func (s *Session) Run(ctx context.Context) (Outcome, error) {
	if err := s.openFolder(); err != nil {
		return Outcome{}, err
	}
	if s.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.o.Timeout, fmt.Errorf("the run's limit of %s (--timeout) has passed", s.o.Timeout))
		defer cancel()
	}
	err := s.Provision(ctx)
	if err == nil {
		err = s.Verify(ctx)
	}
	var usage *UsageError
	if errors.As(err, &usage) {
		return Outcome{}, errors.Join(err, s.discard())
	}
	outcome, finishErr := s.finish(ctx)
	return outcome, errors.Join(err, finishErr)
}

// discard takes away the directories of a run whose input was refused.
func (s *Session) discard() error {
	return errors.Join(s.ledger.Close(), os.RemoveAll(s.o.dir()), os.RemoveAll(s.o.ReportDir))
}

// finish seals the evidence, judges it from its files, removes what the run made, and writes the report.
func (s *Session) finish(ctx context.Context) (Outcome, error) {
	out := Outcome{ReportDir: s.o.ReportDir}
	sealErr := errors.Join(s.folder.SaveIntent(s.intent), s.folder.SaveSteps(s.orderedSteps()), s.folder.Seal())
	found, run, err := report.JudgeDir(s.o.ReportDir)
	if err != nil {
		return out, errors.Join(sealErr, err)
	}
	out.Findings, s.findings = found, found.Findings
	keep := s.o.Keep == KeepAlways || s.o.Keep == KeepOnFailure && found.Verdict != claim.Passed
	var removeErr error
	if keep {
		out.Left = []string{fmt.Sprintf("clusters and files of run %s in %s are kept (--keep %s); remove them with: meshproof down %s", s.o.RunID, s.o.dir(), s.o.Keep, s.o.RunID)}
	} else if removeErr = s.remove(ctx); removeErr != nil {
		out.Left = []string{fmt.Sprintf("run %s was not removed whole: %v; once the cause is mended, remove the rest with: meshproof down %s", s.o.RunID, removeErr, s.o.RunID)}
	}
	x := report.Extra{Left: out.Left}
	if s.images != nil && s.intent.Provision == intent.Kind {
		x.Images = s.images.Source + ": " + s.images.Reason
		for _, i := range s.images.Images {
			if i.StandsInFor != "" {
				x.StandIns = append(x.StandIns, i.Ref+" stands in for "+i.StandsInFor)
			}
		}
	}
	writeErr := report.Write(s.o.ReportDir, found, run, x)
	return out, errors.Join(sealErr, removeErr, writeErr, pointLatest(s.o.ReportDir))
}

// remove takes away what the ledger names. It is done also after an interruption, so it has a time limit of its own.
func (s *Session) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), removeLimit, fmt.Errorf("the removal's limit of %s has passed", removeLimit))
	defer cancel()
	began := time.Now()
	s.o.Tell.Doing("", "remove what the run made")
	var err error
	if s.intent.Provision == intent.Supplied {
		err = procedure.Undo(ctx, s.set, s.ledger)
	} else {
		err = kindcluster.Remove(ctx, s.ledger)
	}
	if err == nil {
		err = errors.Join(s.ledger.Close(), os.RemoveAll(s.o.dir()))
	}
	s.o.Tell.Done("", "remove what the run made", time.Since(began), err)
	return err
}

// Abandon removes what an unfinished `up` made.
func (s *Session) Abandon(ctx context.Context) error { return s.remove(ctx) }

// pointLatest makes the link "latest" beside the report directory, when that is in a directory named reports.
func pointLatest(dir string) error {
	parent := filepath.Dir(dir)
	if filepath.Base(parent) != "reports" {
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
