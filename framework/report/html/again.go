package html

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/release/shell"
)

// deviation is one difference from the guide's text, with the steps that have it. Steps may differ in what was run.
type deviation struct {
	Printed, Reason, Finding string
	Runs                     []deviationRun
}

type deviationRun struct {
	Steps string
	Run   string
}

func deviations(steps []evidence.Step) []deviation {
	var all []deviation
	for _, s := range steps {
		for _, d := range s.Deviations {
			at := slices.IndexFunc(all, func(o deviation) bool { return o.Printed == d.Printed && o.Reason == d.Reason })
			if at < 0 {
				at = len(all)
				all = append(all, deviation{Printed: d.Printed, Reason: d.Reason, Finding: d.Finding})
			}
			all[at].add(s.ID, d.Run)
		}
	}
	for i := range all {
		slices.SortFunc(all[i].Runs, func(a, b deviationRun) int { return strings.Compare(a.Steps, b.Steps) })
	}
	return all
}

func (d *deviation) add(step, run string) {
	at := slices.IndexFunc(d.Runs, func(r deviationRun) bool { return r.Run == run })
	switch {
	case at < 0:
		d.Runs = append(d.Runs, deviationRun{step, run})
	case !slices.Contains(strings.Split(d.Runs[at].Steps, ", "), step):
		steps := append(strings.Split(d.Runs[at].Steps, ", "), step)
		slices.Sort(steps)
		d.Runs[at].Steps = strings.Join(steps, ", ")
	}
}

// command is one command with what it is for.
type command struct{ What, Line string }

// again says how to judge the evidence again, and how to repeat the run.
func again(p Page) []command {
	all := []command{
		{"Judge this evidence again, in the folder of this page; no cluster is needed", "meshproof judge ."},
		{"See that the evidence is unchanged", "(cd " + shell.Word(p.EvidenceDir) + " && sha256sum --check " + evidence.SumsFile + ")"},
	}
	lines := p.Reproduce
	if len(lines) == 0 && p.Run.Intent.Samples > 0 {
		lines = []string{repeat(p.Run.Intent)}
	}
	for _, line := range lines {
		all = append(all, command{"Run it again", line})
	}
	return all
}

// repeat is the command that expects the same mesh again.
func repeat(in intent.Intent) string {
	parts := []string{"meshproof run"}
	switch {
	case in.Provision == intent.Supplied:
		for _, c := range in.Clusters {
			parts = append(parts, "--kubeconfig "+shell.Word(c.Name+".yaml"))
		}
	case len(in.Clusters) > guide.Clusters:
		parts = append(parts, fmt.Sprintf("--clusters %d", len(in.Clusters)))
	}
	if in.Platform != "" && in.Platform != kind {
		parts = append(parts, "--platform "+shell.Word(in.Platform))
	}
	if !in.IstiodSigns() {
		parts = append(parts, "--ca "+shell.Word(in.CA))
	}
	if in.Mode == intent.Literal {
		parts = append(parts, "--mode "+string(in.Mode))
	}
	if len(in.Expect) > 0 {
		parts = append(parts, "--expect "+shell.Word(strings.Join(in.Expect, ",")))
	}
	for _, f := range []fact{{"revision", in.Revision}, {"fleet", in.Fleet}, {"project-number", in.ProjectNumber}, {"namespace", in.SampleNamespace}} {
		if f.Value != "" {
			parts = append(parts, "--"+f.Name+" "+shell.Word(f.Value))
		}
	}
	parts = append(parts, fmt.Sprintf("--samples %d", in.Samples), "--alpha "+strconv.FormatFloat(in.Alpha, 'g', -1, 64))
	if in.From != "" {
		parts = append(parts, "--from "+string(in.From))
	}
	if in.ReadOnly {
		parts = append(parts, "--read-only")
	}
	switch disruptive := len(in.Disruptions)+len(in.Injections) > 0; { // where it is not the default, it is said
	case disruptive:
		parts = append(parts, "--disruptive")
	case in.Provision == intent.Kind:
		parts = append(parts, "--disruptive=false")
	}
	for _, fault := range in.Planted {
		parts = append(parts, "--plant "+shell.Word(fault))
	}
	return strings.Join(parts, " ")
}

// gap is something that could not be read or collected.
type gap struct{ What, Why string }

func gaps(run evidence.Run) []gap {
	var all []gap
	for _, u := range run.Unreadable {
		all = append(all, gap{u.File, u.Reason})
	}
	var epochs []string
	for name := range run.Epochs {
		epochs = append(epochs, name)
	}
	slices.Sort(epochs)
	for _, epoch := range epochs {
		for _, in := range run.Intent.Clusters {
			c := run.Cluster(epoch, in.Name)
			if c == nil {
				continue
			}
			for _, p := range c.Problems {
				all = append(all, gap{p.What + " of " + in.Name + " (" + epoch + ")", p.Error})
			}
		}
	}
	return all
}
