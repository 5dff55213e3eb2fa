package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/session"
)

func TestPlainLines(t *testing.T) {
	for name, tc := range map[string]struct {
		verbose, brief bool
		has, hasNot    []string
	}{
		"plain": {false, false, []string{"-          run 0102-030405-ab12", "west       S6.2.wait wait until the gateway has an address: 5.7 s: the load balancer",
			"east       P5 install the load balancer: 3.5 s", "west       P5 install the load balancer: 3.5 s"}, []string{"waiting for"}},
		"verbose":       {true, false, []string{"east       P6 install the control plane\n", "waiting for: the gateway has an address: <pending>"}, nil},
		"brief":         {false, true, []string{"the load balancer gave no address"}, []string{"run 0102", "P1", "waiting"}},
		"brief verbose": {true, true, []string{"P1 bring the images\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := NewPlain(&out, tc.verbose, tc.brief)
			all := recorded(t)
			p.began = all[0].Time.Time
			for _, e := range all {
				p.Show(e)
			}
			for _, want := range tc.has {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not there:\n%s", want, out.String())
				}
			}
			for _, not := range tc.hasNot {
				if strings.Contains(out.String(), not) {
					t.Errorf("%q is there:\n%s", not, out.String())
				}
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Errorf("a plain line steers the terminal: %q", out.String())
			}
		})
	}
}

// A line of life comes at the latest when nothing was said for 25 s, and none before.
func TestNoDisplayIsSilentForLong(t *testing.T) {
	var plainOut, briefOut, jsonOut bytes.Buffer
	all := recorded(t)
	at := func(seconds int) time.Time { return all[0].Time.Add(time.Duration(seconds) * time.Second) }
	p, b, l := NewPlain(&plainOut, false, false), NewPlain(&briefOut, false, true), NewLines(&jsonOut, false)
	p.began, b.began, p.spoke, b.spoke, l.spoke = at(0), at(0), at(0), at(0), at(0)
	for _, display := range []Display{p, b, l} {
		for _, e := range all {
			if e.Time.Before(at(10)) {
				display.Show(e)
			}
		}
		for second := 10; second < 100; second++ {
			display.Tick(at(second))
		}
		display.Close()
		display.Tick(at(1000))
	}
	for name, out := range map[string]string{"plain": plainOut.String(), "brief": briefOut.String(), "json": jsonOut.String()} {
		if n := strings.Count(out, "still under way: P3 create the kind clusters"); n != 3 {
			t.Errorf("%s: %d lines of life in 90 s, want 3:\n%s", name, n, out)
		}
		if !strings.Contains(out, "west: API server, node and kube-proxy ready: node west-control-plane is not ready") {
			t.Errorf("%s: the last state is not told:\n%s", name, out)
		}
	}
}

func TestWhereTheDisplayIsLive(t *testing.T) {
	for name, tc := range map[string]struct {
		terminal bool
		env      map[string]string
		want     bool
	}{
		"a terminal":            {true, map[string]string{"TERM": "xterm-256color"}, true},
		"CI that is none":       {true, map[string]string{"TERM": "xterm", "CI": "false"}, true},
		"no terminal":           {false, map[string]string{"TERM": "xterm"}, false},
		"a CI system":           {true, map[string]string{"TERM": "xterm", "CI": "true"}, false},
		"no colour":             {true, map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		"a dumb terminal":       {true, map[string]string{"TERM": "dumb"}, false},
		"a terminal of no kind": {true, nil, false},
	} {
		if got := lively(tc.terminal, func(name string) string { return tc.env[name] }); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// What a teller is told comes out as events, in order, one a line, with the verdict last.
func TestTellerMakesEvents(t *testing.T) {
	var out bytes.Buffer
	teller := NewTeller(NewLines(&out, false))
	teller.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 120e6, time.FixedZone("x", 3600)) }
	teller.Begin("r1", []string{"east", "west"})
	teller.Note("hello <world>")
	teller.Doing("east", "P6 install")
	teller.Done("east", "P6 install", 1500*time.Millisecond, errors.New("no\nimage"))
	teller.Done("", "P7", 0, nil)
	teller.Progress(session.Progress{Cluster: "west", What: "pods", State: "pending"})
	teller.Progress(session.Progress{Cluster: "west", What: "pods", Over: true})
	teller.Progress(session.Progress{Cluster: "west", What: "measured calls", Asked: 600, Answered: map[string]int{"v1": 2, "": 1}})
	cause := &claim.Cause{ID: "c", Sentence: "s", Remedy: "r"}
	teller.Finding(claim.Finding{Claim: "split-balanced", Level: claim.Core, Subject: "mesh", Verdict: claim.Failed, Reason: "because", Cause: cause})
	teller.Verdict(report.Findings{Verdict: claim.Passed, Reason: "it conforms"}, 0, "reports/r1", nil)
	teller.Close()
	teller.Close()
	const time = `{"time":"2026-01-02T02:04:05.120Z",`
	want := []string{
		`"event":"begin","run":"r1","clusters":["east","west"]}`,
		`"event":"note","what":"hello <world>"}`,
		`"event":"doing","cluster":"east","what":"P6 install"}`,
		`"event":"done","cluster":"east","what":"P6 install","seconds":1.5,"error":"no\nimage"}`,
		`"event":"done","what":"P7","seconds":0}`,
		`"event":"waiting","cluster":"west","what":"pods","state":"pending"}`,
		`"event":"waiting","cluster":"west","what":"pods","over":true}`,
		`"event":"sample","cluster":"west","what":"measured calls","asked":600,"answered":{"":1,"v1":2}}`,
		`"event":"finding","claim":"split-balanced","level":"core","subject":"mesh","verdict":"failed","reason":"because","cause":{"id":"c","sentence":"s","remedy":"r"}}`,
		`"event":"verdict","verdict":"passed","reason":"it conforms","exitCode":0,"report":"reports/r1"}`,
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d: %s", len(lines), len(want), out.String())
	}
	for i, l := range lines {
		if l != time+want[i] {
			t.Errorf("line %d\n%s\nwant\n%s", i+1, l, time+want[i])
		}
		var back Event
		if err := json.Unmarshal([]byte(l), &back); err != nil || back.Time.UnixMilli()%1000 != 120 {
			t.Errorf("line %d is not read back: %v", i+1, err)
		}
	}
}

func TestWriterPrintsBesideTheDisplay(t *testing.T) {
	s := &screen{t: t, width: 80}
	teller := NewTeller(NewLive(s, false, func() Size { return Size{80, 24} }))
	_, _ = teller.Writer(s).Write([]byte("judgement 1: passed\n"))
	teller.Note("after it")
	_, _ = teller.Writer(s).Write([]byte("judgement 2: passed\n")) // when it is through, so is what was told before
	if text := strings.Join(s.rows, "\n"); strings.Count(text, "meshproof ") != 1 {
		t.Errorf("the picture is not below:\n%s", text)
	}
	teller.Close()
	text := strings.Join(s.rows, "\n")
	if !strings.HasPrefix(text, "judgement 1: passed\n") || strings.Contains(text, "meshproof ") {
		t.Errorf("printed:\n%s", text)
	}
}
