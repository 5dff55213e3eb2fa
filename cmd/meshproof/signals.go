package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// errSignal is the cause of a context that a signal ended.
type errSignal struct{ os.Signal }

func (e errSignal) Error() string { return "interrupted by " + e.String() }

// watch makes the first signal end the work, and the second one the process.
func watch(cancel context.CancelCauseFunc, v *voice) {
	// Whatever reads what is printed may die of the same Ctrl-C (tee). A write must fail then, and not end the process before
	// anything is removed. Nobody reads the channel; ignored instead, the signal would be ignored in the programs that are run, too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup has it ignored
		ends = append(ends, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, ends...)
	go func() {
		s := <-signals
		cancel(errSignal{s})
		// Not here: what is said may wait for somebody to read it, and the second signal must not.
		go v.speak(s.String() + ": stopping; what the run made is removed unless --keep says otherwise (once more: stop at once and leave it)")
		s = <-signals
		os.Exit(codeOf(errSignal{s}))
	}()
}
