package packed_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/packed"
	"github.com/meshproof/meshproof/framework/packed/packedtest"
)

func TestOfALongTextTheEndIsKept(t *testing.T) {
	long := "begin" + strings.Repeat("x", packed.Most) + "end"
	for name, tc := range map[string]struct {
		write func(string, []byte) error
		text  string
		want  string
	}{
		"short":    {packed.Tail, "all of it", "all of it"},
		"nothing":  {packed.Tail, "", ""},
		"long":     {packed.Tail, long, long[len(long)-packed.Most:]},
		"document": {packed.Whole, long, long},
	} {
		path := filepath.Join(t.TempDir(), "logs", "one.log")
		if err := tc.write(path, []byte(tc.text)); err != nil {
			t.Fatal(err)
		}
		if got := packedtest.Read(t, path); got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(tc.want))
		}
		if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: the folder: %v, %v", name, info, err)
		}
	}
}

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := packed.Tail(filepath.Join(file, "one.log"), nil); err == nil {
		t.Error("no error for a folder that cannot be made")
	}
}
