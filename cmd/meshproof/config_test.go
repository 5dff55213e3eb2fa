package main

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

const givenText = "kubeconfig: [east.yaml, west.yaml]\nrelease-dir: asm\nsamples: 800\ntable: of-prove.md\n"

func TestSettingsOfARun(t *testing.T) {
	for _, tc := range []struct{ name, file, args, variable, value, want string }{
		{"the file", givenText, "--config run.yaml", "", "", "800 measured ones"},
		{"the file by its variable", givenText, "", "MESHPROOF_CONFIG", "run.yaml", "800 measured ones"},
		{"the environment before the file", givenText, "--config run.yaml", "MESHPROOF_SAMPLES", "900", "900 measured ones"},
		{"the flag before both", givenText, "--config run.yaml --samples 1000", "MESHPROOF_SAMPLES", "900", "1000 measured ones"},
		{"a disruptive file on given clusters", givenText + "disruptive: true\ndisruption: not-injected\n", "--config run.yaml", "", "", "disrupt    not-injected"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("run.yaml", tc.file)
			if tc.variable != "" {
				t.Setenv(tc.variable, tc.value)
			}
			before := w.tree()
			out, code, err := w.dryRun(tc.args)
			w.unchanged(before)
			if code != 0 || !strings.Contains(out, tc.want) || !strings.Contains(out, "given: context west of ") {
				t.Errorf("exit code %d, %v, want %q:\n%s", code, err, tc.want, out)
			}
		})
	}
}

func TestWhoRunsItIsTakenFromFlagsAndVariables(t *testing.T) {
	t.Setenv("MESHPROOF_WHERE", "runner 7")
	var r runFlags
	c := &cobra.Command{}
	r.add(c)
	configured(c)
	if err := errors.Join(c.ParseFlags([]string{"--by", "the nightly job"}), c.PreRunE(c, nil)); err != nil {
		t.Fatal(err)
	}
	if r.o.By != "the nightly job" || r.o.Where != "runner 7" {
		t.Errorf("the run is told %q and %q", r.o.By, r.o.Where)
	}
}

// What the flags take and the run does not is told with the place where it stands: nobody typed it.
func TestARefusedSettingNamesItsPlace(t *testing.T) {
	for _, tc := range []struct{ name, text, args, variable, value, want string }{
		{"an unknown key", "samplez: 3\n", "--config run.yaml", "", "", `settings file run.yaml: there is no key "samplez": did you mean "samples"?`},
		{"a value that the flag refuses", "alpha: few\n", "--config run.yaml", "", "", "run.yaml: key alpha"},
		{"a value that the run refuses", "keep: sometimes\n", "--config run.yaml", "", "", `--keep is from file "run.yaml"`},
		{"a variable that the run refuses", "keep: never\n", "--config run.yaml", "MESHPROOF_KEEP", "sometimes", "--keep is from environment variable MESHPROOF_KEEP"},
		{"a variable that the flag refuses", "", "", "MESHPROOF_TIMEOUT", "soon", "MESHPROOF_TIMEOUT"},
		{"a dry run that nobody would notice is missing", "dry-run: true\n", "--config run.yaml", "", "", "not taken from a file"},
		{"the same of a variable", "", "", "MESHPROOF_DRY_RUN", "true", "command line only"},
		{"no file", "", "--config none.yaml", "", "", "none.yaml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("run.yaml", tc.text)
			if tc.variable != "" {
				t.Setenv(tc.variable, tc.value)
			}
			before := w.tree()
			out, code, err := w.dryRun(tc.args)
			w.unchanged(before)
			if code != exitcode.Usage || err == nil || !strings.Contains(err.Error(), tc.want) || out != "" {
				t.Errorf("exit code %d, %v, want a usage error that says %q; printed %q", code, err, tc.want, out)
			}
		})
	}
}

// One file serves every command: a key that another has is passed over, one that none has is refused.
func TestEveryCommandOfARunTakesTheFile(t *testing.T) {
	for _, c := range configurable() {
		t.Run(c.Name(), func(t *testing.T) {
			w := newWorld(t)
			w.write("run.yaml", "n: 1\nonly: [remote-secret-missing]\ncontext: []\ncolour: red\n")
			before := w.tree()
			out, code := execute(t, c.Name(), "--config", "run.yaml")
			w.unchanged(before)
			if code != exitcode.Usage || !strings.Contains(out, `there is no key "colour"`) {
				t.Errorf("exit code %d: %s", code, out)
			}
		})
	}
}

func TestConfigPrint(t *testing.T) {
	for _, tc := range []struct {
		name, file, args string
		want             []string
	}{
		{"kind clusters", "samples: 800\n", "--keep always", []string{
			`samples: 800  # file "run.yaml"`, `keep: "always"  # flag --keep`, `images: "registry"  # environment variable MESHPROOF_IMAGES`,
			"alpha: 1e-08  # default", "# disruptive: true  # default that follows", `# fleet: "meshproof"  # default that follows`}},
		{"a topology", "topology: topology.yaml\n", "", []string{`topology: "topology.yaml"  # file`, "# disruptive: false  #", `# revision: "asm-1232-3"  #`, `# fleet: ""  #`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.edit("topology.yaml", "asm-1232-2", "asm-1232-3")
			w.write("run.yaml", tc.file)
			t.Setenv("MESHPROOF_IMAGES", "registry")
			before := w.tree()
			out, code := execute(t, append(strings.Fields("config print --config run.yaml"), strings.Fields(tc.args)...)...)
			w.unchanged(before)
			for _, want := range tc.want {
				if code != 0 || !strings.Contains("\n"+out, "\n"+want) {
					t.Errorf("exit code %d, want the line %q:\n%s", code, want, out)
				}
			}
			w.write("printed.yaml", out)
			t.Setenv("MESHPROOF_IMAGES", "")
			again, code := execute(t, "config", "print", "--config", "printed.yaml")
			if strip(again) != strip(out) || code != 0 {
				t.Errorf("exit code %d, and read again:\n%s\nwant:\n%s", code, again, out)
			}
		})
	}
}

// strip leaves the comments about where values come from out.
func strip(text string) string { return regexp.MustCompile(`  # .*`).ReplaceAllString(text, "") }

func TestConfigListIsTheDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if got, code := execute(t, "config", "list", "--output", "markdown"); err != nil || code != 0 || got != string(page) {
		t.Errorf("exit code %d, %v: --output markdown is not docs/configuration.md: make docs", code, err)
	}
	body, code := execute(t, "config", "list", "--output", "json")
	var listed report.Configuration
	if err := json.Unmarshal([]byte(body), &listed); err != nil || code != 0 || len(listed.Waits) != len(session.DefaultLimits().Waits()) {
		t.Fatalf("exit code %d, %v, %d waits", code, err, len(listed.Waits))
	}
	text, code := execute(t, "config", "list")
	for _, w := range listed.Waits {
		if code != 0 || !strings.Contains(text, "\n"+w.Name+" ") || !strings.Contains(string(page), w.Sentence) {
			t.Errorf("exit code %d: wait %s is missing", code, w.Name)
		}
	}
	for _, s := range listed.Settings {
		only := slices.Contains(onlyFlags(), s.Name)
		if only == (s.Variable != "") || s.InFile == (only || s.Name == "config") || s.Sentence == "" || len(s.Commands) == 0 || !strings.Contains(text, "\n"+s.Name+" ") && s.Name != "alpha" {
			t.Errorf("setting %+v", s)
		}
	}
	if samples := slices.IndexFunc(listed.Settings, func(s report.Setting) bool { return s.Name == "samples" }); samples < 0 ||
		listed.Settings[samples].Default != "600" || !slices.Equal(listed.Settings[samples].Commands, []string{"run", "soak"}) {
		t.Errorf("%+v has no right samples", listed.Settings)
	}
}

// The example in the document is one that a run on given clusters takes.
func TestTheDocumentsExampleIsTaken(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "An example of a file:\n\n")
	example, _, found := strings.Cut(rest, "\n\n")
	if !found {
		t.Fatal("the document has no example")
	}
	w := newWorld(t)
	w.write("clusters.yaml", topologyText)
	w.write("nightly.yaml", strings.ReplaceAll(example, "    ", ""))
	out, code, err := w.dryRun("--config nightly.yaml")
	for _, want := range []string{"2000 measured ones", "disrupt    not-injected", "waits      each may take 2 times as long"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, %v, want %q:\n%s", code, err, want, out)
		}
	}
}
