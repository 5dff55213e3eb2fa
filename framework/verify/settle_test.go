package verify

import (
	"context"
	"encoding/json"
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

// recorded gives the joined mesh of the recorded run, west's gateway with that address, whose dials end with that error.
func recorded(t *testing.T, address, dialled string) evidence.Run {
	t.Helper()
	run, err := evidence.Load("../claim/testdata/healthy")
	if err != nil {
		t.Fatal(err)
	}
	all := run.Epochs[evidence.Joined].Clusters
	for i := range all["west"].Kubernetes.Services {
		if s := &all["west"].Kubernetes.Services[i]; s.Labels[evidence.GatewayLabel] == evidence.GatewayValue {
			s.Addresses = []string{address}
		}
	}
	c := all["east"]
	for i := range c.Dials {
		c.Dials[i].Address, c.Dials[i].Connected, c.Dials[i].Error = address+":15443", dialled == "", dialled
	}
	for i := range c.Handshakes {
		h := &c.Handshakes[i]
		if h.Address = address + ":15443"; dialled != "" {
			h.Connected, h.Handshake, h.Code, h.Peer, h.Phase, h.Error = false, false, 0, "", "dial", dialled
		}
	}
	return run
}

// TestAHostNameIsGivenItsTime: the load balancer of a cloud is named minutes before it can be reached. What else is wrong is not
// waited for any longer.
func TestAHostNameIsGivenItsTime(t *testing.T) {
	const name, reachedAfter = "gw.west.example", 3
	for what, tc := range map[string]struct {
		address, dialled string
		limit            time.Duration
		spoil            func(evidence.Run)
		settled          bool
	}{
		"the name is not there yet":     {name, "dial tcp: lookup gw.west.example: no such host", time.Minute, nil, true},
		"nobody answers yet":            {name, "dial tcp 203.0.113.1:15443: i/o timeout", time.Minute, nil, true},
		"it is refused":                 {name, "dial tcp 203.0.113.1:15443: connection refused", time.Minute, nil, false},
		"an IP address":                 {"172.18.252.1", "dial tcp 172.18.252.1:15443: i/o timeout", time.Minute, nil, false},
		"no more time is given":         {name, "dial tcp 203.0.113.1:15443: i/o timeout", 0, nil, false},
		"something else is wrong, also": {name, "dial tcp 203.0.113.1:15443: i/o timeout", time.Minute, func(run evidence.Run) { run.Epochs[evidence.Joined].Clusters["west"].Kubernetes.Gateways = nil }, false},
	} {
		before, after := recorded(t, tc.address, tc.dialled), recorded(t, tc.address, "")
		if tc.spoil != nil {
			tc.spoil(before)
		}
		looks := 0
		take := func(context.Context, Options) map[string]*evidence.Cluster {
			if looks++; looks < reachedAfter {
				return before.Epochs[evidence.Joined].Clusters
			}
			return after.Epochs[evidence.Joined].Clusters
		}
		o := Options{Intent: after.Intent, Limits: Limits{Quiet: time.Nanosecond, HostName: tc.limit}}
		_, settled, err := settle(t.Context(), o, evidence.Joined, evidence.Joined, time.Minute, take)
		if err != nil || settled != tc.settled {
			open, _ := json.Marshal(unsettled(o, evidence.Joined, after.Epochs[evidence.Joined].Clusters))
			t.Errorf("%s: after %d looks settled %t, %v, want %t; open at the end: %s", what, looks, settled, err, tc.settled, open)
		}
	}
}

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
		_, settled, err := settle(ctx, o, evidence.Joined, evidence.Joined, time.Minute, look)
		if settled || errors.Is(err, stop) != tc.again {
			t.Errorf("%s: %d looks, settled %t, error %v; want another look: %t", name, looks, settled, err, tc.again)
		}
		cancel(nil)
	}
}
