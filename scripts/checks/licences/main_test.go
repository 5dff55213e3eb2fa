package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licenseclassifier/v2/assets"
)

const isc = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`

func TestLicencesOf(t *testing.T) {
	known, err := assets.DefaultClassifier()
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Repeat("You may look at this on Sundays, and never on a Monday.\n", 30)
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"known":            {map[string]string{"LICENSE": "Copyright (c) 2020 Somebody\n\n" + isc}, "ISC"},
		"none":             {map[string]string{"README": isc}, ""},
		"another spelling": {map[string]string{"COPYING.txt": isc, "licence_test.go": own}, "ISC"},
		"unknown":          {map[string]string{"LICENSE": own}, "unknown text (0 % of LICENSE is known)"},
		"in a package":     {map[string]string{"a/LICENSE": isc, "b/LICENSE": own, "a/b/doc.go": ""}, "ISC"},
		"beside a licence": {map[string]string{"LICENSE": isc, "NOTICE": own, "PATENTS": own}, "ISC"},
		"more than known":  {map[string]string{"LICENSE": isc + own}, "ISC, unknown text"},
		"a second one":     {map[string]string{"LICENSE": isc, "LICENSE.more": own}, "ISC, unknown text (0 % of LICENSE.more is known)"},
	} {
		dir := t.TempDir()
		for file, text := range tc.files {
			path := filepath.Join(dir, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		pkg := dir
		if _, err := os.Stat(filepath.Join(dir, "a", "b")); err == nil {
			pkg = filepath.Join(dir, "a", "b")
		}
		files, err := termsOf(dir, pkg)
		if err != nil {
			t.Fatal(err)
		}
		found, err := licencesOf(known, dir, files)
		if got := strings.Join(found, ", "); err != nil || !strings.HasPrefix(got, tc.want) || tc.want == "" && got != "" {
			t.Errorf("%s: %q, error %v, want %q", name, got, err, tc.want)
		}
	}
}

func TestJudge(t *testing.T) {
	for name, tc := range map[string]struct {
		path, found string
		says        string
	}{
		"allowed":              {"a", "MIT,Apache-2.0", ""},
		"its own files only":   {"a", "MPL-2.0", ""},
		"none":                 {"a", "", "no licence"},
		"touches other code":   {"a", "MIT,GPL-3.0", "licence GPL-3.0 is not among"},
		"unknown":              {"a", "unknown text (0 % of LICENSE is known)", "unknown text"},
		"an exception":         {"github.com/opencontainers/go-digest", "Apache-2.0,CC-BY-SA-4.0", ""},
		"another's exception":  {"a", "CC-BY-SA-4.0", "CC-BY-SA-4.0"},
		"beside the exception": {"github.com/opencontainers/go-digest", "CC-BY-SA-4.0,AGPL-3.0", "AGPL-3.0"},
	} {
		found := slices.DeleteFunc(strings.Split(tc.found, ","), func(s string) bool { return s == "" })
		if err := judge(tc.path, found); (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: error %v, want ...%s...", name, err, tc.says)
		}
	}
}

// TestTheProgramItself is the check, as make licences runs it, and the notices of a release.
func TestTheProgramItself(t *testing.T) {
	var out strings.Builder
	file := filepath.Join(t.TempDir(), "dist", "THIRD_PARTY_NOTICES")
	if err := check(filepath.Join("..", "..", ".."), true, file, &out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	notices := string(text)
	for line := range strings.Lines(out.String()) {
		name, licences, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name != "licences" && strings.Count(notices, "\n"+name+"\nLicence: "+licences+"\n\n-------- ") != 1 {
			t.Errorf("%s is not in the notices once, with its licence and a text", name)
		}
	}
	for _, want := range []string{"Go standard library go1.", "Copyright 2009 The Go Authors.", "-------- NOTICE\n", "-------- third_party/forked/golang/LICENSE\n"} {
		if !strings.Contains(notices, want) {
			t.Errorf("the notices lack %q", want)
		}
	}
	for _, e := range exceptions() {
		if !strings.Contains(out.String(), e.module+" ") {
			t.Errorf("the exception for %s is for a module that is not linked: take it out", e.module)
		}
	}
}

func TestNotices(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("\nthe terms\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := module{Path: "example.com/a", Version: "v1.2.3", Dir: dir, Files: []string{"LICENSE"}, licences: []string{"ISC", "MIT"}}
	text, err := noticesOf([]module{m})
	for _, want := range []string{"\nexample.com/a v1.2.3: ISC, MIT\n", "\n=====", "example.com/a v1.2.3\nLicence: ISC, MIT\n\n-------- LICENSE\n\nthe terms\n"} {
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("error %v, want %q:\n%s", err, want, text)
		}
	}
	m.Files = append(m.Files, "NOTICE")
	if _, err := noticesOf([]module{m}); err == nil || !strings.Contains(err.Error(), "example.com/a") {
		t.Errorf("a text that is gone: error %v", err)
	}
}
