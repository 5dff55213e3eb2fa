package run

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOutputGivesStandardOutputAndEnvironment(t *testing.T) {
	out, err := Output(t.Context(), Cmd{Name: "sh", Args: []string{"-c", `cat; echo "$WORD" >&2; printf "%s" "$WORD"`},
		Env: []string{"WORD=seen"}, Stdin: strings.NewReader("in ")})
	if err != nil || string(out) != "in seen" {
		t.Fatalf("got %q, %v; want \"in seen\"", out, err)
	}
}

func TestErrorHoldsCommandCauseAndTail(t *testing.T) {
	_, err := Output(t.Context(), Cmd{Name: "sh", Args: []string{"-c", "echo why it broke >&2; exit 3"}})
	var e *Error
	var exit *exec.ExitError
	if !errors.As(err, &e) || !errors.As(err, &exit) || exit.ExitCode() != 3 || e.Tail != "why it broke" {
		t.Fatalf("got %v, want an *Error of exit code 3 with the tail", err)
	}
	if !strings.Contains(err.Error(), "run sh -c") {
		t.Errorf("%q does not name the command", err)
	}
}

func TestErrorHoldsTheLastLinesOfALongOutput(t *testing.T) {
	_, err := Output(t.Context(), Cmd{Name: "sh", Args: []string{"-c", "seq 1 9999 >&2; false"}})
	var e *Error
	if !errors.As(err, &e) || len(e.Tail) != tailBytes || !strings.HasSuffix(e.Tail, "9998\n9999") || err.Error() != "run sh -c seq 1 9999 >&2; false: exit status 1: "+e.Tail {
		t.Fatalf("got %.200q..., want the last %d bytes, once", err, tailBytes)
	}
}

func TestErrorShowsStandardOutputWhenThatIsAll(t *testing.T) {
	_, err := Output(t.Context(), Cmd{Name: "sh", Args: []string{"-c", "echo on stdout; false"}})
	if err == nil || !strings.Contains(err.Error(), "on stdout") {
		t.Fatalf("got %v, want what was printed in it", err)
	}
}

// The child has time to tidy up. A pipe's reader sees its end only when no process holds the writer any more: the grandchild too must
// be gone.
func TestCancelEndsTheWholeGroup(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("someone pressed Ctrl-C")
	ended := make(chan error, 1)
	go func() {
		_, err := Output(ctx, Cmd{Name: "sh", Args: []string{"-c", `trap 'echo tidied; exit' TERM; sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done' 2>/dev/null & wait`}, Stdout: w})
		ended <- errors.Join(err, w.Close())
	}()
	if _, err := io.ReadFull(r, make([]byte, len("up\n"))); err != nil {
		t.Fatal(err)
	}
	cancel(why)
	if err := <-ended; !errors.Is(err, why) {
		t.Errorf("got %v, want the context's cause in it", err)
	}
	if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(r); err != nil || string(said) != "tidied\n" {
		t.Errorf("a process of the group is still alive, or had no time: %v; %q", err, said)
	}
}

func TestFull(t *testing.T) {
	_, byChild := Output(t.Context(), Cmd{Name: "sh", Args: []string{"-c", "head -c 1 /dev/zero > /dev/full"}})
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	_, byUs := full.WriteString("x")
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"a child's words":  {byChild, true},
		"our own write":    {byUs, true},
		"its number":       {syscall.ENOSPC, true},
		"a quota":          {syscall.EDQUOT, true},
		"another error":    {errors.New("no"), false},
		"nothing happened": {nil, false},
	} {
		if got := Full(c.err); got != c.want {
			t.Errorf("%s: Full(%v) is %v, want %v", name, c.err, got, c.want)
		}
	}
}
