package claim

import (
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// recovering is a run in which west was away for some seconds from when it was broken, as east's calls show it.
func recovering(spoil func(*evidence.SteadyCalls)) evidence.Run {
	const id = "workload-scaled-to-zero"
	run := example.Disrupted(id, func(evidence.Run) {})
	run.Intent.Disruptions, run.Intent.Injections = nil, []string{id}
	began := example.Began()
	at := func(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }
	for _, c := range run.Intent.Clusters {
		s := evidence.SteadyCalls{From: c.Name, Pod: "meshproof-load", Rate: 10, Broken: at(10), Restored: at(20), Ended: at(30)}
		for i := range 300 {
			q := evidence.Request{At: at(float64(i) / 10), Seconds: 0.002, Code: 200, Version: []string{"v1", "v2"}[i%2]}
			if i >= 100 && i < 215 { // west's version is back 1.5 s after it was restored
				q.Version = "v1"
			}
			if i >= 100 && i < 103 {
				q = evidence.Request{At: q.At, Seconds: 2, Error: "upstream connect error", Code: 503}
			}
			s.Requests = append(s.Requests, q)
		}
		if c.Name == east {
			spoil(&s)
		}
		run.Epochs[evidence.Repaired(id)].Clusters[c.Name].Steady = &s
	}
	return run
}

func TestInjections(t *testing.T) {
	const id, subject = "recovers-from-a-missing-workload", eastToWest
	for _, tc := range []struct {
		name    string
		spoil   func(*evidence.SteadyCalls)
		verdict Verdict
		says    string
	}{
		{"it comes back", func(*evidence.SteadyCalls) {}, Passed, "3 of 200 calls from east were lost; the other cluster was away for 11.5 s, and answered 1.5 s after the end of it"},
		{"calls are lost still", func(s *evidence.SteadyCalls) { s.Requests[299].Code, s.Requests[299].Version = 503, "" }, Failed, "1 of the last 30 calls from east were lost still"},
		{"the peer does not come back", func(s *evidence.SteadyCalls) {
			for i := 100; i < 300; i++ {
				s.Requests[i].Version = "v1"
			}
		}, Failed, "none of the last 30 calls from east was answered by the other cluster"},
		{"it was not well before", func(s *evidence.SteadyCalls) { s.Requests[90].Version = "" }, Inconclusive, "before it was done, 1 of 30 calls were lost"},
		{"the peer did not answer before", func(s *evidence.SteadyCalls) {
			for i := range 100 {
				s.Requests[i].Version = "v1"
			}
		}, Inconclusive, "0 were answered by the other cluster"},
		{"the calls stopped", func(s *evidence.SteadyCalls) { s.Requests = append(s.Requests[:110], s.Requests[260:]...) }, Inconclusive, "they were not steady"},
		{"no calls", func(s *evidence.SteadyCalls) { s.Requests = nil }, Inconclusive, "no call from east is known of the last 3s"},
	} {
		f := one(t, recovering(tc.spoil), id, subject)
		if f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.says) {
			t.Errorf("%s: %s: %s", tc.name, f.Verdict, f.Reason)
		}
	}
	f := one(t, recovering(func(*evidence.SteadyCalls) {}), id, subject)
	for name, want := range map[string]any{"requests": 200, "lost": 3, "firstLossSeconds": 0.0, "lastLossSeconds": 0.2, "peerAwaySeconds": 11.5, "peerBackSeconds": 1.5, "slowestSeconds": 2.0} {
		if f.Measured[name] != want {
			t.Errorf("measured %s: %v, want %v", name, f.Measured[name], want)
		}
	}
	for name, spoil := range map[string]func(evidence.Run, evidence.Epoch){
		"a claim about the joined mesh fails": func(_ evidence.Run, e evidence.Epoch) { e.Clusters[west].Kubernetes.Deployments[0].Available = 0 },
	} {
		run := recovering(func(*evidence.SteadyCalls) {})
		spoil(run, run.Epochs[evidence.Repaired("workload-scaled-to-zero")])
		if f := one(t, run, id, subject); f.Verdict != Failed || !strings.Contains(f.Reason, "gateway-available") {
			t.Errorf("%s: %s: %s", name, f.Verdict, f.Reason)
		}
	}
	run := recovering(func(*evidence.SteadyCalls) {})
	file := evidence.FileOfSteadyCalls(evidence.Repaired("workload-scaled-to-zero"), east)
	if f := one(t, example.Without(run, file), id, subject); f.Verdict != Inconclusive || !strings.Contains(f.Reason, file) {
		t.Errorf("without the calls: %s: %s", f.Verdict, f.Reason)
	}
}
