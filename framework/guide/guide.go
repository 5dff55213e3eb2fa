// Package guide is the guide as data: its steps with their commands as it prints them, the corrections that a run makes
// to them with their reasons, its platforms and certificate authorities, and the log of its oddities. It renders the exact
// text that a shell is given, for a run or as a script for a person, and executes nothing.
package guide

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/intent"
)

//go:embed data/*.yaml
var data embed.FS

// Clusters is how many clusters the guide sets up. A mesh may have more: those are treated as the second one is.
const Clusters = 2

// Section is a part of the guide.
type Section struct {
	ID string `json:"id"`
	Titles
}

// Step is one command of the guide, for one cluster where the guide prints one text per cluster.
type Step struct {
	// ID is "S1" to "S15"; Steps adds the cluster's ordinal to a step that is printed per cluster: "S6.1".
	ID      string `json:"id"`
	Section string `json:"section"`
	Title   string `json:"title"`
	TitleJA string `json:"titleJA"`
	// Command is the text as the guide prints it, with the guide's own placeholders in it.
	Command string `json:"command"`
	// Output is what the guide shows as the command's output: one text for all clusters, or one for each.
	Output []string `json:"output,omitempty"`
	// Check is how the guide has the result looked at; nil when it does not.
	Check *Check `json:"check,omitempty"`
	// Claims are the ids of the claims that judge what the step has done.
	Claims []string `json:"claims"`
	// Sets names the environment variables that the command exports for later steps.
	Sets []string `json:"sets,omitempty"`
	// Further are the variables that it exports besides for each cluster that the guide does not have, with <n> for its ordinal.
	Further []string `json:"further,omitempty"`
	// PerCluster is true when the guide prints the command once per cluster.
	PerCluster bool `json:"perCluster,omitempty"`
	// Tabbed is true when the guide prints the command in each of its tabs.
	Tabbed bool `json:"tabbed,omitempty"`
	// Cluster is the ordinal of the step's cluster, from 1; 0 when the command is about all of them.
	Cluster     int          `json:"-"`
	Corrections []Correction `json:"corrections,omitempty"`
	// After is what a printed script does before the next step; nil = nothing.
	After *After `json:"after,omitempty"`
}

// Check is a command with which the guide has a step's result looked at, on each cluster.
type Check struct {
	Title   string   `json:"title"`
	TitleJA string   `json:"titleJA"`
	Command string   `json:"command"`
	Output  []string `json:"output,omitempty"`
	// Corrections are those of Command.
	Corrections []Correction `json:"corrections,omitempty"`
}

// After is what comes after a step in a printed script.
type After struct {
	// Says is what a person is to wait for or to look at; "" where the guide has nobody look.
	Says string `json:"says,omitempty"`
	// Run is the command that a corrected script runs instead, for each cluster where <n> is in it; "" = it asks, too.
	Run    string `json:"run,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Title is that of Run.
	Title string `json:"title,omitempty"`
}

// Correction is a difference that a run makes to the printed command, and why.
type Correction struct {
	ID string `json:"id"`
	// When is the condition under which it is needed; "" = always.
	When  string        `json:"when,omitempty"`
	Modes []intent.Mode `json:"modes"`
	// Printed is the fragment of Command that is replaced by Run.
	Printed string `json:"printed"`
	Run     string `json:"run"`
	// PerPair repeats Run for each ordered pair of clusters.
	PerPair bool `json:"perPair,omitempty"`
	// PerFurther puts Run behind Printed, once for each cluster that the guide does not have, with its ordinal for <n>.
	PerFurther bool   `json:"perFurther,omitempty"`
	Reason     string `json:"reason"`
	Finding    string `json:"finding,omitempty"`
	// Symptom is what the printed command says when it fails for want of this correction; "" when it does not fail.
	Symptom string `json:"symptom,omitempty"`
}

// Base is the id of the step without the cluster's ordinal: "S6".
func (s Step) Base() string {
	base, _, _ := strings.Cut(s.ID, ".")
	return base
}

type stepsFile struct {
	Sections []Section `json:"sections"`
	Steps    []Step    `json:"steps"`
}

func load(name string, into any) error {
	text, err := data.ReadFile("data/" + name)
	if err != nil {
		return fmt.Errorf("read guide data %s: %w", name, err)
	}
	return decode(name, text, into)
}

// decode takes no key that the type does not have: a misspelt one would be a passage of the guide that nobody follows.
func decode(name string, text []byte, into any) error {
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("decode guide data %s: %w", name, err)
	}
	return nil
}

// Sections gives the guide's parts, in its order.
func Sections() ([]Section, error) {
	var f stepsFile
	err := load("steps.yaml", &f)
	return f.Sections, err
}

// Steps gives the guide's steps in its order for so many clusters (at least Clusters), those that are printed per cluster
// once for each.
func Steps(clusters int) ([]Step, error) {
	var f stepsFile
	if err := load("steps.yaml", &f); err != nil {
		return nil, err
	}
	var all []Step
	for _, s := range f.Steps {
		if !slices.ContainsFunc(f.Sections, func(x Section) bool { return x.ID == s.Section }) {
			return nil, fmt.Errorf("decode guide data: step %s is in section %q, which is not there", s.ID, s.Section)
		}
		for n := Clusters + 1; n <= clusters; n++ {
			for _, name := range s.Further {
				s.Sets = append(s.Sets, strings.ReplaceAll(name, "<n>", strconv.Itoa(n)))
			}
		}
		if !s.PerCluster {
			all = append(all, s)
			continue
		}
		for n := 1; n <= clusters; n++ {
			all = append(all, s.of(n))
		}
	}
	return all, nil
}

// of gives the step for the cluster with ordinal n.
func (s Step) of(n int) Step {
	fill := strings.NewReplacer("<n>", strconv.Itoa(n)).Replace
	s.ID, s.Cluster = s.ID+"."+strconv.Itoa(n), n
	s.Command = fill(s.Command)
	s.Corrections = slices.Clone(s.Corrections)
	for i := range s.Corrections {
		c := &s.Corrections[i]
		c.When, c.Printed, c.Run = fill(c.When), fill(c.Printed), fill(c.Run)
	}
	return s
}

// Named gives the step of that id ("S9.1") from steps.
func Named(steps []Step, id string) (Step, error) {
	at := slices.IndexFunc(steps, func(s Step) bool { return s.ID == id })
	if at < 0 {
		return Step{}, fmt.Errorf("look up step %q of the guide: there is none", id)
	}
	return steps[at], nil
}
