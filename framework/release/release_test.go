package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, mode os.FileMode, content string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

const answers = "#!/bin/sh\nprintf '{\"clientVersion\":{\"version\":\"%s\"}}' VERSION\n"

// module is an Istio module as far as Assemble reads it, with the modes of a module cache.
func module(t *testing.T) (dir, istioctl string) {
	t.Helper()
	dir = t.TempDir()
	write(t, 0o444, "#!/bin/bash\n", dir, "samples/multicluster/gen-eastwest-gateway.sh")
	write(t, 0o444, "kind: Gateway\n", dir, "samples/multicluster/expose-services.yaml")
	write(t, 0o444, "kind: Service\n", dir, helloworld)
	write(t, 0o444, "kind: Service\n", dir, sleep)
	istioctl = filepath.Join(t.TempDir(), "built-istioctl")
	write(t, 0o755, strings.Replace(answers, "VERSION", "1.23.2-asm.2", 1), istioctl)
	return dir, istioctl
}

func assembled(t *testing.T) string {
	t.Helper()
	mod, istioctl := module(t)
	path := filepath.Join(t.TempDir(), "release")
	for range 2 { // the second time writes over the first
		d, err := Assemble(path, mod, istioctl)
		if err != nil {
			t.Fatal(err)
		}
		if d.Path != path || d.Samples != path || d.Istioctl != filepath.Join(path, "istioctl") || d.Version != "1.23.2-asm.2" {
			t.Fatalf("assembled %+v", d)
		}
		if err := os.Chmod(filepath.Join(path, GatewayScript), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Assemble(path, mod, istioctl); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAssembleThenOpen(t *testing.T) {
	path := assembled(t)
	info, err := os.Stat(filepath.Join(path, GatewayScript))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the gateway script has mode %v, %v: the guide executes it", info.Mode(), err)
	}
	if _, err := Open(path); err != nil {
		t.Error(err)
	}
}

func TestAssembleNamesWhatTheModuleLacks(t *testing.T) {
	mod, istioctl := module(t)
	if err := os.RemoveAll(filepath.Join(mod, "samples/sleep")); err != nil {
		t.Fatal(err)
	}
	if _, err := Assemble(filepath.Join(t.TempDir(), "r"), mod, istioctl); err == nil || !strings.Contains(err.Error(), "samples/sleep") {
		t.Errorf("error %v, want one that names samples/sleep", err)
	}
}

func TestOpenFindsTheSamplesOfARealDirectory(t *testing.T) {
	path := assembled(t)
	unpacked := filepath.Join(path, "istio-1.23.2-asm.2")
	if err := os.Mkdir(unpacked, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(path, "samples"), filepath.Join(unpacked, "samples")); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil || d.Samples != unpacked {
		t.Errorf("samples %+v, %v: want %s", d, err, unpacked)
	}
}

func TestOpenNamesEverythingThatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  []string
	}{
		{"nothing there", func(t *testing.T, path string) {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}, []string{"no istioctl", "no " + GatewayScript, "no " + ExposeServices, helloworld}},
		{"the script is not executable", func(t *testing.T, path string) {
			if err := os.Chmod(filepath.Join(path, GatewayScript), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{GatewayScript + " is not executable"}},
		{"samples twice", func(t *testing.T, path string) {
			write(t, 0o644, "", path, "istio-1.9/"+helloworld)
			write(t, 0o644, "", path, "istio-1.9/"+sleep)
		}, []string{"more than once"}},
		{"istioctl is something else", func(t *testing.T, path string) {
			if err := os.Remove(filepath.Join(path, Istioctl)); err != nil {
				t.Fatal(err)
			}
			write(t, 0o755, "#!/bin/sh\necho usage >&2; exit 3\n", path, Istioctl)
		}, []string{"ask", "usage", "exit status 3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := assembled(t)
			tc.spoil(t, path)
			_, err := Open(path)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestAPathThatTheGuideWouldSplitIsRefused(t *testing.T) {
	mod, istioctl := module(t)
	if _, err := Assemble(filepath.Join(t.TempDir(), "my release"), mod, istioctl); err == nil || !strings.Contains(err.Error(), "unquoted ${SAMPLES_DIR}") {
		t.Errorf("error %v", err)
	}
}

func TestAnUnknownVersionIsReadFromTheBuild(t *testing.T) {
	path := assembled(t)
	if err := os.Remove(filepath.Join(path, Istioctl)); err != nil {
		t.Fatal(err)
	}
	write(t, 0o755, strings.Replace(answers, "VERSION", "unknown", 1), path, Istioctl)
	if d, err := Open(path); err != nil || d.Version != "unknown" {
		t.Errorf("%+v, %v: a script has no build information", d, err)
	}
}
