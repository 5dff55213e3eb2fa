package kindcluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCommandLine: docker has the caller's environment, all that it prints is given, and an error has all that it said, once.
func TestCommandLine(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho \"$DOCKER_HOST\"\n[ \"$1\" = version ] || { echo 'no such'; echo a; echo b; echo c; exit 3; } >&2\n"
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("DOCKER_HOST", "unix:///there")
	if out, err := (commandLine{}).run(t.Context(), "version"); out != "unix:///there\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	out, err := commandLine{}.run(t.Context(), "rm", "x")
	if out != "unix:///there\n" || err == nil || err.Error() != "docker rm: exit status 3: no such\na\nb\nc" || !said(err, "no such") {
		t.Errorf("%q, %v", out, err)
	}
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := (commandLine{}).run(ctx, "version"); !errors.Is(err, why) {
		t.Error(err)
	}
}
