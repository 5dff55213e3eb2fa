package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/stats"
)

func soakCommand() *cobra.Command {
	var (
		o         session.Options
		shows     showing
		n, cycles int
		table     string
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
			o.Alpha = defaultAlpha
			kindDefaults(&o)
			return shows.acts(c, true, func(t *progress.Teller, out io.Writer) (progress.Result, error) {
				if n < 0 || cycles < 0 || n+cycles == 0 {
					return progress.Result{}, &session.UsageError{Err: fmt.Errorf("--n %d, --life-cycles %d: give numbers above 0", n, cycles)}
				}
				k := newSoaking(t, out)
				k.table = table
				return k.soak(c.Context(), o, n, cycles)
			})
		},
	}
	f := c.Flags()
	f.IntVar(&n, "n", 50, "judgements of one standing mesh")
	f.IntVar(&cycles, "life-cycles", 10, "whole runs")
	f.StringVar(&table, "table", "", "write what came of it to this file, as Markdown")
	f.IntVar(&o.Samples, "samples", defaultSamples, "measured calls per direction")
	f.StringVar(&o.ReportDir, "report-dir", "", "where the evidence of what did not pass goes (default: reports/RUN-ID)")
	shows.add(c)
	meshFlags(f, &o)
	imageFlags(f, &o.Images)
	configured(c)
	return c
}

// tally counts rounds and keeps their times, in seconds.
type tally struct {
	t      *progress.Teller
	w      io.Writer
	what   string
	failed int
	took   []float64
	looked []float64
}

func (t *tally) add(r session.Round) {
	t.took = append(t.took, r.Took.Seconds())
	if r.Looked > 0 {
		t.looked = append(t.looked, r.Looked.Seconds())
	}
	line, dir := fmt.Sprintf("%s %d: %s in %.1f s", t.what, r.Number, r.Verdict, r.Took.Seconds()), ""
	if r.Verdict != claim.Passed {
		t.failed++
		line += ": " + r.Reason + "; evidence: " + r.Dir
		dir = r.Dir
	}
	t.t.Round(t.what, r, dir)
	fmt.Fprintln(t.w, line)
}

// bound is the one-sided 95% upper bound of the rate.
func (t *tally) bound() float64 {
	_, high := stats.Interval(t.failed, len(t.took), 0.10)
	return high
}

// rounds are what is told of it at the end, nil when there was none.
func (t *tally) rounds() *progress.Rounds {
	if len(t.took) == 0 {
		return nil
	}
	return &progress.Rounds{Failed: t.failed, Of: len(t.took), Bound: t.bound()}
}

func spread(w io.Writer, what string, values []float64) {
	if len(values) == 0 {
		return
	}
	low, middle, high := middleOf(values)
	fmt.Fprintf(w, "%s: min %.1f s, median %.1f s, max %.1f s\n", what, low, middle, high)
}

// middleOf gives the least, the median and the greatest of values, of which there is at least one.
func middleOf(values []float64) (low, middle, high float64) {
	s := slices.Sorted(slices.Values(values))
	return s[0], s[len(s)/2], s[len(s)-1]
}

// soaking is what came of the rounds of both kinds.
type soaking struct {
	judged, lived tally
	// table is the file that end writes; "" = none.
	table string
}

func newSoaking(t *progress.Teller, w io.Writer) *soaking {
	return &soaking{judged: tally{t: t, w: w, what: "judgement"}, lived: tally{t: t, w: w, what: "life cycle"}}
}

func (k *soaking) soak(ctx context.Context, o session.Options, n, cycles int) (progress.Result, error) {
	s, err := begin(k.judged.t, o)
	if err != nil {
		return progress.Result{}, err
	}
	if err = s.Stand(ctx); err == nil {
		err = s.Soak(ctx, n, k.judged.add)
	}
	err = errors.Join(err, s.Close(ctx))
	for i := 1; i <= cycles && err == nil; i++ {
		err = k.lifeCycle(ctx, o, s.Options().ReportDir, i)
	}
	return k.end(s.Options().ReportDir, err)
}

// end prints the times and the last line, and gives what came of it all.
func (k *soaking) end(dir string, err error) (progress.Result, error) {
	w := k.judged.w
	spread(w, "a judgement of the standing mesh", k.judged.took)
	spread(w, "its look at both clusters", k.judged.looked)
	spread(w, "a whole life cycle", k.lived.took)
	if len(k.judged.took)+len(k.lived.took) > 0 {
		fmt.Fprintf(w, "soak: %d of %d judgements and %d of %d life cycles failed (95%% bounds: %.1f%% and %.1f%%)\n",
			k.judged.failed, len(k.judged.took), k.lived.failed, len(k.lived.took), 100*k.judged.bound(), 100*k.lived.bound())
	}
	if k.table != "" {
		if writeErr := os.WriteFile(k.table, []byte(k.page()), 0o644); writeErr != nil {
			err = errors.Join(err, fmt.Errorf("write what came of it: %w: give --table a file that can be written", writeErr))
		}
	}
	r := progress.Result{Report: dir, Judgements: k.judged.rounds(), LifeCycles: k.lived.rounds()}
	if err == nil && k.judged.failed+k.lived.failed > 0 {
		return r, exitError(exitcode.Failed)
	}
	return r, err
}

// page is docs/soak.md.
func (k *soaking) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# How often the suite is wrong about a healthy mesh\n\nWritten by `make soak`: a healthy mesh on two kind clusters is judged again and again, with traffic and evidence of its own\n"+
		"each time, and the whole life cycle is run several times. There is no second try: what did not pass counts. The bound is the greatest\n"+
		"rate of failures that such a count leaves possible at 95%% (one-sided, exact).\n\n| what | of | failed | 95%% bound | min, s | median, s | max, s |\n|---|---|---|---|---|---|---|\n")
	for _, t := range []*tally{&k.judged, &k.lived} {
		if len(t.took) == 0 {
			continue
		}
		low, middle, high := middleOf(t.took)
		fmt.Fprintf(&b, "| %s | %d | %d | %.1f%% | %.1f | %.1f | %.1f |\n", t.what, len(t.took), t.failed, 100*t.bound(), low, middle, high)
	}
	if len(k.judged.looked) > 0 {
		_, middle, high := middleOf(k.judged.looked)
		fmt.Fprintf(&b, "\nThe look at both clusters, which is part of a judgement: median %.1f s, at most %.1f s.\n", middle, high)
	}
	return b.String()
}

// lifeCycle is one whole run under an id of its own.
func (k *soaking) lifeCycle(ctx context.Context, o session.Options, dir string, number int) error {
	o.RunID, o.ReportDir = "", filepath.Join(dir, fmt.Sprintf("life-cycle-%02d", number))
	s, err := begin(k.lived.t, o)
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
	k.lived.add(r)
	if r.Verdict != claim.Passed {
		return nil
	}
	return os.RemoveAll(o.ReportDir)
}
