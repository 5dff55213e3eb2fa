// Package store keeps what was built under content keys: an entry is a directory that is either complete or absent.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/meshproof/meshproof/framework/poll"
)

// Store is one cache directory.
type Store struct {
	root  string
	waits Waits
}

// Waits runs wait, which ends when another process gives a lock back, and tells a person about item meanwhile.
type Waits func(ctx context.Context, item string, wait func(context.Context) error) error

// Open makes the cache directory if it is missing. The error says so when the directory cannot be made or written.
func Open(root string, waits Waits) (*Store, error) {
	for _, d := range []string{"entries", "locks", "tmp"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return nil, fmt.Errorf("open cache %s: %w: choose another directory with --cache-dir or XDG_CACHE_HOME", root, err)
		}
	}
	return &Store{root: root, waits: waits}, nil
}

// Root is the cache directory.
func (s *Store) Root() string { return s.root }

// Key condenses everything that an output depends on into 16 hexadecimal digits.
func Key(inputs ...string) string {
	h := sha256.New()
	for _, in := range inputs {
		fmt.Fprintf(h, "%d:%s", len(in), in)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Path is where the entry of that name and key is, or would be.
func (s *Store) Path(name, key string) string { return filepath.Join(s.root, "entries", name+"-"+key) }

// Has says whether the entry is there.
func (s *Store) Has(name, key string) bool {
	_, err := os.Stat(s.Path(name, key))
	return err == nil
}

// Named gives the directories of the entries of that name, whatever their keys, the one made last first.
func (s *Store) Named(name string) ([]string, error) {
	dirs, err := filepath.Glob(s.Path(name, "[0-9a-f]*"))
	if err != nil {
		return nil, fmt.Errorf("look for entries %s in the cache: %w", name, err)
	}
	made := map[string]time.Time{}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil {
			made[dir] = info.ModTime()
		}
	}
	slices.SortFunc(dirs, func(a, b string) int { return made[b].Compare(made[a]) })
	return dirs, nil
}

// Build fills dir, an empty directory, with an entry's files.
type Build func(ctx context.Context, dir string) error

// Entry returns the directory of the entry, building it first when it is absent. Two processes that want the same
// entry at once build it once: the second waits for the first. The build writes beside the entry, which appears by one
// rename; what an interrupted build left is removed by the next one.
func (s *Store) Entry(ctx context.Context, name, key string, build Build) (string, error) {
	final := s.Path(name, key)
	if s.Has(name, key) {
		return final, nil
	}
	unlock, err := s.Lock(ctx, name+"-"+key)
	if err != nil {
		return "", err
	}
	defer unlock()
	if s.Has(name, key) {
		return final, nil
	}
	tmp, remove, err := s.Temp(name + "-" + key)
	if err != nil {
		return "", err
	}
	if err := build(ctx, tmp); err != nil {
		return "", errors.Join(err, remove())
	}
	// A machine that stops may keep a rename and lose what was written before it: an entry of empty files.
	err = syncAll(tmp)
	if err == nil {
		err = os.Rename(tmp, final)
	}
	if err != nil {
		return "", fmt.Errorf("complete cache entry %s: %w", final, errors.Join(err, remove()))
	}
	return final, nil
}

// Temp makes an empty directory on the cache's file system, and removes what interrupted runs left under that name. It is
// another one each time: a child of a killed run can outlive it, and goes on writing into its own. The caller holds a lock
// that goes with the name, and calls remove in the end.
func (s *Store) Temp(name string) (dir string, remove func() error, err error) {
	parent := filepath.Join(s.root, "tmp")
	all, err := os.ReadDir(parent)
	if err != nil {
		return "", nil, fmt.Errorf("look for the rest of an interrupted build in %s: %w", parent, err)
	}
	for _, d := range all {
		if d.Name() == name || strings.HasPrefix(d.Name(), name+".") {
			_ = removeAll(filepath.Join(parent, d.Name())) // where a child still writes, the next run has another try
		}
	}
	if dir, err = os.MkdirTemp(parent, name+".*"); err == nil {
		err = os.Chmod(dir, 0o755) // it becomes an entry, which containers read as other users
	}
	if err != nil {
		return "", nil, fmt.Errorf("make a directory %s in %s: %w", name, parent, err)
	}
	return dir, func() error { return removeAll(dir) }, nil
}

// syncAll has the disk take the files and directories of a tree.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// lockLimit bounds the wait for another run that builds the same entry: longer than any build takes.
const lockLimit = 2 * time.Hour

// Lock takes the named lock, waiting for another process to give it back; the kernel frees it when its holder dies.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	path := filepath.Join(s.root, "locks", strings.ReplaceAll(name, "/", "_"))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock %s: %w", path, err)
	}
	err = flock(f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = s.waits(ctx, "wait for another run's "+name, func(ctx context.Context) error {
			return poll.Until(ctx, poll.Wait{What: "another run gives it back", Where: "lock " + path, Limit: lockLimit},
				func(context.Context) (string, error) {
					err := flock(f)
					if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
						err = poll.Final(err)
					}
					return "held", err
				})
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take lock %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// flock takes the lock of an open file if nobody holds it.
func flock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// removeAll removes a tree, also where a build made directories read-only.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(p, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
