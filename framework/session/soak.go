package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/report"
)

// Round is one judgement of a mesh that should pass, or one whole life cycle.
type Round struct {
	Number  int
	Verdict claim.Verdict
	Reason  string
	// Took is the time of the whole judgement; Looked is that of the first look at both clusters in it.
	Took, Looked time.Duration
	// Dir holds the evidence; it is removed when the round passed.
	Dir string
}

// Soak judges the standing mesh n times, each with evidence and traffic of its own, and tells of each round as it ends. The
// error is that of an interrupted soak; a round that does not pass is none.
func (s *Session) Soak(ctx context.Context, n int, tell func(Round)) error {
	for i := 1; i <= n; i++ {
		r := Round{Number: i, Dir: filepath.Join(s.o.ReportDir, fmt.Sprintf("judgement-%03d", i))}
		began := time.Now()
		found, err := s.Judge(ctx, r.Dir, JudgeOptions{})
		r.Took, r.Verdict, r.Reason = time.Since(began), found.Verdict, found.Reason
		if err != nil && r.Verdict == claim.Passed {
			r.Verdict, r.Reason = claim.Inconclusive, err.Error()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if r.Looked, err = settleTime(r.Dir); err != nil {
			return err
		}
		if err := tellAndTidy(r, tell); err != nil {
			return err
		}
	}
	return nil
}

// tellAndTidy keeps the evidence of a round that did not pass, and of no other: many rounds would fill a disk.
func tellAndTidy(r Round, tell func(Round)) error {
	tell(r)
	if r.Verdict != claim.Passed {
		return nil
	}
	if err := os.RemoveAll(r.Dir); err != nil {
		return fmt.Errorf("remove the evidence of a round that passed: %w", err)
	}
	return nil
}

// settleTime reads how long it took to see the mesh settled: on a healthy one that is a single look at all clusters.
func settleTime(dir string) (time.Duration, error) {
	run, err := evidence.Load(filepath.Join(dir, report.EvidenceDir))
	if err != nil {
		return 0, err
	}
	var took time.Duration
	for _, step := range run.Steps { // the last one is this judgement's
		if step.ID == "V.joined" {
			took = time.Duration(step.Seconds * float64(time.Second))
		}
	}
	return took, nil
}
