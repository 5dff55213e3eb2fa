package procedure

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
)

// Names in the mesh that the guide's commands imply.
const (
	istioSystem  = "istio-system"
	gatewayName  = "istio-eastwestgateway"
	crossNetwork = "cross-network-gateway"
)

// SetUp performs S1 to S13 with the waits, and returns every step that was begun. On supplied clusters it first refuses
// to overwrite anything of its own; by then the caller may have begun to make its namespaces.
func (p *Procedure) SetUp(ctx context.Context) ([]evidence.Step, error) {
	if p.supplied() {
		if err := Refuse(ctx, p.o.Set, p.o.Intent); err != nil {
			return nil, err
		}
	}
	var steps []evidence.Step
	for _, stage := range []func(context.Context) ([]evidence.Step, error){
		p.variablesStage, p.skippedStage, p.gatewayStage, p.joinStage, p.revisionStage, p.namespaceStage, p.callerStage, p.sampleStage, p.sleepStage,
	} {
		done, err := stage(ctx)
		steps = append(steps, done...)
		if err != nil {
			return steps, err
		}
	}
	return steps, nil
}

// variablesStage is S1 to S5. Each script is run, and what it exported is read back from the shell.
func (p *Procedure) variablesStage(ctx context.Context) ([]evidence.Step, error) {
	var c chain
	for _, id := range []string{"S1", "S2", "S3", "S4", "S5"} {
		t, err := p.guided(id, p.o.Limits.Command)
		if err != nil {
			return nil, err
		}
		step, err := guide.Named(p.steps, id)
		if err != nil {
			return nil, err
		}
		if id == "S1" {
			t.command = p.toolsCommand()
		}
		t.accept = p.acceptContexts
		if len(step.Sets) > 0 {
			t.after = "\n" + printVariables(step.Sets)
			t.accept = func(stdout string) error { return p.acceptVariables(step.Sets, stdout) }
		}
		c = append(c, t)
	}
	return p.do(ctx, c)
}

func printVariables(names []string) string {
	var lines []string
	for _, name := range names {
		lines = append(lines, fmt.Sprintf(`echo "%s=${%s}"`, name, name))
	}
	return strings.Join(lines, "\n")
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// acceptVariables keeps the printed values for the later steps, and refuses those that the mesh was not installed with:
// the gateway's script ignores them, so that nothing else would notice.
func (p *Procedure) acceptVariables(names []string, stdout string) error {
	expected := map[string]string{"PROJECT_NUMBER": p.o.Intent.ProjectNumber, "MESH_ID": p.o.Intent.MeshID}
	for i, c := range p.values.Clusters {
		n := strconv.Itoa(i + 1)
		expected["CLUSTER_"+n], expected["CTX_"+n] = c.ID, c.Context
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, name := range names {
		at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+"=") })
		if at < 0 {
			return fmt.Errorf("%s was not exported", name)
		}
		value := strings.TrimPrefix(lines[at], name+"=")
		if name == "PROJECT_NUMBER" && !digits.MatchString(value) {
			return fmt.Errorf("PROJECT_NUMBER is %q, not a number: see that gcloud may describe project %s, or give --project-number", value, p.o.Intent.Fleet)
		}
		if want := expected[name]; want != "" && value != want {
			return fmt.Errorf("%s is %q, but the mesh was installed with %q: give the fleet and project number of the installed mesh", name, value, want)
		}
		p.mu.Lock()
		p.variables[name] = value
		p.mu.Unlock()
	}
	return nil
}

func (p *Procedure) acceptContexts(stdout string) error {
	for _, name := range p.files.contexts {
		if !slices.Contains(strings.Fields(stdout), name) {
			return fmt.Errorf("the contexts that kubectl lists lack %s", name)
		}
	}
	return nil
}

// gatewayStage is S6 and S7 with the wait for the address, which the guide leaves out. Each cluster goes its own way:
// nothing of one needs the other, and the wall time halves. A run that begins later leaves out what is before it.
func (p *Procedure) gatewayStage(ctx context.Context) ([]evidence.Step, error) {
	chains, err := p.perCluster(func(n string, i int) (chain, error) {
		c := p.o.Set[i]
		install, err := p.guided("S6."+n, p.o.Limits.Gateway)
		if err != nil {
			return nil, err
		}
		install.makes = []ledger.Entry{entry(operatorKind, c, istioSystem, operatorName)}
		if err := p.past(&install); err != nil {
			return nil, err
		}
		address := p.waiting("S6."+n, c, "the gateway has an address", "service "+istioSystem+"/"+gatewayName, p.o.Limits.Address, hasAddress(c))
		expose, err := p.guided("S7."+n, p.o.Limits.Command)
		expose.makes = []ledger.Entry{entry("Gateway", c, istioSystem, crossNetwork)}
		var all chain
		if !p.skips(intent.StepGateway) {
			all = append(all, install, address)
		}
		if !p.skips(intent.StepExpose) {
			all = append(all, expose)
		}
		return all, err
	})
	if err != nil {
		return nil, err
	}
	return p.do(ctx, chains...)
}

// revisionStage is S9: every cluster is asked, and all must give the one revision that the run is about.
func (p *Procedure) revisionStage(ctx context.Context) ([]evidence.Step, error) {
	chains, err := p.perCluster(func(n string, _ int) (chain, error) {
		t, err := p.guided("S9."+n, p.o.Limits.Command)
		t.accept = p.acceptRevision
		return chain{t}, err
	})
	if err != nil {
		return nil, err
	}
	return p.do(ctx, chains...)
}

var revisionLabel = regexp.MustCompile(`(?:^|[\s,])istio\.io/rev=([^\s,]+)`)

func (p *Procedure) acceptRevision(stdout string) error {
	var found []string
	for _, match := range revisionLabel.FindAllStringSubmatch(stdout, -1) {
		if !slices.Contains(found, match[1]) {
			found = append(found, match[1])
		}
	}
	want := p.o.Intent.Revision
	switch {
	case len(found) == 0:
		return fmt.Errorf("no istiod pod with a label istio.io/rev: install the control plane first")
	case len(found) > 1:
		return fmt.Errorf("the istiod pods have more than one revision (%s): the guide's REVISION is ambiguous while an upgrade is under way", strings.Join(found, ", "))
	case found[0] != want:
		return fmt.Errorf("the istiod pods have revision %s, but the run is about %s: give --revision %s", found[0], want, found[0])
	}
	return nil
}

// namespaceStage is S10, whose one loop is printed, and run, for both clusters.
func (p *Procedure) namespaceStage(ctx context.Context) ([]evidence.Step, error) {
	t, err := p.guided("S10", p.o.Limits.Command)
	if err != nil {
		return nil, err
	}
	for _, c := range p.o.Set {
		t.makes = append(t.makes, entry("Namespace", c, "", p.o.Intent.Namespace()))
	}
	return p.do(ctx, chain{t})
}

// callerStage is what the caller does to the new namespace.
func (p *Procedure) callerStage(ctx context.Context) ([]evidence.Step, error) {
	if p.o.OnNamespace == nil {
		return nil, nil
	}
	return nil, p.o.OnNamespace(ctx)
}

// sampleStage is S11 and S12 up to their commands.
func (p *Procedure) sampleStage(ctx context.Context) ([]evidence.Step, error) {
	chains, err := p.perCluster(func(n string, _ int) (chain, error) {
		service, err := p.guided("S11."+n, p.o.Limits.Command)
		if err != nil {
			return nil, err
		}
		deploy, err := p.guided("S12."+n, p.o.Limits.Command)
		return chain{service, deploy}, err
	})
	if err != nil {
		return nil, err
	}
	return p.do(ctx, chains...)
}

// sleepStage is S13, and then the looks at the pods that S12 and S13 end with: HelloWorld comes up while sleep is
// deployed. Neither needs the other, and S14, which needs both, comes after both.
func (p *Procedure) sleepStage(ctx context.Context) ([]evidence.Step, error) {
	deploy, err := p.guided("S13", p.o.Limits.Command)
	if err != nil {
		return nil, err
	}
	steps, err := p.do(ctx, chain{deploy})
	if err != nil {
		return steps, err
	}
	var chains []chain
	for _, look := range []struct{ id, app string }{{"S12", "helloworld"}, {"S13", "sleep"}} {
		each, err := p.perCluster(func(n string, i int) (chain, error) { return p.podsReady(look.id, n, i, look.app) })
		if err != nil {
			return steps, err
		}
		chains = append(chains, each...)
	}
	more, err := p.do(ctx, chains...)
	return append(steps, more...), err
}

// podsReady is the wait for one app's pods on cluster i, and then the command with which the guide has them looked at.
func (p *Procedure) podsReady(id, n string, i int, app string) (chain, error) {
	c := p.o.Set[i]
	ordinal := id + "." + n
	at := slices.IndexFunc(p.steps, func(s guide.Step) bool { return s.Base() == id })
	if at < 0 {
		return nil, fmt.Errorf("look up step %q of the guide: there is none", id)
	}
	script, deviations, err := guide.RenderCheck(p.steps[at], p.values, i+1, p.o.Intent.Mode)
	if err != nil {
		return nil, err
	}
	wait := p.waiting(ordinal, c, "the pods of "+app+" are 2/2 running", "namespace "+p.o.Intent.Namespace(), p.o.Limits.Pods, podsInjected(c, p.o.Intent.Namespace(), app))
	check := task{id: ordinal + ".check", title: "look at the pods of " + app, cluster: c.Name, script: script, deviations: deviations, limit: p.o.Limits.Command}
	return chain{wait, check}, nil
}

// perCluster makes a chain for each cluster; n is its ordinal in the guide.
func (p *Procedure) perCluster(make func(n string, i int) (chain, error)) ([]chain, error) {
	var all []chain
	for i := range p.o.Set {
		c, err := make(strconv.Itoa(i+1), i)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
