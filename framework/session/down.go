package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/kindcluster"
	"github.com/meshproof/meshproof/framework/ledger"
)

// Down removes what the run of that id made on this machine. stateDir "" means the user's.
func Down(ctx context.Context, stateDirectory, id string) error {
	if stateDirectory == "" {
		dir, err := stateDir()
		if err != nil {
			return err
		}
		stateDirectory = dir
	}
	if id != filepath.Base(id) || id == "." || id == ".." {
		return &UsageError{fmt.Errorf("run id %q is a path: give a run id that `meshproof up` printed", id)}
	}
	dir := filepath.Join(stateDirectory, "runs", id)
	path := filepath.Join(dir, "ledger.jsonl")
	if _, err := os.Stat(path); err != nil {
		return &UsageError{fmt.Errorf("find run %q in %s: %w: give a run id that `meshproof up` printed", id, filepath.Dir(dir), err)}
	}
	l, err := ledger.Open(path)
	if err != nil {
		return err
	}
	if err := kindcluster.Remove(ctx, l); err != nil {
		return errors.Join(fmt.Errorf("remove run %s: %w", id, err), l.Close())
	}
	return errors.Join(l.Close(), os.RemoveAll(dir))
}
