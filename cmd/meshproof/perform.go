package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/gomega"
	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/stats"
	"github.com/meshproof/meshproof/framework/suite"
	"github.com/meshproof/meshproof/suites"
)

// act does what the flags of run say.
func (r *runFlags) act(c *cobra.Command) error {
	ctx, out := c.Context(), c.OutOrStdout()
	if r.list {
		asked, err := r.chosen(c)
		if err != nil {
			return err
		}
		return listClaims(out, asked, r.shows.output)
	}
	o := r.shows.options(out)
	return shown(ctx, o, func(t *progress.Teller) error {
		env := &suite.Env{}
		_, err := r.chosen(c)
		switch {
		case err != nil:
		case r.dryRun:
			env.Outcome.Findings.Reason, err = r.dry(ctx, t, out)
		default:
			err = run(ctx, t, r.o, env)
		}
		if o.JSON {
			return tellEnd(ctx, t, env, err)
		}
		t.Close()
		if env.Outcome.ReportDir != "" {
			printEnd(out, env)
		}
		return err
	})
}

// chosen completes the options, and gives the claims that the run judges.
func (r *runFlags) chosen(c *cobra.Command) ([]claim.Claim, error) {
	if err := r.complete(c); err != nil {
		return nil, err
	}
	return choose(r.filter, &r.o)
}

// tellEnd tells a program how it ended, whatever happened.
func tellEnd(ctx context.Context, t *progress.Teller, env *suite.Env, err error) error {
	for _, f := range env.Outcome.Findings.Findings {
		t.Finding(f)
	}
	for _, l := range kept(env.Outcome) {
		t.Note(l)
	}
	code, why := ended(ctx, err)
	if why == nil {
		why = env.Err
	}
	t.Verdict(env.Outcome.Findings, code, env.Outcome.ReportDir, why)
	return err
}

// dry says what a run would do; it gives the last line.
func (r *runFlags) dry(ctx context.Context, t *progress.Teller, w io.Writer) (string, error) {
	r.o.Tell = t
	lines, err := session.Plan(ctx, r.o)
	if err != nil {
		return "", err
	}
	if r.shows.output == asJSON {
		for _, l := range lines[:len(lines)-1] {
			t.Note(l)
		}
		return lines[len(lines)-1], nil
	}
	t.Close() // what it drew stands above the lines
	_, err = fmt.Fprintln(w, strings.Join(lines, "\n"))
	return "", err
}

// run does the run, has Ginkgo walk the tree over its findings, so that every claim is a spec, and takes verdict and exit
// code from the findings. Ginkgo's own output goes to a file of the report.
func run(ctx context.Context, t *progress.Teller, o session.Options, env *suite.Env) error {
	s, err := begin(t, o)
	if err != nil {
		return err
	}
	var usage *session.UsageError
	if errors.As(s.Check(ctx), &usage) {
		return errors.Join(usage, s.Discard()) // before there is a report
	}
	if !o.ReadOnly { // which calls nobody
		t.Note(stats.Explain(o.Samples, o.Share(), o.Alpha))
	}
	file, err := ginkgoFile(s.Options().ReportDir)
	if err != nil {
		return errors.Join(err, s.Discard())
	}
	defer file.Close()
	formatter.ColorableStdOut = file
	env.Outcome, env.Err = s.Run(ctx)
	if errors.As(env.Err, &usage) {
		return env.Err // with what could not be taken back
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	suites.Register(env)
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	reporterConfig.NoColor = true
	reporterConfig.Verbose = true
	ginkgo.RunSpecs(failer{}, "meshproof "+s.String(), suiteConfig, reporterConfig)
	return conclude(env)
}

// ginkgoFile makes the report directory with the file for the test runner's output.
func ginkgoFile(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &session.UsageError{Err: fmt.Errorf("make the report directory: %w: choose another --report-dir", err)}
	}
	file, err := os.Create(filepath.Join(dir, report.GinkgoFile))
	if err != nil {
		return nil, fmt.Errorf("make the report: %w: choose another --report-dir", err)
	}
	return file, nil
}

// failer is Ginkgo's view of a test that may fail: the findings decide, so it has nothing to do.
type failer struct{}

func (failer) Fail() {}
