// Package ledger remembers what a run is about to make, before it makes it, so that nothing which a run made can be
// forgotten: an interrupted run leaves at worst an entry for something that was never made. Removal and the proof that
// nothing is left read it. It is a file of JSON lines, one per change of state, each on the disk before the call returns.
package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// State is how far a thing has come.
type State string

// Intended is written before the act, Made after it succeeded, Removed after the thing is gone or was found not to be ours.
const (
	Intended State = "intended"
	Made     State = "made"
	Removed  State = "removed"
)

// Entry names one thing outside of the run's folder that the run makes. Kind, Cluster, Namespace and Name together
// identify it; the other fields say more about it.
type Entry struct {
	// Kind is what it is: "docker network", "kind cluster", "namespace".
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Cluster and Namespace say where it is; empty for things outside of any cluster.
	Cluster   string `json:"cluster,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Path is a file that belongs to it and is needed to remove it (a cluster's kubeconfig).
	Path string `json:"path,omitempty"`
	// Run is the id of the run that makes it.
	Run string `json:"run,omitempty"`
	// UIDs are those of the objects that it stands for on a given cluster, once they are there, separated by spaces.
	UIDs  string    `json:"uids,omitempty"`
	State State     `json:"state"`
	Time  time.Time `json:"time"`
}

// key is what makes two entries mean the same thing.
type key struct{ kind, cluster, namespace, name string }

func (e Entry) key() key { return key{e.Kind, e.Cluster, e.Namespace, e.Name} }

// String gives the entry as a person names it: "namespace sample on cluster east".
func (e Entry) String() string {
	s := e.Kind + " "
	if e.Namespace != "" {
		s += e.Namespace + "/"
	}
	s += e.Name
	if e.Cluster != "" {
		s += " on cluster " + e.Cluster
	}
	return s
}

// ErrNotIntended is wrapped when something is reported as made or removed which was never intended.
var ErrNotIntended = errors.New("not in the ledger")

// ErrInUse is wrapped when a ledger is opened that another process, or this one, has open: its run is alive.
var ErrInUse = errors.New("its run is still alive")

// Ledger is an open ledger file. Its methods are safe for concurrent use within one process.
type Ledger struct {
	mu      sync.Mutex
	path    string
	file    *os.File
	size    int64 // of the whole lines
	entries map[key]Entry
	order   []key // by first intention
}

// Open reads the ledger at path, or makes an empty one (mode 0600) where there is none. A last line that a killed
// process left unfinished is cut off: its call had not returned, so what it announced had not begun. A damaged line
// anywhere else is an error, because then the file cannot be trusted to be complete.
func Open(path string) (*Ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w: wait until its run has ended, or end it", path, err), file.Close())
	}
	l := &Ledger{path: path, file: file, entries: map[key]Entry{}}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

func (l *Ledger) load() error {
	content, err := os.ReadFile(l.path)
	if err != nil {
		return fmt.Errorf("read ledger %s: %w", l.path, err)
	}
	whole := bytes.LastIndexByte(content, '\n') + 1
	l.size = int64(whole)
	if err := l.file.Truncate(l.size); err != nil {
		return fmt.Errorf("cut the unfinished last line off ledger %s: %w", l.path, err)
	}
	for i, line := range bytes.Split(content[:whole], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read ledger %s, line %d: %w: look at the file; what it names must be removed by hand", l.path, i+1, err)
		}
		l.note(e)
	}
	return syncFolder(filepath.Dir(l.path))
}

// syncFolder puts the file's name itself on the disk: without it a crash could lose a ledger that was just made.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder %s of the ledger: %w", path, err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("write folder %s of the ledger to the disk: %w", path, err)
	}
	return nil
}

func (l *Ledger) note(e Entry) {
	k := e.key()
	if _, known := l.entries[k]; !known {
		l.order = append(l.order, k)
	}
	l.entries[k] = e
}

// Path is the ledger's file.
func (l *Ledger) Path() string { return l.path }

// Intend notes that e is about to be made. It must have returned nil before the act begins.
func (l *Ledger) Intend(e Entry) error {
	if e.Kind == "" || e.Name == "" {
		return fmt.Errorf("write to ledger %s: an entry needs a kind and a name, got %+v", l.path, e)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.State = Intended
	return l.append(e)
}

// Made notes that e, which was intended, is there.
func (l *Ledger) Made(e Entry) error { return l.move(e, Made) }

// Removed notes that e, which was intended, is gone, or was found never to have been the run's.
func (l *Ledger) Removed(e Entry) error { return l.move(e, Removed) }

func (l *Ledger) move(e Entry, to State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.entries[e.key()]
	if !ok {
		return fmt.Errorf("write %s as %s to ledger %s: %w: intend it before it is made", e, to, l.path, ErrNotIntended)
	}
	if known.State == to && (e.UIDs == "" || e.UIDs == known.UIDs) {
		return nil
	}
	known.State = to
	if e.UIDs != "" {
		known.UIDs = e.UIDs
	}
	return l.append(known)
}

func (l *Ledger) append(e Entry) error {
	e.Time = time.Now().UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write %s to ledger %s: %w", e, l.path, err)
	}
	line = append(line, '\n')
	if _, err := l.file.WriteAt(line, l.size); err != nil {
		// A full disk leaves half a line, which must not stand in front of the next one.
		return fmt.Errorf("write %s to ledger %s: %w", e, l.path, errors.Join(err, l.file.Truncate(l.size)))
	}
	l.size += int64(len(line))
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("write %s in ledger %s to the disk: %w", e, l.path, err)
	}
	l.note(e)
	return nil
}

// Remaining gives what was intended or made and not removed since, in the order in which it was first intended.
// Removal goes through it backwards.
func (l *Ledger) Remaining() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []Entry
	for _, k := range l.order {
		if e := l.entries[k]; e.State != Removed {
			left = append(left, e)
		}
	}
	return left
}

// Close closes the file; what was written is already on the disk.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("close ledger %s: %w", l.path, err)
	}
	return nil
}
