package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/images"
)

func TestVersionTellsEveryPin(t *testing.T) {
	pins, err := images.Pins()
	if err != nil {
		t.Fatal(err)
	}
	text, code := execute(t, "version")
	if code != 0 || !strings.Contains(text, runtime.Version()) {
		t.Fatalf("exit code %d, want 0 and Go's version:\n%s", code, text)
	}
	for _, p := range pins {
		if !strings.Contains(text, p.Version) || !strings.Contains(text, p.From) {
			t.Errorf("the output lacks %s %s", p.From, p.Version)
		}
	}
	body, code := execute(t, "version", "--output", "json")
	var got program
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v:\n%s", code, err, body)
	}
	if len(got.Pinned) != len(pins) || got.Go != runtime.Version() || got.Version == "" || len(got.Pinned[0].Sums) == 0 {
		t.Errorf("the JSON has %d pins of %d, Go %q, version %q", len(got.Pinned), len(pins), got.Go, got.Version)
	}
}

func TestVersionTellsTheCommit(t *testing.T) {
	info := func(settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: settings}
	}
	commit, when := debug.BuildSetting{Key: "vcs.revision", Value: "abc"}, debug.BuildSetting{Key: "vcs.time", Value: "2026-11-25T00:00:00Z"}
	for _, tc := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"nothing is known", nil, "meshproof  unknown  commit unknown\n"},
		{"without the commit", info(), "v1.2.3"},
		{"with the commit", info(commit, when), "commit abc 2026-11-25T00:00:00Z\n"},
		{"changed since", info(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "commit abc, with changes\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			if err := printVersion(&out, describe(tc.info, nil)); err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(text+"\n", strings.Join(strings.Fields(tc.want), " ")) {
				t.Errorf("%q lacks %q", out.String(), tc.want)
			}
		})
	}
}

func TestTheFlagThatTellsTheVersion(t *testing.T) {
	if out, code := execute(t, "--version"); code != 0 || !strings.HasPrefix(out, "meshproof version ") {
		t.Errorf("exit code %d: %q", code, out)
	}
	if out, code := execute(t, "-v"); code != 2 {
		t.Errorf("-v, which is --verbose where it is known: exit code %d: %q", code, out)
	}
}

func TestCompletion(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"__complete run --disruption identity-", "identity-denied\n"},
		{"__complete run --disruption node-", "node-cut-off\n"},
		{"__complete run --plant d", "different-roots\n"},
		{"__complete run --keep o", "on-failure\n"},
		{"__complete prove --only gateway-w", "gateway-without-listener\n"},
		{"__complete run --platform gke-v", "gke-vmware\n"},
		{"__complete guide --platform attached-e", "attached-eks\n"},
		{"__complete guide --ca ca-", "ca-service\n"},
		{"__complete guide --mode c", "corrected\n"},
		{"__complete version --output j", "json\n"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			if out, code := execute(t, strings.Fields(tc.args)...); code != 0 || !strings.Contains(out, tc.want) {
				t.Errorf("exit code %d, want 0 and %q:\n%s", code, tc.want, out)
			}
		})
	}
}

// Cobra's command takes standard output when it is made.
func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{"bash": "__start_meshproof", "zsh": "#compdef meshproof", "fish": "complete -c meshproof", "powershell": "Register-ArgumentCompleter"} {
		file, err := os.Create(filepath.Join(t.TempDir(), shell))
		if err != nil {
			t.Fatal(err)
		}
		stdout := os.Stdout
		os.Stdout = file
		_, code := execute(t, "completion", shell)
		os.Stdout = stdout
		script, err := os.ReadFile(file.Name())
		if err != nil || file.Close() != nil || code != 0 || !strings.Contains(string(script), want) {
			t.Errorf("%s: exit code %d, %v; want a script with %q, got %d bytes", shell, code, err, want, len(script))
		}
	}
}
