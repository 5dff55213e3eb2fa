package procedure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/shell"
)

// task is one step: a command of the guide, or a wait.
type task struct {
	id, title, cluster string
	script             string
	// after is run in the same shell when the script has succeeded, and is no part of the guide's command.
	after      string
	deviations []guide.Deviation
	limit      time.Duration
	// keep is how much of the standard output is kept; 0 = the usual.
	keep int
	// makes is what the command makes on supplied clusters.
	makes []ledger.Entry
	// accept looks at the output of a command that succeeded; nil = nothing to look at.
	accept func(stdout string) error
	// detour is the way past a printed command that fails as the guide's log says; nil = there is none.
	detour *detour
	// command gives how the script is called; nil = as the procedure calls all of them.
	command func(text string) shell.Command
	// answers tells that the script's exit code is what the step is to show, whichever it is.
	answers bool
	// wait is the wait of a step that is one; then there is no script.
	wait func(ctx context.Context, limit time.Duration) error
}

// detour is the way past one finding about the guide.
type detour struct {
	// finding is its id, and symptom what the failing command says.
	finding, symptom string
	then             task
}

func (d *detour) fits(failed evidence.Step) bool {
	return d != nil && (strings.Contains(failed.Stderr, d.symptom) || strings.Contains(failed.Stdout, d.symptom))
}

// past gives a task of the guide the way past what its log says of the printed command, where the run follows the print.
func (p *Procedure) past(t *task) error {
	step, err := guide.Named(p.steps, t.id)
	if err != nil || p.o.Intent.Mode != intent.Literal {
		return err
	}
	for _, c := range step.Corrections {
		if c.Symptom == "" {
			continue
		}
		then, err := p.guided(t.id, t.limit, c.Finding)
		if err != nil {
			return err
		}
		then.makes, then.accept = t.makes, t.accept
		t.detour = &detour{finding: c.Finding, symptom: c.Symptom, then: then}
	}
	return nil
}

// chain is tasks of which each begins when the one before has succeeded.
type chain []task

// do runs the chains at once and each chain in its order: what the guide says for one cluster does not depend on how far
// it has come on the other. It returns when all have ended, with every step that was begun, in the order of their
// beginnings, and the joined errors.
func (p *Procedure) do(ctx context.Context, chains ...chain) ([]evidence.Step, error) {
	var (
		mu    sync.Mutex
		steps []evidence.Step
		errs  = make([]error, len(chains))
		all   sync.WaitGroup
	)
	done := func(step evidence.Step) {
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, step)
		if p.o.OnStep != nil {
			p.o.OnStep(step)
		}
	}
	for i, c := range chains {
		all.Go(func() {
			for _, t := range c {
				step, err := p.perform(ctx, t)
				if err != nil && t.detour.fits(step) {
					step.Finding = t.detour.finding
					done(step)
					step, err = p.perform(ctx, t.detour.then)
				}
				done(step)
				if err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	all.Wait()
	slices.SortStableFunc(steps, func(a, b evidence.Step) int { return a.Started.Compare(b.Started) })
	return steps, errors.Join(errs...)
}

// perform runs one task. The error is that of its step, with the step named.
func (p *Procedure) perform(ctx context.Context, t task) (evidence.Step, error) {
	step := evidence.Step{ID: t.id, Title: t.title, Cluster: t.cluster, Command: t.script, Started: time.Now()}
	for _, d := range t.deviations {
		step.Deviations = append(step.Deviations, evidence.Deviation(d))
	}
	if t.script != "" {
		step.ExitCode = -1 // until it has run
	}
	if p.o.OnBegin != nil {
		p.o.OnBegin(step)
	}
	err := context.Cause(ctx)
	if err == nil {
		err = p.act(ctx, t, &step)
	}
	step.Seconds = time.Since(step.Started).Seconds()
	if err == nil {
		return step, nil
	}
	step.Error = err.Error()
	if ctx.Err() == nil {
		step.Reachable = reachable(ctx, p.o.Set)
	}
	where := ""
	if t.cluster != "" {
		where = " on cluster " + t.cluster
	}
	return step, fmt.Errorf("step %s (%s)%s: %w", t.id, t.title, where, err)
}

func (p *Procedure) act(ctx context.Context, t task, step *evidence.Step) error {
	if err := p.intend(ctx, t.makes); err != nil {
		return err
	}
	if t.wait != nil {
		return t.wait(ctx, t.limit)
	}
	limited, cancel := context.WithTimeoutCause(ctx, t.limit, fmt.Errorf("%s %s has passed", evidence.StepTookLonger, t.limit))
	defer cancel()
	call := t.command
	if call == nil {
		call = p.command
	}
	command := call(t.script + t.after)
	command.Keep = t.keep
	r, err := asm.WithoutTokens(p.run(limited, command))
	step.ExitCode, step.Stdout, step.Stderr = r.ExitCode, r.Stdout, r.Stderr
	if t.answers && r.ExitCode >= 0 {
		err = nil
	}
	if err == nil && t.accept != nil {
		err = t.accept(r.Stdout)
	}
	if err != nil {
		return err
	}
	return p.mark(ctx, t.makes)
}

// command is how a text of the guide is called.
func (p *Procedure) command(text string) shell.Command {
	return shell.Command{Args: shell.Script(text), Dir: p.o.Release.Path, Env: p.environment()}
}

// tell writes entries to the ledger, where there is one to write to.
func (p *Procedure) tell(entries []ledger.Entry, call func(Ledger, ledger.Entry) error) error {
	if p.o.Ledger == nil || !p.supplied() {
		return nil
	}
	for _, e := range entries {
		e.Run = p.o.Intent.RunID
		if err := call(p.o.Ledger, e); err != nil {
			return err
		}
	}
	return nil
}

// readyLimit bounds the question to each API server after a failure.
const readyLimit = 5 * time.Second

// reachable asks every API server of the set at once whether it is ready.
func reachable(ctx context.Context, set cluster.Set) map[string]bool {
	answers := make([]bool, len(set))
	var all sync.WaitGroup
	for i, c := range set {
		all.Go(func() { answers[i] = c.Ready(ctx, readyLimit) == nil })
	}
	all.Wait()
	byName := map[string]bool{}
	for i, c := range set {
		byName[c.Name] = answers[i]
	}
	return byName
}

// guided gives the task of one of the guide's steps.
// Corrections that the findings of these ids force are made also where the run follows the printed text.
func (p *Procedure) guided(id string, limit time.Duration, found ...string) (task, error) {
	step, err := guide.Named(p.steps, id)
	if err != nil {
		return task{}, err
	}
	script, deviations, err := guide.Render(step, p.values, p.o.Intent.Mode, found...)
	if err != nil {
		return task{}, err
	}
	t := task{id: id, title: step.Title, script: script, deviations: deviations, limit: limit}
	if step.Cluster > 0 {
		t.cluster = p.o.Set[step.Cluster-1].Name
	}
	return t, nil
}

// waiting gives the task of a wait that belongs to a step.
func (p *Procedure) waiting(id string, c *cluster.Cluster, what, where string, limit time.Duration, try poll.Try) task {
	return task{id: id + ".wait", title: "wait until " + what, cluster: c.Name, limit: limit,
		wait: func(ctx context.Context, limit time.Duration) error {
			return poll.Until(ctx, poll.Wait{What: what, Where: "cluster " + c.Name + ", " + where, Limit: limit}, try)
		}}
}
