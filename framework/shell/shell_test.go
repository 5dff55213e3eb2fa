package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/poll"
)

func path(t *testing.T) []string {
	t.Helper()
	return []string{"PATH=" + os.Getenv("PATH")}
}

func TestRunGivesOutputsAndCode(t *testing.T) {
	r, err := Run(t.Context(), Command{Args: Script("cat; echo err >&2; echo $GREETING; pwd"), Dir: "/", Env: append(path(t), "GREETING=hello"), Stdin: strings.NewReader("in\n")})
	if err != nil || r.ExitCode != 0 || r.Stdout != "in\nhello\n/\n" || r.Stderr != "err\n" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAFailingPipelineMemberFailsTheScript(t *testing.T) {
	r, err := Run(t.Context(), Command{Args: Script("(echo why >&2; exit 7) | cat\necho not reached"), Env: path(t)})
	if err == nil || r.ExitCode != 7 || r.Stdout != "" || !strings.Contains(err.Error(), "why") {
		t.Errorf("%+v, %v: want code 7 with its reason, and nothing after it", r, err)
	}
}

func TestTheCallersEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv("MESHPROOF_LEAK", "yes")
	r, err := Run(t.Context(), Command{Args: []string{"/bin/sh", "-c", "echo ${MESHPROOF_LEAK-none}"}})
	if err != nil || r.Stdout != "none\n" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestAFunctionOfTheCallersHidesNoProgram: bash would take an exported one for the program of its name, whatever the PATH is.
func TestAFunctionOfTheCallersHidesNoProgram(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte("#!/bin/sh\necho the run\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BASH_FUNC_kubectl%%", "() { echo the caller; }")
	r, err := Run(t.Context(), Command{Args: Script("kubectl"), Env: append(Callers("PATH"), "PATH="+bin+":"+os.Getenv("PATH"))})
	if err != nil || r.Stdout != "the run\n" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestTheWholeGroupDiesWithTheContext: a member of a pipeline, and one that outlives its leader, which ended within its grace.
func TestTheWholeGroupDiesWithTheContext(t *testing.T) {
	for script, grace := range map[string]time.Duration{
		"(echo $BASHPID > pid; exec sleep 3600) | cat":                                 0,
		"(trap '' TERM; echo $BASHPID > pid; exec sleep 3600) > /dev/null 2>&1 & wait": time.Hour,
	} {
		t.Run(script, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("interrupted")
			dir := t.TempDir()
			pidFile := filepath.Join(dir, "pid")
			go func() {
				for ctx.Err() == nil {
					if text, err := os.ReadFile(pidFile); err == nil && strings.HasSuffix(string(text), "\n") {
						cancel(why)
					}
				}
			}()
			r, err := Run(ctx, Command{Args: Script(script), Dir: dir, Env: path(t), Grace: grace})
			if !errors.Is(err, why) || r.ExitCode != -1 {
				t.Errorf("%+v, %v: want the reason of the end and code -1", r, err)
			}
			text, readErr := os.ReadFile(pidFile)
			pid, atoiErr := strconv.Atoi(strings.TrimSpace(string(text)))
			if readErr != nil || atoiErr != nil {
				t.Fatal(readErr, atoiErr)
			}
			awaitDead(t, pid)
		})
	}
}

// awaitDead waits for the end of a process that was killed: it dies when it is next scheduled, and may then still be listed until whoever
// inherited it has read its end.
func awaitDead(t *testing.T, pid int) {
	t.Helper()
	err := poll.Until(t.Context(), poll.Wait{What: "the member is dead", Where: "process " + strconv.Itoa(pid), Limit: time.Minute, Every: time.Millisecond},
		func(context.Context) (string, error) {
			if state := stateOf(pid); state != "" && state != "Z" && state != "X" {
				return state, errors.New("it lives")
			}
			return "", nil
		})
	if err != nil {
		t.Error(err)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func stateOf(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	return fields[0]
}

func TestADeadlineIsNamed(t *testing.T) {
	limit := errors.New("the limit of 1ms has passed")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, limit)
	defer cancel()
	if r, err := Run(ctx, Command{Args: Script("sleep 3600"), Env: path(t)}); !errors.Is(err, limit) || r.ExitCode != -1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestOnlyTheEndOfALongOutputIsKept(t *testing.T) {
	r, err := Run(t.Context(), Command{Args: Script("seq 1 100000"), Env: path(t)})
	if err != nil || !strings.HasSuffix(r.Stdout, "100000\n") || !strings.HasPrefix(r.Stdout, "[...]") || len(r.Stdout) > Kept+len("[...]") {
		t.Errorf("%d bytes kept, %v", len(r.Stdout), err)
	}
	r, err = Run(t.Context(), Command{Args: Script("seq 1 100000"), Env: path(t), Keep: 1 << 20})
	if err != nil || !strings.HasPrefix(r.Stdout, "1\n2\n") {
		t.Errorf("a larger share was asked for, but the start is cut: %d bytes, %v", len(r.Stdout), err)
	}
}

// TestAnOutputOfAnyLengthGoesWhereItIsWanted: all of it; what cannot be written there is why the command failed.
func TestAnOutputOfAnyLengthGoesWhereItIsWanted(t *testing.T) {
	var all strings.Builder
	r, err := Run(t.Context(), Command{Args: Script("seq 1 100000"), Env: path(t), Stdout: &all})
	if err != nil || r.Stdout != "" || !strings.HasPrefix(all.String(), "1\n2\n") || !strings.HasSuffix(all.String(), "100000\n") {
		t.Errorf("%d bytes written, %d kept, %v", all.Len(), len(r.Stdout), err)
	}
	reader, writer := io.Pipe()
	full := errors.New("no room")
	_ = reader.CloseWithError(full)
	if r, err := Run(t.Context(), Command{Args: Script("echo x"), Env: path(t), Stdout: writer}); !errors.Is(err, full) || !errors.Is(r.Cause, full) {
		t.Errorf("%v, because of %v", err, r.Cause)
	}
}

// TestTheCauseIsWithoutWhatWasPrinted, for who tells that in a form of their own.
func TestTheCauseIsWithoutWhatWasPrinted(t *testing.T) {
	r, err := Run(t.Context(), Command{Args: Script("echo why >&2; exit 7"), Env: path(t)})
	if err == nil || err.Error() != "exit status 7: why" || r.Cause == nil || r.Cause.Error() != "exit status 7" {
		t.Errorf("%v, because of %v", err, r.Cause)
	}
}

// TestAProgramMayTidyUpInItsGrace, and what does not end with it is killed.
func TestAProgramMayTidyUpInItsGrace(t *testing.T) {
	for name, tc := range map[string]struct {
		after string
		grace time.Duration
		tidy  bool
	}{
		"it takes the time":   {"exit 0", time.Minute, true},
		"it takes too long":   {"sleep 3600", time.Second, true},
		"it is given no time": {"exit 0", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("interrupted")
			ended := make(chan error, 1)
			go func() {
				_, err := Run(ctx, Command{Args: Script("trap 'echo > tidy; " + tc.after + "' TERM; echo > begun; while :; do sleep 0.01; done"), Dir: dir, Env: path(t), Grace: tc.grace})
				ended <- err
			}()
			begun := func(context.Context) (string, error) {
				_, err := os.Stat(filepath.Join(dir, "begun"))
				return "", err
			}
			if err := poll.Until(t.Context(), poll.Wait{What: "the program has begun", Where: dir, Limit: time.Minute, Every: time.Millisecond}, begun); err != nil {
				t.Fatal(err)
			}
			cancel(why)
			err := <-ended
			if _, statErr := os.Stat(filepath.Join(dir, "tidy")); !errors.Is(err, why) || (statErr == nil) != tc.tidy {
				t.Errorf("%v; it tidied up: %v", err, statErr == nil)
			}
		})
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	if r, err := Run(t.Context(), Command{Args: []string{"/no/such/program"}}); err == nil || r.ExitCode != -1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestWord has a shell read what it is given.
func TestWord(t *testing.T) {
	for text, want := range map[string]string{"x=1": "x=1", "/a/b.yaml": "/a/b.yaml", "a b'c": `'a b'\''c'`, "": "''", "$HOME;`id`": "'$HOME;`id`'", "~/x": "'~/x'", "a\nb": "'a\nb'"} {
		got := Word(text)
		r, err := Run(t.Context(), Command{Args: Script("printf %s " + got), Env: path(t)})
		if got != want || err != nil || r.Stdout != text {
			t.Errorf("%q: %s, want %s; a shell reads %q, %v", text, got, want, r.Stdout, err)
		}
	}
}

// TestWhatChangesCommandsIsNotPassedOn: istioctl's variables and exported functions; everything else of the caller is, but for the names
// that are given.
func TestWhatChangesCommandsIsNotPassedOn(t *testing.T) {
	for name, want := range map[string]bool{"ISTIOCTL_ISTIONAMESPACE": false, "ISTIOCTL_PLAINTEXT": false, "ISTIOCONFIG": false, "KUBECONFIG": false,
		"ISTIO_LOGIN": true, "AWS_PROFILE": true, "MY_ISTIOCTL_": true, "BASH_FUNC_kubectl%%": false, "BASH_FUNCTIONS": true} {
		t.Setenv(name, "x")
		if got := slices.Contains(Callers("KUBECONFIG"), name+"=x"); got != want {
			t.Errorf("%s is passed on: %t", name, got)
		}
	}
}
