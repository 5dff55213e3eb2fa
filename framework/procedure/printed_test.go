package procedure

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/shell"
)

func literal(o *Options) {
	o.Intent.Mode = intent.Literal
	for i := range o.Intent.Clusters {
		o.Intent.Clusters[i].Network = "default"
	}
}

func TestAPrintedCommandThatFailsAsKnownIsNotedAndPassed(t *testing.T) {
	r := newRig(t, literal)
	r.answer["--set spec.values"] = func(context.Context, shell.Command) (shell.Result, error) {
		return shell.Result{ExitCode: 1, Stderr: `Error: json: unknown field "spec"`}, errors.New("exit status 1")
	}
	steps, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []evidence.Step
	for _, s := range steps {
		if s.ID == "S6.1" {
			got = append(got, s)
		}
	}
	if len(got) != 2 || got[0].Finding != "F2" || got[0].Error == "" || len(got[0].Deviations) != 0 {
		t.Fatalf("S6.1 was done %d times, first %+v, want a refusal that is finding F2, and the step again", len(got), got)
	}
	again := got[1]
	if again.Finding != "" || again.Error != "" || !strings.Contains(again.Command, "--network default") || !strings.Contains(again.Command, "--set values.") ||
		len(again.Deviations) != 1 || again.Deviations[0].Finding != "F2" {
		t.Errorf("the second S6.1 is not the printed one with that one correction: %+v", again)
	}
	if at := slices.Index(r.notified, "S6.1"); !slices.Contains(r.notified[at+1:], "S6.1") {
		t.Errorf("OnStep was not told of both: %q", r.notified)
	}
}

func TestAPrintedCommandThatFailsOtherwiseStopsTheProcedure(t *testing.T) {
	for name, mode := range map[string]func(*Options){"another failure": literal, "the corrected mode": nil} {
		r := newRig(t, mode)
		stderr := "no such host"
		if mode == nil {
			stderr = `unknown field "spec"`
		}
		r.answer["gen-eastwest-gateway.sh"] = func(context.Context, shell.Command) (shell.Result, error) {
			return shell.Result{ExitCode: 1, Stderr: stderr}, errors.New("exit status 1")
		}
		steps, err := r.p.SetUp(t.Context())
		if err == nil || slices.ContainsFunc(steps, func(s evidence.Step) bool { return s.Finding != "" }) {
			t.Errorf("%s: error %v, steps %q", name, err, ids(steps))
		}
	}
}
