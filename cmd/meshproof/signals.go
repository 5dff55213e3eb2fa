package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errSignal is the cause of a context that a signal ended.
type errSignal struct{ os.Signal }

func (e errSignal) Error() string { return "interrupted by " + e.name() }

// name is how people and kill(1) call it.
func (e errSignal) name() string {
	names := map[os.Signal]string{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP"}
	return cmp.Or(names[e.Signal], e.String())
}

// echo is within what time a second signal is the first one again: timeout(1) sends its own to the process and then to the process
// group, and a terminal's Ctrl-C reaches a process that its parent forwards signals to twice.
var echo = time.Second

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
		first := time.Now()
		cancel(errSignal{s})
		// Not here: what is said may wait for somebody to read it, and the second signal must not.
		go v.speak(errSignal{s}.name() + ": stopping; what the run made is removed unless --keep says otherwise (once more: stop at once, and leave it to meshproof cleanup)")
		for s = <-signals; time.Since(first) < echo; s = <-signals { //nolint:revive // an echo asks for nothing
		}
		os.Exit(codeOf(errSignal{s}))
	}()
}
