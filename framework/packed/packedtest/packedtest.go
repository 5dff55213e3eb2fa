// Package packedtest is for tests: it reads what package packed has written.
package packedtest

import (
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/meshproof/meshproof/framework/packed"
)

// Read gives the content of a file by its name without the suffix, and fails the test where the file is not private.
func Read(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path + packed.Suffix)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", path, info, err)
	}
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
