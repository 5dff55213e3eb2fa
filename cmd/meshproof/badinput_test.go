package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// badInput is one way to be wrong, beside its valid twin. Each of them begins in a new world.
type badInput struct {
	name string
	// bad are the arguments that are refused, and spoil is what else is wrong; good and twin are those of the twin. No
	// arguments means both kubeconfigs.
	bad, good   string
	spoil, twin func(w *world)
	// says are parts of the message: what, where, why, what to do.
	says []string
}

const (
	both     = "--kubeconfig east.yaml --kubeconfig west.yaml"
	released = both + " --release-dir asm"
	topology = "--topology topology.yaml"
)

// TestBadInputBesideItsTwin runs every command line, and its twin, against API servers of its own.
func TestBadInputBesideItsTwin(t *testing.T) {
	rows := slices.Concat(badKubeconfigs(), badServers(), badMeshes(), badReleases(), badTopologies(), badContexts(), badOptions(), badTools(), badBeginnings(), badHolders(), badFilters())
	if len(rows) < 40 {
		t.Errorf("%d ways to be wrong, want at least 40", len(rows))
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.refused(t)
			row.accepted(t)
		})
	}
}

func (b badInput) refused(t *testing.T) {
	w := newWorld(t)
	if b.spoil != nil {
		b.spoil(w)
	}
	before := w.tree()
	args := b.bad
	if args == "" {
		args = both
	}
	out, code, err := w.dryRun(args)
	w.unchanged(before)
	if code != exitcode.Usage || err == nil || out != "" {
		t.Fatalf("exit code %d, error %v, printed %q: want a usage error", code, err, out)
	}
	b.reads(t, err)
}

// reads sees that the message is short and whole, and gives no secret away.
func (b badInput) reads(t *testing.T, err error) {
	t.Helper()
	message := err.Error()
	lines := strings.Split(message, "\n")
	if len(lines) > 3 {
		t.Errorf("%d lines: %s", len(lines), message)
	}
	slices.Sort(lines)
	if len(slices.Compact(slices.Clone(lines))) < len(lines) {
		t.Errorf("a line is there twice: %s", message)
	}
	for _, want := range b.says {
		if !strings.Contains(message, want) {
			t.Errorf("%q does not say %q", message, want)
		}
	}
	if strings.Contains(message, apitest.Canary) {
		t.Errorf("a token is in the message: %s", message)
	}
}

func (b badInput) accepted(t *testing.T) {
	w := newWorld(t)
	if b.twin != nil {
		b.twin(w)
	}
	before := w.tree()
	args := b.good
	if args == "" {
		args = both
	}
	out, code, err := w.dryRun(args)
	w.unchanged(before)
	if code != 0 || !strings.Contains(out, "the input is sound") {
		t.Errorf("the valid twin was refused: %v", err)
	}
}

// TestAServerOutOfReachIsNoBadInput: nothing is known to be wrong with the command line then.
func TestAServerOutOfReachIsNoBadInput(t *testing.T) {
	w := newWorld(t)
	w.edit("west.yaml", "https://west.example.com", "https://gone.example.com")
	before := w.tree()
	out, code, err := w.dryRun(both)
	w.unchanged(before)
	if code != exitcode.CouldNotTell || err == nil || !strings.Contains(err.Error(), "https://gone.example.com") || out != "" {
		t.Errorf("exit code %d, error %v, printed %q", code, err, out)
	}
}

// TestARefusedRunLeavesNothing is a run itself, which notices what only the API server knows before it makes a report.
func TestARefusedRunLeavesNothing(t *testing.T) {
	w := newWorld(t)
	put("/api/v1/namespaces/sample", "{metadata: {name: sample}}")(w)
	w.must(os.MkdirAll("state/meshproof/runs", 0o755))
	before := w.tree()
	c := runCommand()
	var told strings.Builder
	c.SetOut(&told)
	c.SetArgs(strings.Fields("--output json --timeout 10s " + both))
	err := c.ExecuteContext(t.Context())
	w.unchanged(before)
	if codeOf(err) != exitcode.Usage || !strings.Contains(err.Error(), "Namespace sample") {
		t.Errorf("%v", err)
	}
	if n := strings.Count(told.String(), "Namespace sample"); n != 1 || !strings.Contains(told.String(), `"error":"refused"`) {
		t.Errorf("what is refused is told %d times, want once, at the end:\n%s", n, told.String())
	}
}

// TestARefusedRunSaysNoMoreThanWhy: standard error has the run's id and the message, and no step.
func TestARefusedRunSaysNoMoreThanWhy(t *testing.T) {
	w := newWorld(t)
	put("/api/v1/namespaces/sample", "{metadata: {name: sample}}")(w)
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	w.must(err)
	before := os.Stderr
	t.Cleanup(func() { os.Stderr = before; _ = file.Close() })
	os.Stderr = file
	c := runCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(strings.Fields("--timeout 10s " + both))
	code := codeOf(c.ExecuteContext(t.Context()))
	told, err := os.ReadFile(file.Name())
	w.must(err)
	lines := strings.Split(strings.TrimSpace(string(told)), "\n")
	if code != exitcode.Usage || len(lines) > 3 || !strings.Contains(lines[0], "run ") || !strings.Contains(lines[1], "meshproof: ") || strings.Contains(string(told), " P3 ") {
		t.Errorf("exit code %d, told:\n%s", code, told)
	}
}

// TestAnUnreadableKubeconfig runs the command line as a user who may read nothing that root keeps to itself.
func TestAnUnreadableKubeconfig(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user, and another user's file is what this is about")
	}
	w := newWorld(t)
	out, err := w.asNobody(both)
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("the temporary directory is closed to other users: %v", err)
	}
	if err != nil {
		t.Fatalf("the valid twin was refused: %v: %s", err, out)
	}
	w.must(os.Chmod("west.yaml", 0o600))
	before := w.tree()
	out, err = w.asNobody(both)
	w.unchanged(before)
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != exitcode.Usage {
		t.Fatalf("%v: %s", err, out)
	}
	badInput{says: []string{"read kubeconfig west.yaml of cluster cluster-2", "may not be read by this user (uid 65534)", "change the mode"}}.reads(t, errors.New(out))
}

const nobodysArgs = "TEST_ARGS_OF_MESHPROOF"

// asNobody runs this test's own program as an unprivileged user. Its file is handed over open, because its directory may be
// closed to others.
func (w *world) asNobody(args string) (string, error) {
	w.t.Helper()
	self, err := os.Executable()
	w.must(err)
	program, err := os.Open(self)
	w.must(err)
	defer program.Close()
	c := exec.Command("/proc/self/fd/3", "-test.run=^TestAsAnotherUser$")
	c.ExtraFiles = []*os.File{program}
	c.Dir = w.dir
	c.Env = append(os.Environ(), nobodysArgs+"="+args, "TMPDIR=/tmp")
	const nobody = 65534
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestAsAnotherUser is the other half of TestAnUnreadableKubeconfig: it is the program that the other user runs.
func TestAsAnotherUser(t *testing.T) {
	args := os.Getenv(nobodysArgs)
	if args == "" {
		t.Skip("it is run by TestAnUnreadableKubeconfig, as another user")
	}
	_, code, _ := (&world{t: t}).dryRun(args) // codeOf tells the error
	os.Exit(code)
}
