package whole

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileAppearsWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Bytes(path, 0o600, []byte("old")); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	broken := errors.New("broken")
	err = File(path, 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	})
	if content, readErr := os.ReadFile(path); !errors.Is(err, broken) || readErr != nil || string(content) != "old" {
		t.Errorf("after a failure: %q, %v, %v, want the old content and the reason", content, err, readErr)
	}
	if err := Bytes(path, 0o600, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(old); err != nil || string(content) != "old" {
		t.Errorf("who has the old file reads %q, %v", content, err)
	}
	info, err := os.Stat(path)
	if content, readErr := os.ReadFile(path); err != nil || readErr != nil || string(content) != "new" || info.Mode() != 0o600 {
		t.Errorf("%q with mode %v, %v, %v, want the new content, private", content, info.Mode(), err, readErr)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Errorf("the folder holds %v, %v, want the file alone", all, err)
	}
	if err := Bytes(filepath.Join(path, "under"), 0o600, nil); err == nil {
		t.Error("a file in no folder is written")
	}
}
