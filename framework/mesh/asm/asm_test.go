package asm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/mesh/asm/asmtest"
	"github.com/meshproof/meshproof/framework/shell"
)

func TestMain(m *testing.M) { asmtest.Main(m) }

// limit is far beyond what a stand-in takes.
const limit = time.Minute

func open(t *testing.T, tools *asmtest.Tools) *asm.Driver {
	t.Helper()
	d, err := asm.Open(t.Context(), asm.Options{
		Asmcli: tools.Program("asmcli"), Gcloud: tools.Program("gcloud"), Dir: filepath.Join(tools.Dir, "run"), ReleaseDir: tools.Dir,
	}, limit)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Prepare(tools.Program("istioctl")); err != nil {
		t.Fatal(err)
	}
	return d
}

// text is a step of the guide for clusters of these names.
func text(t *testing.T, d *asm.Driver, tools *asmtest.Tools, step, fleet string, names ...string) string {
	t.Helper()
	steps, err := guide.Steps(guide.Clusters)
	if err != nil {
		t.Fatal(err)
	}
	s, err := guide.Named(steps, step)
	if err != nil {
		t.Fatal(err)
	}
	v := guide.Values{Fleet: fleet, Asmcli: d.Asmcli(), OutputDir: d.OutputDir()}
	for _, name := range names {
		v.Clusters = append(v.Clusters, guide.Cluster{Kubeconfig: tools.Kubeconfig(name)})
	}
	script, _, err := guide.Render(s, v, intent.Corrected)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func golden(t *testing.T, name string, got []string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Join(got, "\n") + "\n"; lines != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, lines, want)
	}
}

func remoteName(name string) string { return asmtest.Sanitized("ctx_" + name + "@a.b") }

func TestCreateMeshJoinsEachOrderedPairOnce(t *testing.T) {
	for n := 2; n <= 4; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			tools := asmtest.New(t)
			d := open(t, tools)
			names := []string{"east", "west", "north", "south"}[:n]
			r, err := shell.Run(t.Context(), d.Command(text(t, d, tools, "S8", asmtest.Fleet, names...), tools.Bin))
			if err != nil {
				t.Fatal(err)
			}
			if r.ExitCode != 0 {
				t.Errorf("exit code %d", r.ExitCode)
			}
			if got, want := tools.Secrets(), asmtest.Pairs(names, remoteName); !slices.Equal(got, want) || len(got) != n*(n-1) {
				t.Errorf("%d secrets, want each of %d ordered pairs once and none to itself: %q", len(got), n*(n-1), got)
			}
			golden(t, fmt.Sprintf("create-mesh-%d.golden", n), tools.Calls())
		})
	}
}

func TestTheProjectNumberIsAskedOfTheGivenGcloud(t *testing.T) {
	tools := asmtest.New(t)
	d := open(t, tools)
	r, err := shell.Run(t.Context(), d.Command(text(t, d, tools, "S1", asmtest.Fleet)+"\necho ${PROJECT_NUMBER}", tools.Bin))
	if err != nil || strings.TrimSpace(r.Stdout) != asmtest.Number {
		t.Errorf("%q, %v", r.Stdout, err)
	}
	want := "gcloud projects describe " + asmtest.Fleet + " --format=value(projectNumber)"
	if calls := tools.Calls(); len(calls) != 2 || calls[1] != want { // the first is asmcli --version
		t.Errorf("calls %q, want %q", calls, want)
	}
}

// TestToolsGetNothingElseOfTheCaller: asmcli takes its options from variables, and the caller's secrets are none of its.
func TestToolsGetNothingElseOfTheCaller(t *testing.T) {
	for _, name := range []string{
		"CLOUDSDK_CONFIG", "CLOUDSDK_ACTIVE_CONFIG_NAME", "CLOUDSDK_PYTHON", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
		"no_proxy", "all_proxy", "PROJECT_ID", "CLUSTER_NAME", "CLUSTER_LOCATION", "CA", "PLATFORM", "CONTEXT", "OUTPUT_DIR", "VERBOSE", "DRY_RUN", "OFFLINE", "KUBECONFIG",
		"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "BASH_ENV", "_CI_ISTIOCTL_REL_PATH",
	} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("HOME", t.TempDir())
	tools := asmtest.New(t)
	d := open(t, tools)
	script := text(t, d, tools, "S8", asmtest.Fleet, "east", "west")
	if _, err := shell.Run(t.Context(), d.Command(script, tools.Bin, "KUBECONFIG=/run/merged.yaml")); err != nil {
		t.Fatal(err)
	}
	golden(t, "environment.golden", tools.Environment())
}

// TestAnotherFleet is asked with a gcloud that changes nothing: the given one is not called.
func TestAnotherFleet(t *testing.T) {
	for _, tc := range []struct {
		name   string
		spoil  func(*asmtest.Tools)
		exit   int
		stderr string
	}{
		{"members of a fleet", func(*asmtest.Tools) {}, 2, "but the required Fleet project is their-fleet"},
		{"members of none", (*asmtest.Tools).Unregister, 1, "not while another fleet is asked for"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tools := asmtest.New(t)
			tc.spoil(tools)
			d := open(t, tools)
			r, err := shell.Run(t.Context(), d.Guarded(text(t, d, tools, "S8", "their-fleet", "east", "west"), tools.Bin))
			if err == nil || r.ExitCode != tc.exit || !strings.Contains(r.Stderr, tc.stderr) {
				t.Errorf("exit code %d, %q, want %d, %q", r.ExitCode, r.Stderr, tc.exit, tc.stderr)
			}
			if secrets := tools.Secrets(); len(secrets) != 0 {
				t.Errorf("secrets were made: %q", secrets)
			}
			for _, call := range tools.Calls() {
				if strings.HasPrefix(call, "gcloud ") {
					t.Errorf("the given gcloud was called: %s", call)
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		spoil  func(t *testing.T, o *asm.Options)
		limit  time.Duration
		reason string
	}{
		{"no asmcli", func(_ *testing.T, o *asm.Options) { o.Asmcli += "x" }, limit, "--asmcli"},
		{"no gcloud", func(_ *testing.T, o *asm.Options) { o.Gcloud += "x" }, limit, "there is no such file"},
		{"a directory", func(_ *testing.T, o *asm.Options) { o.Gcloud = filepath.Dir(o.Gcloud) }, limit, "it is a directory"},
		{"not executable", func(t *testing.T, o *asm.Options) { write(t, o.Asmcli, "#!/bin/sh\n", 0o644) }, limit, "not executable"},
		{"no version", func(t *testing.T, o *asm.Options) { write(t, o.Asmcli, "#!/bin/sh\necho usage\n", 0o755) }, limit, `prints "usage", which is no version`},
		{"it fails", func(t *testing.T, o *asm.Options) { write(t, o.Asmcli, "#!/bin/sh\necho jq >&2; exit 2\n", 0o755) }, limit, "exit status 2: jq"},
		{"it never ends", func(t *testing.T, o *asm.Options) { write(t, o.Asmcli, "#!/bin/sh\nexec tail -f /dev/null\n", 0o755) }, 200 * time.Millisecond, "did not end within 200ms"},
		{"a path with a space", func(_ *testing.T, o *asm.Options) { o.Dir += "/my run" }, limit, "unquoted"},
		{"asmcli in a directory with a space", func(t *testing.T, o *asm.Options) { o.Asmcli = moved(t, o.Asmcli, "my tools") }, limit, `my tools/asmcli contains " ", and asmcli calls its commands unquoted: use another directory`},
		{"asmcli in a directory with a bracket", func(t *testing.T, o *asm.Options) { o.Asmcli = moved(t, o.Asmcli, "tools(1)") }, limit, `contains "("`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tools := asmtest.New(t)
			o := asm.Options{Asmcli: tools.Program("asmcli"), Gcloud: tools.Program("gcloud"), Dir: filepath.Join(tools.Dir, "run")}
			tc.spoil(t, &o)
			if _, err := asm.Open(t.Context(), o, tc.limit); !errors.Is(err, asm.ErrUnfit) || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("error %v, want one that says %q", err, tc.reason)
			}
			if _, err := os.Stat(o.Dir); err == nil {
				t.Error("a directory was made")
			}
		})
	}
}

// moved gives a program's path in another directory beside its own.
func moved(t *testing.T, program, dir string) string {
	t.Helper()
	to := filepath.Join(filepath.Dir(program), dir, filepath.Base(program))
	if err := errors.Join(os.Mkdir(filepath.Dir(to), 0o755), os.Rename(program, to)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestGcloudMayBeAnywhere: asmcli calls it by its name, from a directory of the run's.
func TestGcloudMayBeAnywhere(t *testing.T) {
	tools := asmtest.New(t)
	o := asm.Options{Asmcli: tools.Program("asmcli"), Gcloud: moved(t, tools.Program("gcloud"), "Google Cloud SDK"), Dir: filepath.Join(tools.Dir, "run")}
	d, err := asm.Open(t.Context(), o, limit)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Prepare("/release/istioctl"); err != nil {
		t.Error(err)
	}
}

// TestNoOutputDirectoryIsUsedAgain: asmcli keeps there what it was asked for, and would bring the package of another call anew: neither the
// directory that asmcli install has made nor that of an earlier run is given to it.
func TestNoOutputDirectoryIsUsedAgain(t *testing.T) {
	tools := asmtest.New(t)
	o := asm.Options{Asmcli: tools.Program("asmcli"), Gcloud: tools.Program("gcloud"), Dir: filepath.Join(tools.Dir, "run"), ReleaseDir: tools.Dir}
	d, err := asm.Open(t.Context(), o, limit)
	if err != nil {
		t.Fatal(err)
	}
	if out := d.OutputDir(); out == o.ReleaseDir || !strings.HasPrefix(out, o.Dir+"/") {
		t.Errorf("%s is not the run's own", out)
	}
	if err := d.Prepare("/release/istioctl"); err != nil {
		t.Fatal(err)
	}
	if held, err := os.ReadDir(d.OutputDir()); err != nil || len(held) != 1 || held[0].Name() != "istioctl" {
		t.Errorf("%v, %v: want the release's istioctl alone", held, err)
	}
	if err := d.Prepare("/release/istioctl"); !errors.Is(err, os.ErrExist) {
		t.Errorf("a directory that was used is taken: %v", err)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

func TestAsmcliIsNamedAsPrintedWhereItStandsThere(t *testing.T) {
	tools := asmtest.New(t)
	if d := open(t, tools); d.Asmcli() != "./asmcli" || d.Version != "1.28.2-asm.4+config1" {
		t.Errorf("%q, %q", d.Asmcli(), d.Version)
	}
	d, err := asm.Open(context.Background(), asm.Options{Asmcli: tools.Program("asmcli"), Gcloud: tools.Program("gcloud"), ReleaseDir: t.TempDir()}, limit)
	if err != nil || d.Asmcli() != tools.Program("asmcli") {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestTokensAreNotKept(t *testing.T) {
	const jwt, access = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl", "ya29.a0AfB_by-x"
	r, err := asm.WithoutTokens(shell.Result{ExitCode: 1, Stdout: "token: " + jwt + "\nok", Stderr: "Bearer " + access}, errors.New("exit status 1: "+jwt))
	if all := r.Stdout + r.Stderr + err.Error(); strings.Contains(all, "eyJ") || strings.Contains(all, "ya29") || !strings.Contains(r.Stdout, "\nok") || r.ExitCode != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := asm.WithoutTokens(shell.Result{Stdout: "cluster eyJ"}, nil); err != nil || r.Stdout != "cluster eyJ" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestEveryFormOfAToken has each hold a word that must not be kept.
func TestEveryFormOfAToken(t *testing.T) {
	secret := strings.Repeat("canary", 4)
	pem := "-----BEGIN RSA PRIVATE KEY-----\n" + secret + "\n-----END RSA PRIVATE KEY-----"
	for name, text := range map[string]string{
		"a JSON web token in base64":  "ZXlK" + secret + "==",
		"PEM":                         pem,
		"PEM that is cut":             pem[:50],
		"PEM in base64":               "LS0tLS1CRUdJTi" + secret + "=",
		"a token of EKS":              "k8s-aws-v1." + secret,
		"a private key":               "client-key-data: " + secret,
		"a private key in JSON":       `"client-key-data":"` + secret + `"`,
		"an access token of Google's": "ya29." + secret,
	} {
		r, err := asm.WithoutTokens(shell.Result{Stdout: "before\n" + text, Stderr: text + "\nafter"}, errors.New(text))
		if strings.Contains(r.Stdout+r.Stderr+err.Error(), "canary") || !strings.HasPrefix(r.Stdout, "before\n") {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if name != "PEM that is cut" && !strings.HasSuffix(r.Stderr, "after") {
			t.Errorf("%s: too much is left out: %q", name, r.Stderr)
		}
	}
}
