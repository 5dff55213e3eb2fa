package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// inner is a tar as an engine writes it, with a link in it.
func inner(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{{Typeflag: tar.TypeReg, Name: "blobs/a", Size: 3, Mode: 0o644}, {Typeflag: tar.TypeSymlink, Name: "b", Linkname: "blobs/a"}} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = w.Write([]byte("abc"))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// small writes an archive of two files and a tar.
func small(t *testing.T) string {
	t.Helper()
	from := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(from, "deep"), 0o755), os.WriteFile(filepath.Join(from, "deep", "run"), []byte("#!"), 0o700),
		os.WriteFile(filepath.Join(from, "text"), []byte("hello"), 0o600)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.tar.zst")
	err := Create(file, []byte(`{"x":1}`), func(w *Writer) error {
		return errors.Join(w.AddTree("files", from), w.AddTar("engine", bytes.NewReader(inner(t))))
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRoundTrip(t *testing.T) {
	file := small(t)
	if err := Verify(file); err != nil {
		t.Fatal(err)
	}
	if m, err := Manifest(file); err != nil || string(m) != `{"x":1}` {
		t.Errorf("manifest %q, error %v", m, err)
	}
	dir := t.TempDir()
	if err := Unpack(file, "files", dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "text"))
	info, statErr := os.Stat(filepath.Join(dir, "deep", "run"))
	if err != nil || statErr != nil || string(text) != "hello" || info.Mode().Perm() != 0o755 {
		t.Errorf("unpacked %q, %v; errors %v, %v", text, info, err, statErr)
	}
	var out bytes.Buffer
	if err := Tar(file, "engine", &out); err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name+">"+h.Linkname)
	}
	if want := []string{"blobs/a>", "b>blobs/a"}; !slices.Equal(names, want) {
		t.Errorf("the tar holds %v, want %v", names, want)
	}
}

// repacked writes an archive's entries anew, changed.
func repacked(t *testing.T, file string, change func(h *tar.Header, content []byte) (*tar.Header, []byte)) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "changed.tar.zst")
	f, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	err = walk(file, func(h *tar.Header, in io.Reader) error {
		content, err := io.ReadAll(in)
		if h, content = change(h, content); h == nil || err != nil {
			return err
		}
		h.Size = int64(len(content))
		err = w.WriteHeader(h)
		_, writeErr := w.Write(content)
		return errors.Join(err, writeErr)
	})
	if err = errors.Join(err, w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestDamageIsNamed(t *testing.T) {
	whole := small(t)
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	written := func(content []byte) string {
		file := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	only := func(name string, f func(h *tar.Header, content []byte) (*tar.Header, []byte)) string {
		return repacked(t, whole, func(h *tar.Header, content []byte) (*tar.Header, []byte) {
			if h.Name != name {
				return h, content
			}
			return f(h, content)
		})
	}
	for name, tc := range map[string]struct{ file, want string }{
		"cut short":       {written(content[:len(content)/2]), "cut short"},
		"no archive":      {written([]byte("<html>not found</html>")), "no archive that meshproof"},
		"a changed file":  {only("files/text", func(h *tar.Header, _ []byte) (*tar.Header, []byte) { return h, []byte("hellO") }), "files/text in it is not as it was written"},
		"a missing file":  {only("files/text", func(*tar.Header, []byte) (*tar.Header, []byte) { return nil, nil }), "files/text is missing"},
		"a renamed file":  {only("files/text", func(h *tar.Header, c []byte) (*tar.Header, []byte) { h.Name = "files/other"; return h, c }), "files/text is missing"},
		"another link":    {only("engine/b", func(h *tar.Header, c []byte) (*tar.Header, []byte) { h.Linkname = "/etc/passwd"; return h, c }), "engine/b in it is not as it was written"},
		"a way out":       {only("files/text", func(h *tar.Header, c []byte) (*tar.Header, []byte) { h.Name = "../text"; return h, c }), "does not stay"},
		"no sums":         {only(sumsName, func(*tar.Header, []byte) (*tar.Header, []byte) { return nil, nil }), "no sums"},
		"sums of nothing": {only(sumsName, func(h *tar.Header, _ []byte) (*tar.Header, []byte) { return h, []byte{} }), "not among its sums"},
		"not there":       {filepath.Join(t.TempDir(), "none"), "no such file"},
	} {
		if err := Verify(tc.file); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.file) {
			t.Errorf("%s: error %v, want ...%s...", name, err, tc.want)
		}
	}
	if _, err := Manifest(only(ManifestName, func(*tar.Header, []byte) (*tar.Header, []byte) { return nil, nil })); err == nil || !strings.Contains(err.Error(), "first entry") {
		t.Errorf("no manifest: error %v", err)
	}
	if err := Unpack(whole, "engine", t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a link among files: error %v", err)
	}
}

func TestWhatFailsLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.tar.zst")
	if err := os.WriteFile(file, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the engine is gone")
	if err := Create(file, nil, func(*Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(dir)
	content, readErr := os.ReadFile(file)
	if err != nil || readErr != nil || len(entries) != 1 || string(content) != "the one before" {
		t.Errorf("left %v, %q", entries, content)
	}
}
