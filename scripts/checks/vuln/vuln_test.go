// Package vuln tests scripts/vuln: what it makes of each way in which govulncheck ends.
package vuln

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatComesOfALook(t *testing.T) {
	script, err := filepath.Abs(filepath.Join("..", "..", "vuln"))
	if err != nil {
		t.Fatal(err)
	}
	const away = `govulncheck: fetching vulnerabilities: Get "https://db.example/index/modules.json.gz": dial tcp: no such host`
	for name, tc := range map[string]struct {
		says string // what the fake govulncheck prints
		ends string // and how it ends
		code int
		want string
	}{
		"none":                        {"No vulnerabilities found.", "0", 0, "none known in the-program"},
		"one":                         {"Vulnerability #1: GO-2026-9999", "3", 1, "GO-2026-9999"},
		"out of reach":                {away, "1", 0, "not run: the database is out of reach: govulncheck: fetching vulnerabilities: Get"},
		"a finding beside that":       {away, "3", 1, "there are some"},
		"no program":                  {"govulncheck: unrecognized binary format", "1", 1, "the look at the-program failed (exit code 1)"},
		"another use of these words":  {"panic: while fetching vulnerabilities: x", "2", 1, "failed (exit code 2)"},
	} {
		fake := filepath.Join(t.TempDir(), "govulncheck")
		text := "#!/bin/sh\ncat <<'EOF'\n" + tc.says + "\nEOF\n[ \"$*\" = '-db file:///db -mode=binary the-program' ] || exit 9\nexit " + tc.ends + "\n"
		if err := os.WriteFile(fake, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(script, fake, "the-program")
		c.Env = append(os.Environ(), "GOVULNDB=file:///db")
		out, err := c.CombinedOutput()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != tc.code || !strings.Contains(string(out), tc.want) {
			t.Errorf("%s: exit code %d, want %d; it said %q, want ...%s...", name, code, tc.code, out, tc.want)
		}
	}
}
