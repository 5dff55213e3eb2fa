package main

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/exitcode"
)

// TestAnArchiveThatCannotBe: what is wrong with the path is bad input, and known before any image is looked for.
func TestAnArchiveThatCannotBe(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"images load none.tar.zst": "read archive none.tar.zst: there is no such file: give one that meshproof images save has written",
		"images load .":            "read archive .: there is no such file",
		"images save none/a.zst":   "write archive none/a.zst: there is no directory none: make it, or choose another FILE",
	} {
		if out, code := execute(t, strings.Fields(args)...); code != exitcode.Usage || !strings.Contains(out, want) {
			t.Errorf("meshproof %s: exit code %d, want %d and %q:\n%s", args, code, exitcode.Usage, want, out)
		}
	}
}
