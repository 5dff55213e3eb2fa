// Command meshproof says whether a multicluster service mesh conforms to the guide "Set up a multi-cluster mesh outside
// Google Cloud", with evidence. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

// exitError carries an exit code whose reason has been told already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	v := &voice{}
	ctx = withVoice(ctx, v)
	watch(cancel, v)
	err := root().ExecuteContext(ctx)
	if ctx.Err() != nil {
		var told exitError
		if err != nil && !errors.As(err, &told) {
			fmt.Fprintln(progress.Guarded(os.Stderr), "meshproof:", err)
		}
		err = context.Cause(ctx)
	}
	os.Exit(codeOf(err))
}

// codeOf gives the exit code for an error, and tells the error unless that was done.
func codeOf(err error) int {
	var (
		told exitError
		sig  errSignal
	)
	if err != nil && !errors.As(err, &sig) && !errors.As(err, &told) {
		fmt.Fprintln(progress.Guarded(os.Stderr), "meshproof:", err)
	}
	return codeFor(err)
}

// codeFor gives the exit code for an error.
func codeFor(err error) int {
	var (
		told  exitError
		usage *session.UsageError
		sig   errSignal
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &sig):
		if sig.Signal == os.Interrupt {
			return exitcode.Interrupted
		}
		return exitcode.Terminated
	case errors.As(err, &told):
		return int(told)
	case errors.As(err, &usage):
		return exitcode.Usage
	}
	return exitcode.CouldNotTell
}
