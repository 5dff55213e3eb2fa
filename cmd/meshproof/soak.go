package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/stats"
)

func soakCommand() *cobra.Command {
	var (
		o         session.Options
		n, cycles int
		verbose   bool
	)
	c := &cobra.Command{
		Use:   "soak",
		Short: "Judge a healthy mesh many times, to see how often the suite is wrong",
		Long: `Makes a mesh on two kind clusters and judges it again and again, with evidence and traffic of
its own each time; then runs the whole life cycle, from making the clusters to their removal,
several times. It prints how many did not pass, and the rate that this bounds. Ends with code 1
when any did not.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if n < 0 || cycles < 0 || n+cycles == 0 {
				return &session.UsageError{Err: fmt.Errorf("--n %d, --life-cycles %d: give numbers above 0", n, cycles)}
			}
			o.Alpha = 1e-8
			kindDefaults(&o)
			return shown(c.Context(), progress.Options{Verbose: verbose, Brief: true}, func(t *progress.Teller) error {
				return soak(c.Context(), o, t, n, cycles)
			})
		},
	}
	f := c.Flags()
	f.IntVar(&n, "n", 50, "judgements of one standing mesh")
	f.IntVar(&cycles, "life-cycles", 10, "whole runs")
	f.IntVar(&o.Samples, "samples", 600, "measured calls per direction")
	f.StringVar(&o.ReportDir, "report-dir", "", "where the evidence of what did not pass goes (default: reports/RUN-ID)")
	f.BoolVarP(&verbose, "verbose", "v", false, "print also what is being done")
	meshFlags(f, &o)
	imageFlags(f, &o.Images)
	configured(c)
	return c
}

// tally counts rounds and keeps their times, in seconds.
type tally struct {
	w      io.Writer
	failed int
	took   []float64
	looked []float64
}

func (t *tally) add(what string, r session.Round) {
	t.took = append(t.took, r.Took.Seconds())
	if r.Looked > 0 {
		t.looked = append(t.looked, r.Looked.Seconds())
	}
	line := fmt.Sprintf("%s %d: %s in %.1f s", what, r.Number, r.Verdict, r.Took.Seconds())
	if r.Verdict != claim.Passed {
		t.failed++
		line += ": " + r.Reason + "; evidence: " + r.Dir
	}
	fmt.Fprintln(t.w, line)
}

// bound is the one-sided 95% upper bound of the rate, as a percentage.
func (t *tally) bound() float64 {
	_, high := stats.Interval(t.failed, len(t.took), 0.10)
	return 100 * high
}

func spread(w io.Writer, what string, values []float64) {
	if len(values) == 0 {
		return
	}
	s := slices.Sorted(slices.Values(values))
	fmt.Fprintf(w, "%s: min %.1f s, median %.1f s, max %.1f s\n", what, s[0], s[len(s)/2], s[len(s)-1])
}

func soak(ctx context.Context, o session.Options, t *progress.Teller, n, cycles int) error {
	s, err := begin(t, o)
	if err != nil {
		return err
	}
	out := t.Writer(progress.Guarded(os.Stdout))
	judged, lived := tally{w: out}, tally{w: out}
	if err = s.Stand(ctx); err == nil {
		err = s.Soak(ctx, n, func(r session.Round) { judged.add("judgement", r) })
	}
	err = errors.Join(err, s.Close(ctx))
	for i := 1; i <= cycles && err == nil; i++ {
		err = lifeCycle(ctx, o, t, s.Options().ReportDir, i, &lived)
	}
	spread(out, "a judgement of the standing mesh", judged.took)
	spread(out, "its look at both clusters", judged.looked)
	spread(out, "a whole life cycle", lived.took)
	if len(judged.took)+len(lived.took) > 0 {
		fmt.Fprintf(out, "soak: %d of %d judgements and %d of %d life cycles failed (95%% bounds: %.1f%% and %.1f%%)\n",
			judged.failed, len(judged.took), lived.failed, len(lived.took), judged.bound(), lived.bound())
	}
	if err == nil && judged.failed+lived.failed > 0 {
		return exitError(1)
	}
	return err
}

// lifeCycle is one whole run under an id of its own.
func lifeCycle(ctx context.Context, o session.Options, t *progress.Teller, dir string, number int, lived *tally) error {
	o.RunID, o.ReportDir = "", filepath.Join(dir, fmt.Sprintf("life-cycle-%02d", number))
	s, err := begin(t, o)
	if err != nil {
		return err
	}
	began := time.Now()
	outcome, err := s.Run(ctx)
	if ctx.Err() != nil {
		return err
	}
	r := session.Round{Number: number, Took: time.Since(began), Verdict: outcome.Findings.Verdict, Reason: outcome.Findings.Reason, Dir: o.ReportDir}
	if err != nil {
		r.Verdict, r.Reason = claim.Inconclusive, err.Error()
	}
	lived.add("life cycle", r)
	if r.Verdict != claim.Passed {
		return nil
	}
	return os.RemoveAll(o.ReportDir)
}
