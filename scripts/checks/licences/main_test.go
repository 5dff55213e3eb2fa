package main

import (
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
		"more than known":  {map[string]string{"LICENSE": isc + own}, "ISC, unknown text"},
		"a second one":     {map[string]string{"LICENSE": isc, "LICENSE.more": own}, "ISC, unknown text (0 % of LICENSE.more is known)"},
	} {
		dir := t.TempDir()
		for file, text := range tc.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		found, err := licencesOf(known, dir)
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

// TestTheProgramItself is the check, as make licences runs it.
func TestTheProgramItself(t *testing.T) {
	var out strings.Builder
	if err := check(filepath.Join("..", "..", ".."), true, &out); err != nil {
		t.Error(err)
	}
	for _, e := range exceptions() {
		if !strings.Contains(out.String(), e.module+" ") {
			t.Errorf("the exception for %s is for a module that is not linked: take it out", e.module)
		}
	}
}
