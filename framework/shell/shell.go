// Package shell runs one program in a process group of its own, until it ends or its context does; then the whole group
// is killed, so that a pipeline's members cannot outlive their deadline, and a terminal's Ctrl-C does not reach it. It keeps the
// end of what the program printed.
package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Kept is how much of each output stream is kept unless the command says otherwise: its last 16 KiB.
const Kept = 16 << 10

// Command is what is run.
type Command struct {
	// Args are the program and its arguments.
	Args []string
	// Dir is the working directory.
	Dir string
	// Env is the whole environment, as NAME=VALUE; the caller's own is not inherited.
	Env []string
	// Stdin is given to the program; nil = an empty input.
	Stdin io.Reader
	// Stdout takes all of the standard output; nil = the result has its end.
	Stdout io.Writer
	// Keep is how many bytes of standard output are kept from its end; 0 = Kept.
	Keep int
	// Grace is how long the program may tidy up after SIGTERM when its context has ended; 0 = it is killed at once.
	Grace time.Duration
}

// Result is how a command ended.
type Result struct {
	Started time.Time
	Took    time.Duration
	// ExitCode is -1 when the command was killed or could not be started.
	ExitCode       int
	Stdout, Stderr string
	// Cause is why it did not end with code 0, without what it printed.
	Cause error
}

// Bare is the least environment: the caller's PATH, a home, and what else is given. Nothing of the caller's configuration is in it.
func Bare(home string, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}, more...)
}

// Callers gives the caller's own environment but for these names, for what would change istioctl's flags unasked (its
// pkg/config/config.go and pkg/root/root.go), and for exported functions, which bash takes for programs of their names. On given clusters
// a kubeconfig's login plugin may need any of the rest.
func Callers(but ...string) []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(but, name) || name == "ISTIOCONFIG" || strings.HasPrefix(name, "ISTIOCTL_") || strings.HasPrefix(name, "BASH_FUNC_")
	})
}

// Script is the command line under which the guide's text is run: a pipeline fails when any of its members does.
func Script(text string) []string { return []string{"bash", "-c", "set -eo pipefail\n" + text} }

// Word is a text as one word of a command line, for a person to paste.
func Word(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plain is what no shell takes apart.
var plain = regexp.MustCompile(`^[A-Za-z0-9._/:=@%,+-]+$`)

// killDelay is how long output is still read after the group was killed: something may hold the pipe open.
const killDelay = 2 * time.Second

// Run runs the command. The error says why it did not end with code 0; the result is there in any case.
func Run(ctx context.Context, c Command) (Result, error) {
	out, errOut := &tail{limit: c.Keep}, &tail{}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.Dir, c.Env, c.Stdin
	cmd.Stdout, cmd.Stderr = out, errOut
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	if dir := ownerOf(ctx); dir != "" {
		cmd.Env = append(slices.Clip(cmd.Env), OwnerVariable+"="+dir)
	}
	endRest := endAsGroup(cmd, c.Grace)
	began := time.Now()
	err := cmd.Run()
	r := Result{Started: began, Took: time.Since(began), ExitCode: -1, Stdout: out.String(), Stderr: errOut.String(), Cause: err}
	if cmd.ProcessState != nil {
		r.ExitCode = cmd.ProcessState.ExitCode()
	}
	if err == nil {
		return r, nil
	}
	if ctx.Err() != nil {
		endRest()
		r.Cause = fmt.Errorf("ended after %s: %w", r.Took.Round(time.Millisecond), context.Cause(ctx))
		return r, r.Cause
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return r, fmt.Errorf("%w%s", err, r.lastLines())
	}
	return r, err
}

// endAsGroup has the command lead a group that ends with its context. What it gives kills what is left of the group: the leader
// may end by itself just before, or within its grace, and its members need not.
func endAsGroup(cmd *exec.Cmd, grace time.Duration) (endRest func()) {
	signal := func(s syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, s) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = cmp.Or(grace, killDelay) // then os/exec kills the leader
	cmd.Cancel = func() error {
		if grace == 0 {
			return signal(syscall.SIGKILL)
		}
		return signal(syscall.SIGTERM)
	}
	return func() {
		if cmd.Process != nil {
			_ = signal(syscall.SIGKILL)
		}
	}
}

// lastLines is the end of the standard error, for a message.
func (r Result) lastLines() string {
	text := strings.TrimSpace(r.Stderr)
	if text == "" {
		text = strings.TrimSpace(r.Stdout)
	}
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	const shown = 3
	return ": " + strings.Join(lines[max(0, len(lines)-shown):], "; ")
}

// tail keeps the last bytes that were written to it.
type tail struct {
	limit int
	kept  []byte
	cut   bool
}

func (t *tail) max() int {
	if t.limit > 0 {
		return t.limit
	}
	return Kept
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.max(); over > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[over:]...), true
	}
	return len(p), nil
}

// String gives the kept end as valid UTF-8, marked where something was cut off.
func (t *tail) String() string {
	text := strings.ToValidUTF8(string(t.kept), "")
	if t.cut {
		return "[...]" + text
	}
	return text
}
