// Package run starts child processes so that they can be ended as a whole: each child leads a process group of its own,
// and the end of the context ends the group, not only its leader.
package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Cmd describes one child process.
type Cmd struct {
	// Name is the executable, looked up on PATH when it holds no slash; Args are its arguments.
	Name string
	Args []string
	// Dir is the working directory; "" is this process's own.
	Dir string
	// Env holds KEY=VALUE pairs that override this process's environment.
	Env []string
	// Stdin feeds the child; nil is an empty input.
	Stdin io.Reader
	// Stdout takes the child's standard output; nil means that Output returns it.
	Stdout io.Writer
}

// Error says which command ended without success, why, and what it printed last.
type Error struct {
	Command string
	Tail    string // the last lines of standard error, or of standard output when that is empty
	Cause   error
}

// Error gives the command, the cause, and the tail of what the command printed.
func (e *Error) Error() string {
	s := fmt.Sprintf("run %s: %v", e.Command, e.Cause)
	if e.Tail != "" {
		s += ": " + e.Tail
	}
	return s
}

// Unwrap gives the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// grace is how long a process group may take to end after SIGTERM before it is killed.
const grace = 5 * time.Second

// tailBytes bounds what an error keeps of a child's output.
const tailBytes = 4 << 10

// Output runs c to its end and returns its standard output (empty when c.Stdout is set). The error is an *Error; when
// ctx ended first, it wraps ctx's cause.
func Output(ctx context.Context, c Cmd) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.Name, c.Args...)
	cmd.Dir, cmd.Stdin = c.Dir, c.Stdin
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	stderr := &tail{}
	cmd.Stdout, cmd.Stderr = &out, stderr
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	var last *time.Timer
	cmd.Cancel = func() error {
		group := -cmd.Process.Pid
		last = time.AfterFunc(grace, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		return syscall.Kill(group, syscall.SIGTERM)
	}
	cmd.WaitDelay = grace + time.Second
	err := cmd.Run()
	if last != nil {
		last.Stop()
		// What the leader left behind in its group must not outlive it.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err == nil {
		return out.Bytes(), nil
	}
	if ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	text := stderr.String()
	if text == "" && c.Stdout == nil {
		t := &tail{}
		_, _ = t.Write(out.Bytes())
		text = t.String()
	}
	return out.Bytes(), &Error{Command: line(c), Tail: text, Cause: err}
}

// line renders a command for a person, cut to a length that keeps the reason in sight.
func line(c Cmd) string {
	s := strings.Join(strings.Fields(c.Name+" "+strings.Join(c.Args, " ")), " ")
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}

// tail keeps the last tailBytes of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - tailBytes; over > 0 {
		t.b = append([]byte(nil), t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// Full says whether err means that a disk has no room left: by its number, or by what a child printed, since a child's
// error number does not reach its parent.
func Full(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var e *Error
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.Tail), "no space left on device")
}
