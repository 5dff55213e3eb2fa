package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/ledger"
)

// Left is a run that this machine knows of.
type Left struct {
	ID string
	// Alive tells that a process still has the run: nothing of it may be touched.
	Alive bool
	// Err is why nothing can be said of it: its ledger is damaged.
	Err error
	// Things names what the run made, or may have made, and has not removed.
	Things []string
}

// Runs lists the runs that this machine has files of, in the order of their names. stateDirectory "" means the user's.
func Runs(stateDirectory string) ([]Left, error) {
	dir, err := runsDir(stateDirectory)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	var all []Left
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		all = append(all, left(filepath.Join(dir, e.Name())))
	}
	return all, nil
}

func left(dir string) Left {
	one := Left{ID: filepath.Base(dir)}
	if _, err := os.Stat(ledgerOf(dir)); errors.Is(err, fs.ErrNotExist) {
		return one // it was killed before it made anything
	}
	l, err := ledger.Open(ledgerOf(dir))
	switch {
	case errors.Is(err, ledger.ErrInUse):
		one.Alive = true
	case err != nil:
		one.Err = err
	default:
		for _, e := range l.Remaining() {
			one.Things = append(one.Things, e.String())
		}
		one.Err = l.Close()
	}
	return one
}

// CleanUp has those of the runs removed that are not alive. It goes on after a run that could not be removed; the error names
// them all. After an interruption it begins with none.
func CleanUp(ctx context.Context, runs []Left, remove func(id string) error) error {
	var errs []error
	for _, one := range runs {
		if ctx.Err() != nil {
			return errors.Join(append(errs, fmt.Errorf("the rest, from run %s on, was not begun with: %w", one.ID, context.Cause(ctx)))...)
		}
		if !one.Alive {
			errs = append(errs, remove(one.ID))
		}
	}
	return errors.Join(errs...)
}

func runsDir(stateDirectory string) (string, error) {
	if stateDirectory == "" {
		dir, err := stateDir()
		if err != nil {
			return "", err
		}
		stateDirectory = dir
	}
	return filepath.Join(stateDirectory, "runs"), nil
}

func ledgerOf(dir string) string { return filepath.Join(dir, "ledger.jsonl") }
