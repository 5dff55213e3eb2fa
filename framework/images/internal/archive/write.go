// Package archive is the one file in which a run's images and tools travel to a machine that reaches no network: a tar,
// compressed with zstd, whose first entry says what is inside, and whose last is the SHA-256 of every other.
package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/meshproof/meshproof/framework/whole"
)

// Names of the first entry and of the last.
const (
	ManifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
)

// Writer adds to an archive.
type Writer struct {
	tar  *tar.Writer
	sums map[string]string
}

// Create writes an archive: the manifest, what add adds, and the sums. The file appears whole or not at all.
func Create(file string, manifest []byte, add func(*Writer) error) error {
	return whole.File(file, 0o644, func(out io.Writer) error { return write(out, manifest, add) })
}

func write(out io.Writer, manifest []byte, add func(*Writer) error) error {
	packed, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return err
	}
	w := &Writer{tar: tar.NewWriter(packed), sums: map[string]string{}}
	if err := w.entry(&tar.Header{Typeflag: tar.TypeReg, Name: ManifestName, Mode: 0o644, Size: int64(len(manifest))}, bytes.NewReader(manifest)); err != nil {
		return err
	}
	if err := add(w); err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(w.sums)) {
		fmt.Fprintf(&sums, "%s  %s\n", w.sums[name], name)
	}
	err = w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: sumsName, Mode: 0o644, Size: int64(sums.Len())})
	if err == nil {
		_, err = w.tar.Write(sums.Bytes())
	}
	return errors.Join(err, w.tar.Close(), packed.Close())
}

// entry adds one entry, and keeps its sum.
func (w *Writer) entry(h *tar.Header, content io.Reader) error {
	if _, twice := w.sums[h.Name]; twice {
		return fmt.Errorf("add %s: there is one already", h.Name)
	}
	if err := w.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("add %s: %w", h.Name, err)
	}
	sum := sumOf(h)
	if _, err := io.Copy(io.MultiWriter(w.tar, sum), content); err != nil {
		return fmt.Errorf("add %s: %w", h.Name, err)
	}
	w.sums[h.Name] = inHex(sum)
	return nil
}

// AddFile adds one file under a name; what a link leads to is added in its place.
func (w *Writer) AddFile(name, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	mode := int64(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	return w.entry(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size()}, in)
}

// AddTree adds every file below a directory.
func (w *Writer) AddTree(name, dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return w.AddFile(path.Join(name, filepath.ToSlash(rel)), p)
	})
}

// AddTar adds every entry of another tar as it is, below a name.
func (w *Writer) AddTar(name string, from io.Reader) error {
	t := tar.NewReader(from)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, from) // who writes it must not be cut off
			return err
		}
		if err != nil {
			return fmt.Errorf("read what goes below %s: %w", name, err)
		}
		h.Name, h.Format = path.Join(name, h.Name), tar.FormatUnknown // a longer name may need another
		if err := w.entry(h, t); err != nil {
			return err
		}
	}
}

// sumOf begins the SHA-256 of an entry: of its content, and, of what is no file, of its kind and what it links to.
func sumOf(h *tar.Header) hash.Hash {
	sum := sha256.New()
	if h.Typeflag != tar.TypeReg {
		fmt.Fprintf(sum, "%c %s\n", h.Typeflag, h.Linkname)
	}
	return sum
}

func inHex(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }
