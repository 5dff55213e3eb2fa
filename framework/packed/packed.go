// Package packed writes what is saved at a failure: private files (mode 0600, in folders of mode 0700), gzip-compressed, of a long
// text its end.
package packed

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
)

// Suffix is added to the name of every file.
const Suffix = ".gz"

// Most is how many bytes of a text are kept, before it is compressed.
const Most = 1 << 20

// Tail writes the end of a text: what came last says most.
func Tail(path string, text []byte) error {
	return Whole(path, text[max(0, len(text)-Most):])
}

// Whole writes all of a document, half of which nobody could read.
func Whole(path string, content []byte) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path+Suffix, packed.Bytes(), 0o600)
}
