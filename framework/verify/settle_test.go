package verify

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/poll"
)

// TestALookThatWasCutShortSaysNothingOfTheMesh: a machine that is too slow to look is no mesh on which nothing changes.
func TestALookThatWasCutShortSaysNothingOfTheMesh(t *testing.T) {
	stop := errors.New("two looks are enough")
	for name, tc := range map[string]struct {
		request time.Duration
		again   bool
	}{
		"the API server answers in time": {collect.DefaultRequest, false},
		"no request ends in time":        {1, true},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		looks := 0
		ctx = poll.Observe(ctx, func(_ poll.Wait, look *poll.Look) {
			if look != nil {
				looks++
			}
			if looks == 2 {
				cancel(stop)
			}
		})
		o := Options{Set: cluster.Set{apitest.New(t).Cluster(t, "east")}, Intent: intent.Intent{Clusters: []intent.Cluster{{Name: "east"}}},
			Collect: collect.Options{Request: tc.request}, Limits: Limits{Quiet: 1}}
		_, settled, err := settle(ctx, o, evidence.Joined, evidence.Joined, time.Minute)
		if settled || errors.Is(err, stop) != tc.again {
			t.Errorf("%s: %d looks, settled %t, error %v; want another look: %t", name, looks, settled, err, tc.again)
		}
		cancel(nil)
	}
}
