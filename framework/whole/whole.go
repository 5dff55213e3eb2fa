// Package whole writes files that appear whole or not at all: who reads one while it is written again has the old one to the end,
// and a machine that stops leaves the old one or the new one.
package whole

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Prefix starts the names of files that are being written, beside what they will be; a crash may leave one.
const Prefix = ".writing-"

// File makes a file of what write writes, with that mode from the start.
func File(path string, mode os.FileMode, write func(io.Writer) error) error {
	part := filepath.Join(filepath.Dir(path), Prefix+rand.Text())
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err = write(out); err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(part)))
	}
	return nil
}

// Bytes makes a file of content.
func Bytes(path string, mode os.FileMode, content []byte) error {
	return File(path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
