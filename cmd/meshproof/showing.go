package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/progress"
)

// showing is how a command that acts shows what it does.
type showing struct {
	output         string
	quiet, verbose bool
}

// add gives the command its flags.
func (s *showing) add(c *cobra.Command) {
	c.Flags().BoolVarP(&s.quiet, "quiet", "q", false, "print what came of it, and not what is being done, whatever -v says")
	c.Flags().BoolVarP(&s.verbose, "verbose", "v", false, "print also what is begun and waited for")
	outputFlag(c, &s.output, asText, asJSON)
	c.Flags().Lookup(outputName).Usage = "form of the output: text, or json (one event a line, docs/events.md)"
}

// options are those of the display.
func (s *showing) options(out io.Writer) progress.Options {
	return progress.Options{Out: out, JSON: s.output == asJSON, Quiet: s.quiet, Verbose: s.verbose}
}

// acts does the work of a command that is no run, while a display shows it; brief is for one that takes no steps worth a line. The
// work tells what came of it as events, and prints it as text; as JSON nothing but the events is printed, an end the last of them.
func (s *showing) acts(c *cobra.Command, brief bool, work func(t *progress.Teller, out io.Writer) (progress.Result, error)) error {
	o := s.options(c.OutOrStdout())
	o.Brief = brief
	return shown(c.Context(), o, func(t *progress.Teller) error {
		out := t.Writer(o.Out)
		if o.JSON {
			out = io.Discard
		}
		r, err := work(t, out)
		if o.JSON {
			code, why := ended(c.Context(), err)
			t.End(r, code, why)
		}
		return err
	})
}

// ended gives the exit code of work that ended so, and why, unless that was told already.
func ended(ctx context.Context, err error) (code int, why error) {
	code = codeFor(err)
	if ctx.Err() != nil {
		code = codeFor(context.Cause(ctx))
	}
	if told := exitError(0); errors.As(err, &told) {
		return code, nil
	}
	return code, err
}
