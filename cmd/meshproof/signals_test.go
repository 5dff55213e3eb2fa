package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/exitcode"
)

// childVar has this test binary be the process that is sent signals.
const childVar = "TEST_INTERRUPTED_MESHPROOF"

// TestWhoeverReadsMayGo sends a process the signals of a closed terminal, and has nobody read what it prints any more. It must
// come to the end of its work.
func TestWhoeverReadsMayGo(t *testing.T) {
	if os.Getenv(childVar) != "" {
		interruptedChild()
	}
	for _, tc := range []struct {
		signal os.Signal
		code   int
	}{{os.Interrupt, exitcode.Interrupted}, {syscall.SIGTERM, exitcode.Terminated}, {syscall.SIGHUP, exitcode.Terminated}} {
		t.Run(tc.signal.String(), func(t *testing.T) {
			if signal.Ignored(tc.signal) {
				t.Skip("nohup has it ignored, here and in every process that this one starts")
			}
			child := newChild(t)
			if err := child.stderr.Close(); err != nil {
				t.Fatal(err)
			}
			if err := child.cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(child.stdout)
			_ = child.cmd.Wait()
			if code := child.cmd.ProcessState.ExitCode(); code != tc.code || string(rest) != "removed\n" {
				t.Errorf("it ended with %v and said %q (%v), want exit code %d after the removal", child.cmd.ProcessState, rest, err, tc.code)
			}
		})
	}
}

// child is a process of this test binary that has begun to watch for signals.
type child struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr io.Closer
}

func newChild(t *testing.T) child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+strings.Split(t.Name(), "/")[0]+"$")
	cmd.Env = append(os.Environ(), childVar+"=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := child{cmd, bufio.NewReader(out), stderr}
	if line, err := c.stdout.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the process began with %q: %v", line, err)
	}
	return c
}

// interruptedChild works until it is interrupted, speaks and removes.
func interruptedChild() {
	ctx, cancel := context.WithCancelCause(context.Background())
	watch(cancel, &voice{})
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Fprintln(os.Stderr, "what is removed")
	fmt.Println("removed")
	os.Exit(codeFor(context.Cause(ctx)))
}

// TestASignalThatComesTwiceIsOne: timeout(1) and whoever forwards signals send each twice at once. What was made must be removed.
func TestASignalThatComesTwiceIsOne(t *testing.T) {
	all := []os.Signal{syscall.SIGTERM, syscall.SIGTERM, os.Interrupt}
	if os.Getenv(childVar) != "" {
		echo = time.Hour
		come := make(chan os.Signal, len(all))
		signal.Notify(come, all...)
		ctx, cancel := context.WithCancelCause(context.Background())
		watch(cancel, &voice{})
		fmt.Println("ready")
		for range all {
			<-come
			fmt.Println("another")
		}
		<-ctx.Done()
		fmt.Println("removed")
		os.Exit(codeFor(context.Cause(ctx)))
	}
	child := newChild(t)
	for i, s := range all {
		if err := child.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if line, err := child.stdout.ReadString('\n'); line != "another\n" {
			t.Fatalf("after signal %d it says %q: %v", i+1, line, err)
		}
	}
	rest, err := io.ReadAll(child.stdout)
	_ = child.cmd.Wait()
	if code := child.cmd.ProcessState.ExitCode(); code != exitcode.Terminated || string(rest) != "removed\n" {
		t.Errorf("it ended with %v and said %q (%v), want exit code %d after the removal", child.cmd.ProcessState, rest, err, exitcode.Terminated)
	}
}

// TestTheSecondSignalEndsWhoIsStuck: nobody reads what is said about the first one.
func TestTheSecondSignalEndsWhoIsStuck(t *testing.T) {
	if os.Getenv(childVar) != "" {
		echo = 0
		watch(func(error) {}, &voice{say: func(string) {
			fmt.Println("speaking")
			select {}
		}})
		fmt.Println("ready")
		select {}
	}
	child := newChild(t)
	if err := child.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if line, err := child.stdout.ReadString('\n'); line != "speaking\n" {
		t.Fatalf("after the first signal it says %q: %v", line, err)
	}
	if err := child.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(child.stdout)
	_ = child.cmd.Wait()
	if code := child.cmd.ProcessState.ExitCode(); code != exitcode.Interrupted {
		t.Errorf("it ended with %v, want exit code %d", child.cmd.ProcessState, exitcode.Interrupted)
	}
}
