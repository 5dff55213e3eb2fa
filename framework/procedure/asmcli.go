package procedure

import (
	"context"
	"fmt"
	"strconv"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/shell"
)

// asmcli performs S8 with the real tools. Before it, asmcli is given a fleet that is not the clusters' own, which it must
// refuse, once; what it leaves behind then is listed by name, and both are evidence.
type asmcli struct {
	p       *Procedure
	refused bool
}

// Join makes every cluster known to every other.
func (a *asmcli) Join(ctx context.Context, set cluster.Set) ([]evidence.Step, error) {
	join, err := a.p.guided("S8", a.p.o.Limits.Join)
	if err != nil {
		return nil, err
	}
	if join.script, join.deviations, err = a.text(set, a.p.values.Fleet); err != nil {
		return nil, err
	}
	if join.makes, err = a.p.joins(ctx, set); err != nil {
		return nil, err
	}
	join.command = a.p.toolsCommand()
	if a.refused {
		return a.p.do(ctx, chain{join})
	}
	refusal, err := a.refusal(set)
	if err != nil {
		return nil, err
	}
	a.refused = true
	// asmcli may take the fleet that it is to refuse, so that its secrets are noted before.
	if err := a.p.intend(ctx, join.makes); err != nil {
		return nil, err
	}
	return a.p.do(ctx, append(refusal, join))
}

// text is S8 for these clusters, with that fleet.
func (a *asmcli) text(set cluster.Set, fleet string) (script string, deviations []guide.Deviation, err error) {
	step, err := guide.Named(a.p.steps, "S8")
	if err != nil {
		return "", nil, err
	}
	values := a.p.values
	values.Fleet, values.Clusters = fleet, values.Clusters[:len(set)]
	return guide.Render(step, values, a.p.o.Intent.Mode)
}

// refusal is S8 with another fleet, and a look at the remote secrets of each cluster after it.
func (a *asmcli) refusal(set cluster.Set) (chain, error) {
	script, _, err := a.text(set, evidence.OtherFleet)
	if err != nil {
		return nil, err
	}
	all := chain{{
		id: evidence.StepOtherFleet, title: "give asmcli another fleet, with a gcloud that changes nothing", script: script, limit: a.p.o.Limits.Join, answers: true,
		command: func(text string) shell.Command { return a.p.o.Tools.Guarded(text, a.p.files.bin, a.p.kubectl()...) },
	}}
	for i, c := range set {
		all = append(all, task{
			id: evidence.StepOtherFleet + "." + strconv.Itoa(i+1), title: "list the remote secrets that this left", cluster: c.Name, limit: a.p.o.Limits.Command,
			script: fmt.Sprintf("kubectl --context=%s -n %s get secrets -l istio/multiCluster=true -o name", a.p.files.contexts[i], istioSystem),
		})
	}
	return all, nil
}

// toolsCommand is how a text of the guide is called that calls one of the real tools; nil where there are none.
func (p *Procedure) toolsCommand() func(string) shell.Command {
	if p.o.Tools == nil {
		return nil
	}
	return func(text string) shell.Command { return p.o.Tools.Command(text, p.files.bin, p.kubectl()...) }
}

// kubectl are the variables that keep kubectl to the run's own files.
func (p *Procedure) kubectl() []string {
	return []string{"KUBECONFIG=" + p.files.merged, "KUBECACHEDIR=" + p.files.cache, "KUBERC=off"}
}

// joins are what the join of all clusters makes on supplied ones.
func (p *Procedure) joins(ctx context.Context, set cluster.Set) ([]ledger.Entry, error) {
	tokens, err := p.newTokens(ctx, set)
	if err != nil {
		return nil, err
	}
	var all []ledger.Entry
	for i, from := range set {
		for _, to := range set {
			if from != to {
				all = append(all, p.secretOf(set, i, to))
			}
		}
		if tokens[from.Name] {
			all = append(all, entry("Secret", from, istioSystem, readerToken))
		}
	}
	return all, nil
}
