package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/images"
)

// TestAMachineThatLacksWhatTheScriptCalls is told so before there is a cluster: istioctl would install its default profile where the
// gateway's script prints nothing.
func TestAMachineThatLacksWhatTheScriptCalls(t *testing.T) {
	mod := t.TempDir()
	file := func(path, text string) {
		path = filepath.Join(mod, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	file("samples/multicluster/gen-eastwest-gateway.sh", "#!/bin/sh\ncat <<E\nkind: IstioOperator\nE\n")
	for _, path := range []string{"samples/multicluster/expose-services.yaml", "samples/helloworld/helloworld.yaml", "samples/sleep/sleep.yaml"} {
		file(path, "{}\n")
	}
	file("istioctl", "#!/bin/sh\necho '{\"clientVersion\": {\"version\": \"1.31.0\"}}'\n")
	if err := os.Chmod(filepath.Join(mod, "istioctl"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ path, says string }{
		"all is there": {os.Getenv("PATH"), ""},
		"no cat":       {t.TempDir(), "on the PATH"},
	} {
		t.Setenv("PATH", tc.path)
		o := kindOptions(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		s.images = &images.Set{IstioModule: mod, Istioctl: filepath.Join(mod, "istioctl")}
		err = s.assembleRelease(t.Context())
		if (err == nil) != (tc.says == "") || err != nil && (!strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "gen-eastwest-gateway.sh")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
