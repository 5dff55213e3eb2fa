package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// freezerRoot is where cgroup v1 has its freezer, on machines that have one.
const freezerRoot = "/sys/fs/cgroup/freezer"

// thaw lets the frozen processes of the container with that id (64 hexadecimal digits) go, and does nothing where root
// is not there. With cgroup v1, runc freezes a pod's processes for a moment whenever it makes or changes a container. A
// node that is killed in that moment leaves them frozen, and a frozen process takes no SIGKILL: the node, whose first
// process waits for all others, can then neither be killed nor removed. That first process is out of its groups by
// then, so they are found by the id in their name: docker/ID, or system.slice/docker-ID.scope.
func thaw(root, id string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // there is no freezer, or a group that went with its last process
		}
		if err != nil {
			return fmt.Errorf("look for frozen processes: %w", err)
		}
		if entry.Name() != "freezer.state" || !strings.Contains(path, id) {
			return nil
		}
		if err := os.WriteFile(path, []byte("THAWED"), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("let frozen processes go: %w: do it as root", err)
		}
		return nil
	})
}

// removeContainers removes containers by name, and lets frozen processes go when docker cannot kill one.
func removeContainers(ctx context.Context, d docker, freezer string, names ...string) error {
	remove := append([]string{"rm", "--force", "--volumes"}, names...)
	_, err := d.run(ctx, remove...)
	if err == nil || said(err, "No such container") {
		return nil
	}
	if !said(err, "ould not kill", "did not receive an exit event", "tried to kill container") {
		return err
	}
	for _, name := range names {
		id, inspectErr := d.run(ctx, "inspect", "--format", "{{.Id}}", name)
		if inspectErr != nil || strings.TrimSpace(id) == "" {
			continue // it is gone
		}
		if thawErr := thaw(freezer, strings.TrimSpace(id)); thawErr != nil {
			return errors.Join(err, thawErr)
		}
	}
	if _, err = d.run(ctx, remove...); said(err, "No such container") {
		return nil
	}
	return err
}
