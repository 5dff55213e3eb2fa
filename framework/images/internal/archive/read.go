package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxSmall bounds the manifest and the sums, which are held in memory.
const maxSmall = 16 << 20

// walk calls visit for each entry, in order. io.EOF from visit ends it without an error.
func walk(file string, visit func(h *tar.Header, content io.Reader) error) error {
	fail := func(err error) error {
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			err = errors.New("it is cut short: copy it again")
		case errors.Is(err, zstd.ErrMagicMismatch):
			err = errors.New("it is no archive that meshproof images save has written: give one that it has")
		}
		return fmt.Errorf("read archive %s: %w", file, err)
	}
	in, err := os.Open(file)
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	unpacked, err := zstd.NewReader(in)
	if err != nil {
		return fail(err)
	}
	defer unpacked.Close()
	t := tar.NewReader(unpacked)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && !filepath.IsLocal(h.Name) {
			err = fmt.Errorf("its entry %q does not stay in a directory", h.Name)
		}
		if err == nil {
			err = visit(h, t)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fail(err)
		}
	}
}

// Manifest gives the first entry.
func Manifest(file string) (content []byte, err error) {
	err = walk(file, func(h *tar.Header, in io.Reader) error {
		if h.Name != ManifestName {
			return fmt.Errorf("its first entry is %s, not %s: it is no archive that meshproof images save has written: give one that it has", h.Name, ManifestName)
		}
		if content, err = io.ReadAll(io.LimitReader(in, maxSmall)); err != nil {
			return err
		}
		return io.EOF
	})
	if err == nil && content == nil {
		err = fmt.Errorf("read archive %s: it is empty", file)
	}
	return content, err
}

// Verify reads the whole archive and holds every entry against the sums at its end. They tell what was damaged on the way;
// they are no signature.
func Verify(file string) error {
	have := map[string]string{}
	var sums []byte
	err := walk(file, func(h *tar.Header, in io.Reader) error {
		if sums != nil {
			return fmt.Errorf("its entry %s stands behind the sums", h.Name)
		}
		if h.Name == sumsName {
			content, err := io.ReadAll(io.LimitReader(in, maxSmall))
			sums = append([]byte{}, content...)
			return err
		}
		sum := sumOf(h)
		_, err := io.Copy(sum, in)
		have[h.Name] = inHex(sum)
		return err
	})
	if err != nil {
		return err
	}
	if sums == nil {
		return fmt.Errorf("read archive %s: it has no sums at its end: it is cut short: copy it again", file)
	}
	return check(file, have, sums)
}

func check(file string, have map[string]string, sums []byte) error {
	for line := range bytes.Lines(sums) {
		want, name, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), "  ")
		got, there := have[name]
		switch {
		case !there:
			return fmt.Errorf("read archive %s: %s is missing in it: copy it again", file, name)
		case got != want:
			return fmt.Errorf("read archive %s: %s in it is not as it was written (its SHA-256 differs): copy it again", file, name)
		}
		delete(have, name)
	}
	for name := range have {
		return fmt.Errorf("read archive %s: %s in it is not among its sums: it was added later", file, name)
	}
	return nil
}

// below tells whether an entry is below a name, and how it is called there.
func below(name, entry string) (string, bool) {
	return strings.CutPrefix(entry, name+"/")
}

// Unpack writes the files below a name into a directory. What is no file is an error: nobody put a link there.
func Unpack(file, name, dir string) error {
	return walk(file, func(h *tar.Header, in io.Reader) error {
		rel, is := below(name, h.Name)
		if !is {
			return nil
		}
		if h.Typeflag != tar.TypeReg {
			return fmt.Errorf("its entry %s is no file", h.Name)
		}
		to := filepath.Join(dir, filepath.FromSlash(rel))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, os.FileMode(h.Mode)&0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close())
	})
}

// Tar writes the entries below a name as the tar that they came from.
func Tar(file, name string, to io.Writer) error {
	out := tar.NewWriter(to)
	err := walk(file, func(h *tar.Header, in io.Reader) error {
		rel, is := below(name, h.Name)
		if !is {
			return nil
		}
		h.Name = rel
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.Copy(out, in)
		return err
	})
	return errors.Join(err, out.Close())
}
