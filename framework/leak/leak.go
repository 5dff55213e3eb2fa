// Package leak knows what is secret on clusters, and searches what a run wrote for secrets that it must not have kept: as they
// are, and in the encodings in which Kubernetes, Istio and Envoy pass them on.
package leak

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Leak is a secret that was found.
type Leak struct {
	// File is its path below the directory that was searched.
	File string
	// Secret is the secret's name, and Encoding how it was written there: "plain", "base64", "base64 twice", "hex" or "URL".
	Secret, Encoding string
}

// Search reads every file below a directory, compressed ones (.gz) too, and looks for the secrets, which are given by name.
// It tells how many files it read. A file that cannot be read is an error: nothing can be said of it.
func Search(dir string, secrets map[string]string) (found []Leak, files int, err error) {
	all := needles(secrets)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := read(path)
		if err != nil {
			return err
		}
		files++
		name, err := filepath.Rel(dir, path)
		for _, n := range all {
			if bytes.Contains(content, n.text) {
				found = append(found, Leak{File: name, Secret: n.secret, Encoding: n.encoding})
			}
		}
		return err
	})
	if err != nil {
		return found, files, fmt.Errorf("search %s for secrets: %w", dir, err)
	}
	return slices.Compact(found), files, nil // one secret in two spellings of an encoding is one leak
}

func read(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return content, err
	}
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	content, err = io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return content, nil
}

type needle struct {
	secret, encoding string
	text             []byte
}

func needles(secrets map[string]string) []needle {
	var all []needle
	for name, secret := range secrets {
		add := func(encoding string, texts ...string) {
			for _, t := range texts {
				all = append(all, needle{secret: name, encoding: encoding, text: []byte(t)})
			}
		}
		add("plain", secret)
		once := within(secret)
		add("base64", once...)
		for _, text := range once {
			add("base64 twice", within(text)...)
		}
		add("hex", hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))))
		if escaped := url.QueryEscape(secret); escaped != secret {
			add("URL", escaped)
		}
	}
	slices.SortFunc(all, func(a, b needle) int { return strings.Compare(a.secret+a.encoding, b.secret+b.encoding) })
	return all
}

// within gives what base64 makes of a text that stands somewhere in a longer one: its bytes may begin at each of the three
// places in a group, and the characters that also depend on its neighbours are left out. Both alphabets are given.
func within(text string) []string {
	var all []string
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + text))
		first := []int{0, 2, 3}[before]
		if (before+len(text))%3 != 0 {
			encoded = encoded[:len(encoded)-1]
		}
		encoded = encoded[first:]
		all = append(all, encoded)
		if web := strings.NewReplacer("+", "-", "/", "_").Replace(encoded); web != encoded {
			all = append(all, web)
		}
	}
	return all
}
