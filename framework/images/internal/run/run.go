// Package run runs the programs that bring images: in this process's own environment, with outputs of any length, and with time to
// tidy up.
package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/meshproof/meshproof/framework/shell"
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

// grace is how long a build or a download may take to remove its temporary files once it is ended.
const grace = 5 * time.Second

// tailBytes bounds what an error keeps of a child's output.
const tailBytes = 4 << 10

// Output runs c to its end and returns its standard output (empty when c.Stdout is set). The error is an *Error; when
// ctx ended first, it wraps ctx's cause.
func Output(ctx context.Context, c Cmd) ([]byte, error) {
	var out bytes.Buffer
	to := c.Stdout
	if to == nil {
		to = &out
	}
	r, err := shell.Run(ctx, shell.Command{
		Args: append([]string{c.Name}, c.Args...), Dir: c.Dir, Env: append(os.Environ(), c.Env...), Stdin: c.Stdin, Stdout: to, Grace: grace,
	})
	if err == nil {
		return out.Bytes(), nil
	}
	said := tail([]byte(r.Stderr))
	if said == "" {
		said = tail(out.Bytes())
	}
	return out.Bytes(), &Error{Command: line(c), Tail: said, Cause: r.Cause}
}

// line renders a command for a person, cut to a length that keeps the reason in sight.
func line(c Cmd) string {
	s := strings.Join(strings.Fields(c.Name+" "+strings.Join(c.Args, " ")), " ")
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}

// tail gives the last tailBytes of an output.
func tail(output []byte) string {
	output = bytes.TrimSpace(output)
	return strings.ToValidUTF8(string(output[max(0, len(output)-tailBytes):]), "")
}

// Full says whether err means that a disk has no room left: by its number, or by what a child printed, since a child's
// error number does not reach its parent.
func Full(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var e *Error
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.Tail), "no space left on device")
}
