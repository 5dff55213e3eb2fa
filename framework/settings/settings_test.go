package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// flags has one flag of each kind that the program uses.
func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.String("config", "", "")
	f.String("report", "", "")
	f.String("revision", "asm-1", "")
	f.Int("samples", 600, "")
	f.Float64("alpha", 1e-8, "")
	f.Duration("timeout", 0, "")
	f.Bool("disruptive", false, "")
	f.Bool("dry-run", false, "")
	f.StringArray("kubeconfig", nil, "")
	f.StringSlice("plant", nil, "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// layers has the environment; the file, if there is one, is named on the command line.
func layers(environment map[string]string) Layers {
	return Layers{File: "config", Others: []string{"table", "n"}, Never: []string{"dry-run"}, Paths: []string{"report"}, Environment: environment, Beside: []string{"MESHPROOF_KUBECONFIGS"}}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsComeBeforeEnvironmentBeforeFile(t *testing.T) {
	path := file(t, "samples: 1\nrevision: of-file\nalpha: 0.5\n")
	f := flags(t, "--samples", "3", "--config", path)
	sources, err := Fill(f, layers(map[string]string{"MESHPROOF_SAMPLES": "2", "MESHPROOF_REVISION": "of-environment", "MESHPROOF_TIMEOUT": ""}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ flag, value, source string }{
		{"samples", "3", "flag --samples"},
		{"revision", "of-environment", "environment variable MESHPROOF_REVISION"},
		{"alpha", "0.5", fmt.Sprintf("file %q", path)},
		{"timeout", "0s", ""},
	} {
		if got := f.Lookup(tc.flag).Value.String(); got != tc.value || sources[tc.flag] != tc.source {
			t.Errorf("%s is %s from %q, want %s from %q", tc.flag, got, sources[tc.flag], tc.value, tc.source)
		}
		if f.Changed(tc.flag) != (tc.source != "") {
			t.Errorf("%s counts as given: %t", tc.flag, f.Changed(tc.flag))
		}
		if _, elsewhere := sources.Elsewhere(tc.flag); elsewhere != (tc.flag == "revision" || tc.flag == "alpha") {
			t.Errorf("%s is from elsewhere: %t", tc.flag, elsewhere)
		}
	}
}

func TestEveryKindOfFlagIsTaken(t *testing.T) {
	text := "# for every night\n---\nrevision: \"1.10\"\nsamples: 2000\nalpha: 1e-6\ntimeout: 30m\ndisruptive: true\nkubeconfig: [\"a,b.yaml\", c.yaml]\nplant: [different-roots, same-network]\ntable: of-another-command.md\n"
	fromFile := flags(t)
	_, err := Fill(fromFile, layers(map[string]string{"MESHPROOF_CONFIG": file(t, text)}))
	if err != nil {
		t.Fatal(err)
	}
	fromEnvironment := flags(t)
	_, err = Fill(fromEnvironment, layers(map[string]string{"MESHPROOF_REVISION": "1.10", "MESHPROOF_SAMPLES": "2000", "MESHPROOF_ALPHA": "1e-6",
		"MESHPROOF_TIMEOUT": "30m", "MESHPROOF_DISRUPTIVE": "true", "MESHPROOF_KUBECONFIG": `"a,b.yaml",c.yaml`, "MESHPROOF_PLANT": "different-roots\nsame-network\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range []*pflag.FlagSet{fromFile, fromEnvironment} {
		samples, _ := f.GetInt("samples")
		alpha, _ := f.GetFloat64("alpha")
		timeout, _ := f.GetDuration("timeout")
		disruptive, _ := f.GetBool("disruptive")
		kubeconfigs, _ := f.GetStringArray("kubeconfig")
		plant, _ := f.GetStringSlice("plant")
		got := fmt.Sprint(f.Lookup("revision").Value, samples, alpha, timeout == 30*time.Minute, disruptive, len(kubeconfigs), kubeconfigs, plant)
		if want := "1.10 2000 1e-06 true true 2 [a,b.yaml c.yaml] [different-roots same-network]"; got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}

func TestWhatIsWrongInAFileIsRefused(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"samplez: 3", `there is no key "samplez": did you mean "samples"?`},
		{"tabel: a.md", `did you mean "table"?`},
		{"dry_run: true", `there is no key "dry_run": see meshproof config list`},
		{"colour: red", "see meshproof config list"},
		{"n: 3", `write the key as "n", in quotes`},
		{"samples: many", "key samples:"},
		{"samples: 6.5", "key samples:"},
		{"samples:", "key samples: it has no value"},
		{"samples: [3]", "key samples: it has a list"},
		{"samples: {at-least: 3}", "key samples: it has a table or a list within"},
		{"plant: [[a]]", "key plant: it has a table or a list within"},
		{"revision: 1.10", "key revision: 1.1 is no text (string): write it in quotes"},
		{"timeout: 30", "key timeout: 30 is no text (duration)"},
		{"disruptive: maybe", "key disruptive:"},
		{"samples: 1\nsamples: 2", `"samples" already set`},
		{"samples: 1\n---\nalpha: 0.1", "more than one YAML document"},
		{"- samples", "no table of keys"},
		{"samples: [", "correct the file"},
		{"dry-run: true", "key dry-run: --dry-run is not taken from a file"},
		{"config: other.yaml", "key config: --config is not taken from a file"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			path := file(t, tc.text)
			_, err := Fill(flags(t, "--config", path), layers(nil))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want %q and the file's name", err, tc.want)
			}
		})
	}
	if _, err := Fill(flags(t, "--config", "nowhere.yaml"), layers(nil)); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("a file that is not there: %v", err)
	}
	for _, flag := range []string{"--config", "--report"} {
		if _, err := Fill(flags(t, flag, ""), layers(nil)); err == nil || !strings.Contains(err.Error(), flag+": the path is empty") {
			t.Errorf("%s given and empty: %v", flag, err)
		}
	}
	if _, err := Fill(flags(t, "--config", file(t, "report: ''\n")), layers(nil)); err != nil {
		t.Errorf("an empty value of a file, as config print writes it: %v", err)
	}
	if _, err := Fill(flags(t, "--config", file(t, "# nothing yet\n")), layers(nil)); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestWhatIsWrongInTheEnvironmentIsRefused(t *testing.T) {
	for variable, value := range map[string]string{"MESHPROOF_SAMPLES": "many", "MESHPROOF_DISRUPTIVE": "maybe", "MESHPROOF_KUBECONFIG": `"a`, "MESHPROOF_DRY_RUN": "true"} {
		if _, err := Fill(flags(t), layers(map[string]string{variable: value})); err == nil || !strings.Contains(err.Error(), "environment variable "+variable) {
			t.Errorf("%s=%s: %v, want an error that names the variable", variable, value, err)
		}
	}
}

func TestPrintedSettingsAreTakenAgain(t *testing.T) {
	path := file(t, "plant: ['a # \"b\": c', \"two\\nlines\", '<&>']\nkubeconfig: []\n")
	l := layers(map[string]string{"MESHPROOF_TIMEOUT": "30m"})
	l.Following = []string{"disruptive", "revision"}
	f := flags(t, "--config", path, "--revision", "1.10")
	sources, err := Fill(f, l)
	if err != nil {
		t.Fatal(err)
	}
	text, err := YAML(f, l, sources)
	if err != nil {
		t.Fatal(err)
	}
	from := fmt.Sprintf("  # file %q\n", path)
	want := "alpha: 1e-08  # default\n# disruptive: false  # default that follows from other settings\nkubeconfig: []" + from +
		`plant: ["a # \"b\": c","two\nlines","<&>"]` + from + "report: \"\"  # default\nrevision: \"1.10\"  # flag --revision\nsamples: 600  # default\n" +
		"timeout: \"30m0s\"  # environment variable MESHPROOF_TIMEOUT\n"
	if text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	again := flags(t, "--config", file(t, text))
	if _, err := Fill(again, layers(nil)); err != nil {
		t.Fatal(err)
	}
	f.VisitAll(func(f *pflag.Flag) {
		if got := again.Lookup(f.Name).Value.String(); got != f.Value.String() && f.Name != "config" {
			t.Errorf("%s is %s, and read again %s", f.Name, f.Value, got)
		}
	})
	if again.Changed("disruptive") {
		t.Error("a default that follows from other settings counts as given when it is read again")
	}
}

// TestAVariableThatStandsForNothingIsRefused: who misspelt it relies on it. What Kubernetes and others put there is nobody's mistake.
func TestAVariableThatStandsForNothingIsRefused(t *testing.T) {
	for variable, says := range map[string]string{
		"MESHPROOF_SMPLES":                 `stands for no setting: did you mean MESHPROOF_SAMPLES?`,
		"MESHPROOF_LABELS_OF_ALL_WORLD_XY": "stands for no setting: unset it",
		"MESHPROOF_XYZ":                    "stands for no setting: unset it",
		"MESHPROOF_TABLE":                  "", // another command's
		"MESHPROOF_KUBECONFIGS":            "",
		"MESHPROOF_SERVICE_HOST":           "",
		"MESHPROOF_PORT_80_TCP_ADDR":       "",
		"MESHPROOF_WEB_SERVICE_PORT_HTTP":  "",
		"MESHPROOFED":                      "",
	} {
		_, err := Fill(flags(t), layers(map[string]string{variable: "3"}))
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), variable)) {
			t.Errorf("%s: %v, want %q", variable, err, says)
		}
		if _, err := Fill(flags(t), layers(map[string]string{variable: ""})); err != nil {
			t.Errorf("%s is empty: %v", variable, err)
		}
	}
}

// TestWhatAValueMustBeIsSaid: and not what a parser calls it.
func TestWhatAValueMustBeIsSaid(t *testing.T) {
	for flag, says := range map[string]string{"samples": "a whole number", "alpha": "takes a number", "timeout": "20m", "disruptive": "true or false"} {
		_, err := Fill(flags(t), layers(map[string]string{Variable(flag): "abc"}))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "parse") {
			t.Errorf("%s: %v, want %q", flag, err, says)
		}
	}
}
