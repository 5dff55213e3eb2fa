package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/leak"
	"github.com/meshproof/meshproof/framework/session"
)

// tellResults tells something of every kind that is a result of another command than run.
func tellResults(t *Teller) {
	declared := fault.Fault{ID: "f", Verdict: claim.Failed, Cause: "c"}
	t.Proof(session.Proof{Fault: declared, Verdict: claim.Failed, Causes: []string{"c", "d"}, Took: 1500 * time.Millisecond, Named: true})
	t.Proof(session.Proof{Fault: declared, Err: errors.New("no pod")})
	t.Leak(leak.Leak{File: "evidence/x.json", Secret: "token of a", Encoding: "base64"})
	t.Round("judgement", session.Round{Number: 1, Verdict: claim.Passed, Reason: "it conforms", Took: time.Second}, "")
	t.Round("judgement", session.Round{Number: 2, Verdict: claim.Failed, Reason: "it does not", Took: time.Second}, "reports/r/judgement-002")
	t.Made("r1", "runs/r1", "runs/r1/release", []string{"east.yaml", "west.yaml"})
	t.Left(session.Left{ID: "r1", Things: []string{"namespace a"}})
	t.Left(session.Left{ID: "r2", Alive: true})
	t.LeftThere(session.LeftThere{Run: "r1", Who: "ann@there", Cluster: "east", Err: errors.New("damaged")})
	t.Removed("r1", []string{"it stays"})
	t.End(Result{Report: "reports/r", Proved: &Proved{0, 1}, Search: &Search{1, 2, 3}}, 1, nil)
	t.End(Result{Judgements: &Rounds{1, 2, 0.975}, LifeCycles: &Rounds{0, 1, 0.95}}, 3, errors.New("disk full"))
}

// results are these events.
func results(t *testing.T) []Event {
	t.Helper()
	var out bytes.Buffer
	teller := NewTeller(NewLines(&out, false))
	tellResults(teller)
	teller.Close()
	var all []Event
	for d := json.NewDecoder(&out); d.More(); {
		var e Event
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestResultsAreEvents(t *testing.T) {
	want := []string{
		`"event":"proof","seconds":1.5,"verdict":"failed","fault":"f","expected":{"verdict":"failed","cause":"c"},"causes":["c","d"],"named":true}`,
		`"event":"proof","seconds":0,"error":"no pod","fault":"f","expected":{"verdict":"failed","cause":"c"},"named":false}`,
		`"event":"leak","file":"evidence/x.json","secret":"token of a","encoding":"base64"}`,
		`"event":"round","what":"judgement","seconds":1,"verdict":"passed","reason":"it conforms","number":1}`,
		`"event":"round","what":"judgement","seconds":1,"verdict":"failed","reason":"it does not","report":"reports/r/judgement-002","number":2}`,
		`"event":"made","run":"r1","directory":"runs/r1","release":"runs/r1/release","kubeconfigs":["east.yaml","west.yaml"]}`,
		`"event":"left","run":"r1","things":["namespace a"]}`,
		`"event":"left","run":"r2","alive":true}`,
		`"event":"left","run":"r1","cluster":"east","error":"damaged","who":"ann@there"}`,
		`"event":"removed","run":"r1","things":["it stays"]}`,
		`"event":"end","exitCode":1,"report":"reports/r","proved":{"named":0,"of":1},"search":{"leaks":1,"secrets":2,"files":3}}`,
		`"event":"end","error":"disk full","exitCode":3,"judgements":{"failed":1,"of":2,"bound":0.975},"lifeCycles":{"failed":0,"of":1,"bound":0.95}}`,
	}
	for name, quiet := range map[string]bool{"all": false, "quiet": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			teller := NewTeller(NewLines(&out, quiet))
			teller.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
			teller.Begin("r", []string{"east"})
			teller.Doing("", "remove run r1")
			tellResults(teller)
			teller.Close()
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if !quiet {
				lines = lines[2:]
			}
			if len(lines) != len(want) {
				t.Fatalf("%d lines, want %d: %s", len(lines), len(want), out.String())
			}
			for i, l := range lines {
				if got := strings.TrimPrefix(l, `{"time":"2026-01-02T03:04:05.000Z",`); got != want[i] {
					t.Errorf("line %d\n%s\nwant\n%s", i+1, got, want[i])
				}
			}
		})
	}
}
