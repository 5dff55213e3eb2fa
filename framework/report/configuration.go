package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Configuration is all that a person can set of a run, and what it waits for.
type Configuration struct {
	Settings []Setting `json:"settings"`
	Waits    []Wait    `json:"waits"`
}

// Setting is a flag with the other ways to give it.
type Setting struct {
	Name string `json:"name"`
	// Variable is that of the environment; "" = the flag is taken from the command line only. InFile tells that it is a key of
	// the settings file.
	Variable string   `json:"variable,omitempty"`
	InFile   bool     `json:"inFile"`
	Kind     string   `json:"kind"`
	Default  string   `json:"default,omitempty"`
	Commands []string `json:"commands"`
	Sentence string   `json:"sentence"`
}

// Wait is a limit of a run.
type Wait struct {
	Name     string  `json:"name"`
	Seconds  float64 `json:"seconds"`
	Sentence string  `json:"sentence"`
}

const settingsHead = "# Configuration\n\n" +
	"What can be set of a run, and how long it waits. Made from the flags and the limits by `make docs`; change cmd/meshproof or\n" +
	"framework/session/limits.go, not this file. `meshproof config list` prints the same for a terminal.\n\n" +
	"## Where values come from\n\n" +
	"1. The flag on the command line.\n" +
	"2. The environment variable: the flag's name in capitals with `_` for `-`, after `MESHPROOF_`. An empty one counts as not set. The\n" +
	"   values of a list are separated by commas or stand on lines of their own. A variable with that beginning which stands for no setting is refused.\n" +
	"3. The file of `--config` (or `MESHPROOF_CONFIG`), one for all of these commands: a YAML document whose keys are named as the flags.\n" +
	"   A key that a command has no use for is passed over; one that no command knows, or that is there twice, is refused. A text that\n" +
	"   looks like a number is in quotes, as is the key \"n\" (a bare n is false in YAML); a duration is a text (`30m`); a list is a YAML list. Paths are relative to the working\n" +
	"   directory, as they are on the command line.\n" +
	"4. The default.\n\n" +
	"What is wrong ends with exit code 2 before anything is changed, and names the flag, the variable or the key. A list is taken as a\n" +
	"whole from one place. %s are taken from the command line only: as variables they are refused, because a\n" +
	"command that passed over one, or that took one which nobody typed, could change clusters.\n\n" +
	"    meshproof config print --config nightly.yaml > effective.yaml\n" +
	"    meshproof run --config nightly.yaml --dry-run\n\n" +
	"The first prints what a run would have, with the place where each value comes from; what it prints is such a file again. A default\n" +
	"that follows from other settings is a comment there. An example of a file:\n\n" +
	"    topology: clusters.yaml\n    samples: 2000\n    disruptive: true\n    disruption: [not-injected, service-deleted]\n    timeout: 2h\n    timeout-multiplier: 2\n\n" +
	"## Settings\n\n| key and flag | variable | kind | default | of | what it says |\n|---|---|---|---|---|---|\n"

const waitsHead = "\n## Waits\n\n" +
	"Each is many times what was measured on two cores, so that only what hangs meets it. `--timeout-multiplier 2` doubles all of them for a\n" +
	"slow machine or cluster. `--timeout` bounds the run as a whole (without its removal), and is not multiplied.\n\n" +
	"| wait | limit | what is waited for |\n|---|---|---|\n"

const waitsTail = "\nNot stretched is what belongs to the measurement: 15 s for one call, 1 min and 0.5 s a call for the measured calls, how long a\n" +
	"failure lasts, and how long calls must go well before it. Nor are the bounds of one request (10 s), and those of docker, of images\n" +
	"and of `meshproof preflight`.\n"

// ConfigurationPage is docs/configuration.md.
func ConfigurationPage(c Configuration) string {
	var out strings.Builder
	var only []string
	for _, s := range c.Settings {
		if s.Variable == "" {
			only = append(only, code("--"+s.Name))
		}
	}
	fmt.Fprintf(&out, settingsHead, strings.Join(append(only, code("--help")), ", "))
	for _, s := range c.Settings {
		name, variable, preset := code(s.Name), "-", "-"
		if !s.InFile {
			name = code("--"+s.Name) + " (no key)"
		}
		if s.Variable != "" {
			variable = code(s.Variable)
		}
		if s.Default != "" {
			preset = code(s.Default)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", name, variable, s.Kind, preset, strings.Join(s.Commands, ", "), markdown(s.Sentence))
	}
	out.WriteString(waitsHead)
	for _, w := range c.Waits {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", code(w.Name), w.Limit(), markdown(w.Sentence))
	}
	return out.String() + waitsTail
}

// Limit is the wait's length for a person: "5m30s", "2m".
func (w Wait) Limit() string {
	text := time.Duration(w.Seconds * float64(time.Second)).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// Add puts a setting of a command to those of others: a flag of the same name is one setting.
func (c *Configuration) Add(command string, s Setting) {
	i := slices.IndexFunc(c.Settings, func(have Setting) bool { return have.Name == s.Name })
	if i < 0 {
		s.Commands = []string{command}
		c.Settings = append(c.Settings, s)
		return
	}
	c.Settings[i].Commands = append(c.Settings[i].Commands, command)
}
