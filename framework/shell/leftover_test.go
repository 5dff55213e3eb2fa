package shell

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/meshproof/meshproof/framework/poll"
)

// TestWhatARunLeftRunningIsEnded: a member of a pipeline whose shell is gone counts, and another run's command does not.
func TestWhatARunLeftRunningIsEnded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	dir := t.TempDir()
	mine, other := filepath.Join(dir, "mine"), filepath.Join(dir, "mine-2")
	begun := make(map[string]chan error)
	for _, run := range []string{mine, other} {
		begun[run] = make(chan error, 1)
		go func() {
			_, err := Run(Of(t.Context(), run), Command{Args: Script("echo > " + run + "; sleep 300 | cat"), Env: path(t)})
			begun[run] <- err
		}()
	}
	for run := range begun {
		err := poll.Until(t.Context(), poll.Wait{What: "the command has begun", Where: run, Limit: endLimit}, func(context.Context) (string, error) {
			_, err := os.Stat(run)
			return "", err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := killOf(mine); n == 0 || err != nil {
		t.Fatalf("%d processes of the run were found, %v", n, err)
	}
	if err := EndOf(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	if err := <-begun[mine]; err == nil {
		t.Error("the command ended by itself")
	}
	if n, err := killOf(mine); n != 0 || err != nil {
		t.Errorf("%d processes of the run are left, %v", n, err)
	}
	select {
	case err := <-begun[other]:
		t.Errorf("another run's command was ended: %v", err)
	default:
	}
	if err := EndOf(t.Context(), other); err != nil {
		t.Error(err)
	}
	<-begun[other]
}
