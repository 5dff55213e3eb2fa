package session

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// interrupting ends a run when a step begins.
type interrupting struct {
	silent
	at   string
	stop func()
}

// Doing is told of each step.
func (i interrupting) Doing(_, what string) {
	if what == i.at {
		i.stop()
	}
}

// TestTheCallsEndWithTheRun: pods that call at a steady rate are removed also when the run is interrupted while they are waited for,
// where the cluster outlives it.
func TestTheCallsEndWithTheRun(t *testing.T) {
	const pod = "/api/v1/namespaces/sample/pods/meshproof-load"
	farm, o := meshes(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	o.Tell = interrupting{at: "D.x.recover wait until all calls go well again", stop: func() { cancel(errors.New("interrupted")) }}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.set, s.intent.Provision = s.set[:1], intent.Supplied
	east := farm.Server("east")
	east.Put(t, pod, "{metadata: {name: meshproof-load, namespace: sample}}")
	if _, err := s.recovered(ctx, "x", evidence.SteadyCalls{}, true); err == nil || ctx.Err() == nil { // the server has no logs
		t.Errorf("it was not interrupted: %v", err)
	}
	if calls := east.Calls(); !slices.Contains(calls, "DELETE "+pod) {
		t.Errorf("the pod goes on: %q", calls)
	}
}
