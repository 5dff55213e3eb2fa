package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/whole"
)

// ErrNoEvidence is returned by Load for a folder that no run has written.
var ErrNoEvidence = errors.New("no evidence folder")

// maxFile bounds one file, so that a wrong folder cannot exhaust memory. A proxy's configuration in a mesh of a thousand
// services is about 30 MB.
const maxFile = 256 << 20

// Load reads an evidence folder. Files that cannot be used are named in Run.Unreadable, sorted, and left out: changed or
// missing against the seal, added after it, cut short, or not of the shape that was written. A folder without a seal is
// read too, and its SHA256SUMS is named as missing. The error is only that the folder is none of ours, or cannot be read.
func Load(dir string) (Run, error) {
	l := loader{dir: dir, run: Run{Epochs: map[string]Epoch{}}, sums: map[string]string{}}
	files, err := l.walk()
	if err != nil {
		return Run{}, fmt.Errorf("read evidence folder %s: %w: give the folder evidence/ of a report", dir, err)
	}
	if !slices.Contains(files, IntentFile) && !slices.Contains(files, SumsFile) {
		return Run{}, fmt.Errorf("read evidence folder %s: %w: it holds neither %s nor %s: give the folder evidence/ of a report",
			dir, ErrNoEvidence, IntentFile, SumsFile)
	}
	l.readSums(files)
	for _, name := range files {
		if name != SumsFile {
			l.read(name)
		}
	}
	for name := range l.sums {
		if !slices.Contains(files, name) {
			l.unreadable(name, "missing: the seal lists it")
		}
	}
	if _, listed := l.sums[IntentFile]; !listed && !slices.Contains(files, IntentFile) {
		l.unreadable(IntentFile, "missing")
	}
	slices.SortFunc(l.run.Unreadable, func(a, b Unreadable) int {
		return strings.Compare(a.File+"\n"+a.Reason, b.File+"\n"+b.Reason)
	})
	return l.run, nil
}

type loader struct {
	dir    string
	run    Run
	sums   map[string]string // by file, from the seal
	sealed bool
}

func (l *loader) unreadable(file, reason string) {
	l.run.Unreadable = append(l.run.Unreadable, Unreadable{File: file, Reason: reason})
}

// walk lists every file, and the directories of epochs and clusters, which exist even when they are empty.
func (l *loader) walk() ([]string, error) {
	var files []string
	err := filepath.WalkDir(l.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(l.dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel == "." && !d.IsDir() {
			return fmt.Errorf("%w: it is not a folder", ErrNoEvidence)
		}
		switch {
		case d.IsDir():
			if epoch, name, ok := strings.Cut(rel, "/"); ok && isEpoch(epoch) && !strings.Contains(name, "/") {
				l.cluster(epoch, name)
			}
		case strings.HasPrefix(d.Name(), whole.Prefix): // a crash left it; it was never evidence
		case !d.Type().IsRegular():
			l.unreadable(rel, "not a regular file")
		default:
			files = append(files, rel)
		}
		return nil
	})
	return files, err
}

var epochName = regexp.MustCompile(`^[0-9]{2}-[a-z0-9-]+$`)

func isEpoch(name string) bool { return epochName.MatchString(name) }

// cluster gives the cluster's entry of the run, made when it is not there.
func (l *loader) cluster(epoch, name string) *Cluster {
	e, ok := l.run.Epochs[epoch]
	if !ok {
		e = Epoch{Name: epoch, Clusters: map[string]*Cluster{}}
		l.run.Epochs[epoch] = e
	}
	if e.Clusters[name] == nil {
		e.Clusters[name] = &Cluster{}
	}
	return e.Clusters[name]
}

var sumLine = regexp.MustCompile(`^([0-9a-f]{64})  (\S.*)$`)

func (l *loader) readSums(files []string) {
	if !slices.Contains(files, SumsFile) {
		l.unreadable(SumsFile, "missing: the folder was not sealed, so the run that wrote it did not end as it should")
		return
	}
	l.sealed = true
	content, err := l.content(SumsFile)
	if err != nil {
		l.unreadable(SumsFile, err.Error())
		return
	}
	if len(content) > 0 && content[len(content)-1] != '\n' {
		l.unreadable(SumsFile, "cut short: its last line has no end")
	}
	for n, line := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		m := sumLine.FindStringSubmatch(line)
		if m == nil {
			l.unreadable(SumsFile, fmt.Sprintf("line %d is not a SHA-256 sum and a file name", n+1))
			continue
		}
		l.sums[m[2]] = m[1]
	}
}

func (l *loader) content(name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(l.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	return content, nil
}

// reason drops the path from an error of the file system: an Unreadable names its file itself, relative to the folder.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (l *loader) read(name string) {
	content, err := l.content(name)
	if err != nil {
		l.unreadable(name, err.Error())
		return
	}
	if l.sealed {
		switch want, listed := l.sums[name]; {
		case !listed:
			l.unreadable(name, "not in the seal: it was added later, or the seal was changed")
			return
		case want != digest(content):
			l.unreadable(name, "changed: its SHA-256 is not the one in the seal")
			return
		}
	}
	if err := l.decode(name, content); err != nil {
		l.unreadable(name, err.Error())
	}
}

// decode puts a file's content where it belongs in the run. Files of no known name (logs) are covered by the seal only.
func (l *loader) decode(name string, content []byte) error {
	switch name {
	case IntentFile:
		return into(content, &l.run.Intent)
	case StepsFile:
		return into(content, &l.run.Steps)
	}
	parts := strings.Split(name, "/")
	if len(parts) != 3 || !isEpoch(parts[0]) {
		return nil
	}
	c, file := l.cluster(parts[0], parts[1]), parts[2]
	if !strings.HasSuffix(file, suffix) {
		return nil
	}
	switch {
	case file == kubernetesFile:
		return into(content, &c.Kubernetes)
	case file == handshakesFile:
		return into(content, &c.Handshakes)
	case file == steadyFile:
		return into(content, &c.Steady)
	case file == logsFile:
		return into(content, &c.Logs)
	case file == dialsFile:
		return into(content, &c.Dials)
	case file == problemsFile:
		return into(content, &c.Problems)
	case strings.HasPrefix(file, istiodPrefix):
		return appendTo(content, &c.Istiods, Istiod.compact)
	case strings.HasPrefix(file, proxyPrefix):
		return appendTo(content, &c.Proxies, Proxy.compact)
	case strings.HasPrefix(file, trafficPrefix):
		return appendTo(content, &c.Traffic, func(t Traffic) Traffic { return t })
	}
	return nil
}

// into decodes strictly: a key that is not known means that the file is not what it claims to be. The value is left as it
// was when the content does not decode.
func into[T any](content []byte, value *T) error {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	var v T
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("cut short: its JSON has no end")
		}
		return fmt.Errorf("not the JSON that was written: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("not the JSON that was written: something follows its end")
	}
	*value = v
	return nil
}

func appendTo[T any](content []byte, all *[]T, finish func(T) T) error {
	var v T
	if err := into(content, &v); err != nil {
		return err
	}
	*all = append(*all, finish(v))
	return nil
}

// compact undoes the indentation of the pages, so that what is loaded equals what was saved.
func (i Istiod) compact() Istiod {
	for name, page := range i.Pages {
		i.Pages[name] = Compact(page)
	}
	return i
}

func (p Proxy) compact() Proxy {
	p.Clusters, p.ConfigDump, p.Certs = Compact(p.Clusters), Compact(p.ConfigDump), Compact(p.Certs)
	p.decoded = &decoded{}
	return p
}

// Compact removes the white space between the tokens of a JSON page; a page that is not JSON is given back as it is, and
// null as nil.
func Compact(page json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, page); err != nil {
		return page
	}
	if b.String() == "null" {
		return nil
	}
	return b.Bytes()
}
