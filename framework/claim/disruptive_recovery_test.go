package claim

import (
	"slices"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
)

// TestRecordedRecoveriesSpoiled spoils what was recorded of each recovery: the steady calls, and the mesh as it was afterwards.
func TestRecordedRecoveriesSpoiled(t *testing.T) {
	for _, i := range injections() {
		repaired := evidence.Repaired(i.id)
		steady := func(change func(*evidence.SteadyCalls)) func(evidence.Run) {
			return func(run evidence.Run) { change(run.Cluster(repaired, east).Steady) }
		}
		without := func(kind string) func(evidence.Run) {
			return func(run evidence.Run) { swap(kind, run.Cluster(repaired, east), &evidence.Cluster{}) }
		}
		for _, tc := range []spoiled{
			{"one of the last calls is lost", i.claim, eastToWest, steady(func(s *evidence.SteadyCalls) {
				lastBefore(s, s.Ended).Code = 503
			}), Failed, "calls from east were lost still"},
			{"the other cluster does not answer again", i.claim, eastToWest, steady(func(s *evidence.SteadyCalls) {
				answeredBy(s, "v1", s.Ended.Add(-calm), s.Ended)
			}), Failed, "calls from east was answered by the other cluster"},
			{"the mesh is not whole afterwards", i.claim, eastToWest, func(run evidence.Run) { withoutGateway(run.Cluster(repaired, west)) }, Failed,
				"after the repair, gateway-available (west) failed"},
			{"it was not well before", i.claim, eastToWest, steady(func(s *evidence.SteadyCalls) {
				lastBefore(s, s.Broken).Code = 503
			}), Inconclusive, "before it was done, 1 of"},
			{"the other cluster did not answer before", i.claim, eastToWest, steady(func(s *evidence.SteadyCalls) {
				answeredBy(s, "v1", s.Broken.Add(-calm), s.Broken)
			}), Inconclusive, "and 0 were answered by the other cluster"},
			{"the calls stopped for a while", i.claim, eastToWest, steady(func(s *evidence.SteadyCalls) {
				s.Requests = slices.DeleteFunc(s.Requests, func(q evidence.Request) bool {
					return q.At.After(s.Broken) && q.At.Before(s.Ended.Add(-calm))
				})
			}), Inconclusive, "they were not steady"},
			{"no calls were kept", i.claim, eastToWest, func(run evidence.Run) { run.Cluster(repaired, east).Steady = nil }, Inconclusive,
				evidence.FileOfSteadyCalls(repaired, east)},
			{"a file of the mesh afterwards is not there", i.claim, eastToWest, without(dialled), Inconclusive, evidence.FileOfDials(repaired, east)},
			{"not looked at again", i.claim, eastToWest, func(run evidence.Run) { delete(run.Epochs, repaired) }, Inconclusive, repaired},
		} {
			judgeRecorded(t, tc, repaired)
		}
	}
}

// lastBefore gives the last steady call before some time.
func lastBefore(s *evidence.SteadyCalls, end time.Time) *evidence.Request {
	last := 0
	for i, q := range s.Requests {
		if q.At.Before(end) {
			last = i
		}
	}
	return &s.Requests[last]
}

// answeredBy makes a version answer every steady call in between.
func answeredBy(s *evidence.SteadyCalls, version string, from, to time.Time) {
	for i, q := range s.Requests {
		if !q.At.Before(from) && q.At.Before(to) {
			s.Requests[i].Version = version
		}
	}
}
