package progress

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTextOfAClusterDoesNotSteerTheTerminal(t *testing.T) {
	const hostile, tame = "a\x1b[2Jb\u009b31mc\x7f\r\n\td é", "a [2Jb 31mc  \n\td é"
	var out bytes.Buffer
	if n, err := (guard{&out}).Write([]byte(hostile)); err != nil || n != len(hostile) || out.String() != tame {
		t.Errorf("a terminal gets %q, %d, %v; want %q", out.String(), n, err, tame)
	}
	out.Reset()
	p := &Plain{w: &out, began: time.Unix(0, 0)}
	p.print(time.Unix(1, 0), "ea\x1bst", "state \x1b]0;x\x07")
	if bytes.ContainsAny(out.Bytes(), "\x1b\x07") {
		t.Errorf("a plain line steers: %q", out.String())
	}
}

// TestAFileGetsEveryByte: `meshproof judge` prints findings.json byte for byte.
func TestAFileGetsEveryByte(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const text = "a\x1b\u0085\x00\n"
	if _, err := Guarded(f).Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != text {
		t.Errorf("%q, %v; want %q", got, err, text)
	}
}
