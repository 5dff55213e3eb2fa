package html

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// fact is one thing that is true of the whole run.
type fact struct{ Name, Value string }

func facts(p Page) []fact {
	in := p.Run.Intent
	all := []fact{
		{"Platform", platform(in)}, {"Certificate authority", in.Authority()}, {"Mode", mode(in.Mode, len(deviations(p.Run.Steps)) > 0)},
		{"Mesh ID", in.MeshID}, {"Revision", in.Revision},
	}
	switch {
	case in.ReadOnly:
		all = append(all, fact{"Read only", "nothing was deployed and no traffic was sent"})
	case in.From == intent.FromInstall:
		all = append(all, fact{"Begun at", "--from install: the run brought the control planes"})
	case in.From != "":
		all = append(all, fact{"Begun at", "--from " + string(in.From) + ": what is before it was found"})
	}
	if in.Samples > 0 && !in.ReadOnly {
		all = append(all, fact{"Measured calls", fmt.Sprintf("%d a direction", in.Samples)})
	}
	if p.FalseFailRate > 0 {
		all = append(all, fact{"False-fail rate", strconv.FormatFloat(p.FalseFailRate, 'g', 3, 64) + " a run"})
	}
	if began, took := evidence.Span(p.Run.Steps); !began.IsZero() {
		all = append(all, fact{"Began", began.UTC().Format("2006-01-02 15:04 UTC")}, fact{"Took", seconds(took)})
	}
	all = append(all, fact{"Run by", p.By}, fact{"Run on", p.Where}, fact{"Tool", p.Tool})
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
}

func platform(in intent.Intent) string {
	switch in.Provision {
	case intent.Kind:
		if in.Platform == kind {
			return "kind, made by the run"
		}
		return "kind, made by the run, with the commands for " + in.Platform
	case intent.Supplied:
		return in.Platform + ", given clusters"
	}
	return in.Platform
}

// kind is the platform of clusters that stand for none of the guide's.
const kind = "kind"

func mode(m intent.Mode, deviates bool) string {
	switch m {
	case intent.Literal:
		return "literal (the guide as printed)"
	case intent.Corrected:
		if !deviates { // it did not come that far
			return "corrected"
		}
		return "corrected (deviations below)"
	}
	return string(m)
}
