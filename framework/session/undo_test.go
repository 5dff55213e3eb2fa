package session

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/intent"
)

// TestUndo: what was done to the mesh is undone to its end, also when the run is interrupted, where the clusters stay.
func TestUndo(t *testing.T) {
	broken := errors.New("it does not let go")
	for name, tc := range map[string]struct {
		provision   intent.Provision
		keep        Keep
		interrupted bool
		repair      error
		// whole tells that the repair's context must live.
		whole bool
	}{
		"in peace":                              {provision: intent.Kind, keep: KeepNever, whole: true},
		"interrupted, the clusters go":          {provision: intent.Kind, keep: KeepNever, interrupted: true},
		"interrupted, the clusters are kept":    {provision: intent.Kind, keep: KeepOnFailure, interrupted: true, whole: true},
		"interrupted, the clusters are given":   {provision: intent.Supplied, keep: KeepNever, interrupted: true, whole: true},
		"the repair fails":                      {provision: intent.Kind, keep: KeepNever, repair: broken, whole: true},
		"interrupted, and the repair fails too": {provision: intent.Supplied, interrupted: true, repair: broken, whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Session{o: Options{Keep: tc.keep, Tell: silent{}}, limits: Limits{Undo: time.Minute}, intent: intent.Intent{Provision: tc.provision}}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tc.interrupted {
				cancel(errors.New("interrupted"))
			}
			calls := 0
			err := s.undo(ctx, nil, "x", func(ctx context.Context, _ *fault.Rig) error {
				calls++
				if whole := ctx.Err() == nil; whole != tc.whole {
					t.Errorf("the repair may go to its end: %t, want %t", whole, tc.whole)
				}
				return tc.repair
			})
			if calls != 1 || !errors.Is(err, tc.repair) || tc.repair == nil && tc.whole && err != nil {
				t.Errorf("called %d times, error %v", calls, err)
			}
			if len(s.steps) != 1 || s.steps[0].ID != "D.x.repair" {
				t.Errorf("steps %+v", s.steps)
			}
		})
	}
}
