package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
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

// TestARemovalKeepsOffWhereTheLeaseWasLost: where another run works now, the run removes nothing, and says so; the rest goes.
func TestARemovalKeepsOffWhereTheLeaseWasLost(t *testing.T) {
	farm, s, ctx := working(t)
	west := farm.Server("west")
	west.Put(t, leasePath, "{metadata: {name: meshproof, namespace: istio-system}, spec: {holderIdentity: run r2 of ann}}")
	s.loses(s.set[1], fmt.Errorf("%w: the lease on cluster two was taken", lease.ErrHeld))
	before := len(west.Calls())
	left, err := s.removeUnlessKept(t.Context(), "")
	if !errors.Is(err, lease.ErrHeld) || !errors.Is(context.Cause(ctx), lease.ErrHeld) || len(left) != 1 || len(west.Calls()) != before {
		t.Errorf("%v, left %q; it wrote %q", err, left, west.Calls()[before:])
	}
	if farm.Server("east").Get(samplePath) != nil || len(s.ledger.Remaining()) != 1 {
		t.Errorf("left %v", s.ledger.Remaining())
	}
}

// working is a run that holds two clusters and has made the sample on each.
func working(t *testing.T) (*apitest.Farm, *Session, context.Context) {
	t.Helper()
	farm, o := meshes(t)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := s.limited(t.Context())
	t.Cleanup(end)
	if err := errors.Join(s.Check(ctx), s.takeLeases(ctx), s.remember(ctx)); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"east", "west"} {
		if err := s.book().Intend(ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: s.set[i].Name, Run: o.RunID}); err != nil {
			t.Fatal(err)
		}
		farm.Server(name).Put(t, samplePath, "{metadata: {name: sample, labels: {meshproof.dev/run: r1}}}")
	}
	return farm, s, ctx
}

// TestARemovalLooksWhoHoldsTheLease: a machine that slept longer than the lease holds wakes with a run that does not know yet that another has
// taken it. That the renewal finds it too ends nothing on the other cluster.
func TestARemovalLooksWhoHoldsTheLease(t *testing.T) {
	farm, s, _ := working(t)
	east, west := farm.Server("east"), farm.Server("west")
	west.Put(t, leasePath, "{metadata: {name: meshproof, namespace: istio-system}, spec: {holderIdentity: run r2 of ann, leaseDurationSeconds: 180, renewTime: '"+
		time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")+"'}}")
	east.During(http.MethodGet, samplePath, func() { s.loses(s.set[1], fmt.Errorf("%w: the lease on cluster two was taken", lease.ErrHeld)) })
	before := len(west.Calls())
	left, err := s.removeUnlessKept(t.Context(), "")
	if !errors.Is(err, lease.ErrHeld) || !strings.Contains(err.Error(), "run r2 of ann") || len(left) != 1 || len(west.Calls()) != before || west.Get(samplePath) == nil {
		t.Errorf("%v, left %q; it wrote %q", err, left, west.Calls()[before:])
	}
	if east.Get(samplePath) != nil || len(s.ledger.Remaining()) != 1 {
		t.Errorf("left %v", s.ledger.Remaining())
	}
}

// TestARemovalEndsWhenALeaseIsLost: nothing more is removed from then on, and who has it is told.
func TestARemovalEndsWhenALeaseIsLost(t *testing.T) {
	farm, s, _ := working(t)
	west := farm.Server("west")
	west.During(http.MethodGet, samplePath, func() { s.loses(s.set[1], fmt.Errorf("%w: the lease on cluster two was taken", lease.ErrHeld)) })
	left, err := s.removeUnlessKept(t.Context(), "")
	if !errors.Is(err, lease.ErrHeld) || !strings.Contains(err.Error(), "Namespace sample on cluster two") || len(left) != 1 || west.Get(samplePath) == nil {
		t.Errorf("%v, left %q; it wrote %q", err, left, west.Calls())
	}
}
