package html

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/shell"
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
	if in := p.Run.Intent; in.Samples > 0 {
		all = append(all, command{"Run it again" + unsaid(in), repeat(in)})
	}
	return all
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
