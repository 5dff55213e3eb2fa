package session

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/poll"
)

const leasePath = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshproof"

// TestWhatHangsKeepsNoLease: when the time for the removal has passed the leases are given back, though it has not returned.
func TestWhatHangsKeepsNoLease(t *testing.T) {
	farm, o := meshes(t)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	limited, end := s.limited(t.Context())
	defer end()
	if err := s.takeLeases(limited); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.whileHeld(ctx, func(context.Context) error {
		cancel()
		return poll.Until(t.Context(), poll.Wait{What: "the lease is given back", Where: "east", Limit: 10 * time.Second}, func(context.Context) (string, error) {
			if farm.Server("east").Get(leasePath) != nil {
				return "held", errors.New("it is there")
			}
			return "", nil
		})
	})
	if err != nil || farm.Server("west").Get(leasePath) != nil {
		t.Error(err)
	}
}

// TestARemovalGoesOnWhereItsHomeIsMadeAnew: that somebody is there again takes nothing from a removal; that another has its lease does.
func TestARemovalGoesOnWhereItsHomeIsMadeAnew(t *testing.T) {
	for err, ends := range map[error]bool{lease.ErrNowhere: false, lease.ErrHeld: true} {
		ctx, lost := endedBy(t.Context())
		lost(fmt.Errorf("%w: east", err))
		if (ctx.Err() != nil) != ends || ends && !errors.Is(context.Cause(ctx), err) {
			t.Errorf("%v: %v", err, context.Cause(ctx))
		}
	}
}
