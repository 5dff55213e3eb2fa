package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/meshproof/meshproof/framework/poll"
)

// OwnerVariable is in the environment of every process that a command of a run starts, and names the run's directory: ids are
// unique in one state directory only.
const OwnerVariable = "MESHPROOF_COMMAND_OF"

type ownerKey struct{}

// Of marks the commands that are run under the context as those of the run with that directory.
func Of(ctx context.Context, dir string) context.Context {
	return context.WithValue(ctx, ownerKey{}, dir)
}

func ownerOf(ctx context.Context) string {
	dir, _ := ctx.Value(ownerKey{}).(string)
	return dir
}

// EndOf ends what commands of the run with that directory are still doing on this machine, and waits until they have ended. A run
// that is killed with -9 takes nobody with it: its istioctl goes on, and would make anew what is being removed. It finds them
// through /proc (proc(5)), so on Linux only; elsewhere, and after a run of another machine, they end with their own limits.
func EndOf(ctx context.Context, dir string) error {
	w := poll.Wait{What: "no command of the run is under way", Where: "this machine", Limit: endLimit, Every: 50 * time.Millisecond}
	return poll.Until(ctx, w, func(context.Context) (string, error) {
		left, err := killOf(dir)
		if err == nil && left > 0 {
			err = errors.New("not yet")
		}
		return fmt.Sprintf("%d processes", left), err
	})
}

// endLimit bounds the wait for processes that were killed.
const endLimit = 10 * time.Second

// killOf kills the processes of the run with that directory, and counts those that there were.
func killOf(dir string) (killed int, err error) {
	const proc = "/proc"
	entries, err := os.ReadDir(proc)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for commands of the run: %w", err)
	}
	marked := []byte("\x00" + OwnerVariable + "=" + dir + "\x00")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		p, err := os.FindProcess(pid) // a handle: another process that gets its number later is not meant
		if err != nil {
			continue
		}
		// What cannot be read is another user's, or has ended; what has ended and is not waited for has no environment.
		environment, err := os.ReadFile(filepath.Join(proc, e.Name(), "environ"))
		if err == nil && bytes.Contains(append([]byte{0}, environment...), marked) {
			killed++
			if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return killed, fmt.Errorf("end process %d, a command of the run: %w", pid, err)
			}
		}
		_ = p.Release()
	}
	return killed, nil
}
