package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/whole"
)

// ErrSealed is returned for every write to a folder that has been sealed.
var ErrSealed = errors.New("the evidence is sealed")

// Folder is an evidence folder that is being written. Its methods are safe for concurrent use. Each file appears whole
// or not at all.
type Folder struct {
	dir string

	mu     sync.Mutex
	sealed bool
}

// Create makes a new evidence folder; a folder that holds anything is refused, so that two runs are never mixed.
func Create(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create evidence folder %s: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("create evidence folder %s: %w", dir, err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("create evidence folder %s: it is not empty (it holds %s): choose a new folder", dir, entries[0].Name())
	}
	return &Folder{dir: dir}, nil
}

// Dir is the folder's path.
func (f *Folder) Dir() string { return f.dir }

// SaveIntent writes intent.json.
func (f *Folder) SaveIntent(in intent.Intent) error { return f.saveJSON(IntentFile, in) }

// SaveSteps writes steps.json with all steps so far, replacing what was there.
func (f *Folder) SaveSteps(steps []Step) error {
	if steps == nil {
		steps = []Step{}
	}
	return f.saveJSON(StepsFile, steps)
}

// AddSteadyCalls adds a cluster's steady calls to what was saved of an epoch.
func (f *Folder) AddSteadyCalls(epoch, name string, s SteadyCalls) error {
	if err := checkNames(epoch, name); err != nil {
		return err
	}
	return f.saveJSON(FileOfSteadyCalls(epoch, name), s)
}

// SaveCluster writes everything that was seen of one cluster in one epoch, and removes what an earlier save of the same
// epoch and cluster left there.
func (f *Folder) SaveCluster(epoch, name string, c *Cluster) error {
	if err := checkNames(epoch, name); err != nil {
		return err
	}
	if c == nil {
		c = &Cluster{Problems: []Problem{{What: "cluster " + name, Error: "nothing was collected"}}}
	}
	files, err := filesOf(epoch, name, c)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dir := filepath.Join(f.dir, epoch, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save evidence of cluster %s in epoch %s: %w", name, epoch, err)
	}
	for file, content := range files {
		if err := f.write(file, content); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("save evidence of cluster %s in epoch %s: %w", name, epoch, err)
	}
	for _, e := range entries {
		if _, wanted := files[epoch+"/"+name+"/"+e.Name()]; wanted || e.IsDir() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove outdated evidence of cluster %s in epoch %s: %w", name, epoch, err)
		}
	}
	return nil
}

// filesOf gives each part's file and its content. Two parts that would share a file are refused: one would be lost.
func filesOf(epoch, name string, c *Cluster) (map[string][]byte, error) {
	files := map[string][]byte{}
	var errs []error
	add := func(file string, value any) {
		if _, taken := files[file]; taken {
			errs = append(errs, fmt.Errorf("save evidence file %s: two parts have this name: give each pod and purpose once", file))
		}
		content, err := encode(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("encode evidence file %s: %w", file, err))
		}
		files[file] = content
	}
	if c.Kubernetes != nil {
		add(FileOfKubernetes(epoch, name), c.Kubernetes)
	}
	for _, i := range c.Istiods {
		add(i.File(epoch, name), i)
	}
	for _, p := range c.Proxies {
		add(p.File(epoch, name), p)
	}
	for _, t := range c.Traffic {
		add(FileOfTraffic(epoch, name, t.Purpose), t)
	}
	if c.Handshakes != nil {
		add(FileOfHandshakes(epoch, name), c.Handshakes)
	}
	if c.Steady != nil {
		add(FileOfSteadyCalls(epoch, name), c.Steady)
	}
	if c.Logs != nil {
		add(FileOfLogs(epoch, name), c.Logs)
	}
	if c.Dials != nil {
		add(FileOfDials(epoch, name), c.Dials)
	}
	if c.Problems != nil {
		add(FileOfProblems(epoch, name), c.Problems)
	}
	return files, errors.Join(errs...)
}

var safeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// checkNames refuses names that would lead out of the folder or that no tool could quote, and epochs that Load would not
// take for one.
func checkNames(epoch string, names ...string) error {
	if !isEpoch(epoch) {
		return fmt.Errorf("save evidence of epoch %q: use two digits, '-' and lower-case letters, such as %q", epoch, Joined)
	}
	for _, n := range names {
		if !safeName.MatchString(n) {
			return fmt.Errorf("save evidence under the name %q: use letters, digits, '.', '_' and '-'", n)
		}
	}
	return nil
}

// encode gives indented JSON; maps come out in the order of their keys, so equal values give equal bytes.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(value)
	return b.Bytes(), err
}

func (f *Folder) saveJSON(name string, value any) error {
	content, err := encode(value)
	if err != nil {
		return fmt.Errorf("encode evidence file %s: %w", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.write(name, content)
}

// write puts a file in place by renaming, so that a reader or a crash never meets half of it. The caller holds f.mu.
func (f *Folder) write(name string, content []byte) error {
	if f.sealed {
		return fmt.Errorf("save evidence file %s: %w", name, ErrSealed)
	}
	to := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("save evidence file %s: %w", name, err)
	}
	if err := whole.Bytes(to, 0o644, content); err != nil {
		return fmt.Errorf("save evidence file %s: %w", name, err)
	}
	return nil
}

// Seal writes SHA256SUMS over every file and refuses further writes. What a crash left half-written is removed first.
func (f *Folder) Seal() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sealed {
		return fmt.Errorf("seal evidence folder %s: %w", f.dir, ErrSealed)
	}
	var sums bytes.Buffer
	err := filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), whole.Prefix) {
			return os.Remove(p)
		}
		rel, err := filepath.Rel(f.dir, p)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", digest(content), filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		return fmt.Errorf("seal evidence folder %s: %w", f.dir, err)
	}
	if err := f.write(SumsFile, sums.Bytes()); err != nil {
		return err
	}
	f.sealed = true
	return nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
