package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/session"
)

// looked is what a run tells of its looks at given clusters, and how it goes on.
func looked(goesOn ...Event) []Event {
	at := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	second := 1.0
	all := []Event{{Event: Begin, Run: "r1", Clusters: []string{"east", "west"}}, {Event: Doing, What: "P3 look at the given clusters"},
		{Event: Done, What: "P3 look at the given clusters", Seconds: &second}, {Event: Doing, What: "P4 look for what is in the way"}}
	all = append(all, goesOn...)
	for i := range all {
		all[i].Time = Stamp{at.Add(time.Duration(i) * time.Second)}
	}
	return all
}

// TestOfARefusedRunNoStepsAreShown: its looks are held back until it goes on, or something else went wrong, or it has ended.
func TestOfARefusedRunNoStepsAreShown(t *testing.T) {
	done := func(err string) Event {
		second := 1.0
		return Event{Event: Done, What: "P4 look for what is in the way", Seconds: &second, Error: err}
	}
	const run, p3, p4 = "run r1", "P3 look at the given clusters: 1.0 s", "P4 look for what is in the way: 1.0 s"
	for name, tc := range map[string]struct {
		verbose bool
		events  []Event
		want    []string
	}{
		"it is refused":             {false, looked(done(session.Refused)), []string{run}},
		"it goes on":                {false, looked(done(""), Event{Event: Note, What: "it begins"}, done("")), []string{run, p3, p4, "it begins", p4}},
		"a cluster is out of reach": {false, looked(done("no answer")), []string{run, p3, p4 + ": no answer"}},
		"it is ended meanwhile":     {false, looked(), []string{run, p3}},
		"it is refused later":       {false, looked(done(""), Event{Event: Note, What: "it begins"}, done(session.Refused)), []string{run, p3, p4, "it begins", p4 + ": refused"}},
		"all is asked for":          {true, looked(done(session.Refused)), []string{run, "P3 look at the given clusters", p3, "P4 look for what is in the way", p4 + ": refused"}},
	} {
		var out bytes.Buffer
		p := NewPlain(&out, tc.verbose, false)
		for _, e := range tc.events {
			p.Show(e)
		}
		p.Close()
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.TrimSpace(line[strings.Index(line, " s  -")+len(" s  -"):]))
		}
		if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestTheLooksAreNoSilence: while a look takes long, a line says so, and what is held back stays so.
func TestTheLooksAreNoSilence(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, false, false)
	all := looked()
	for _, e := range all {
		p.Show(e)
	}
	p.Tick(all[0].Time.Add(silence))
	if text := out.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "still under way: P4 look for what is in the way") {
		t.Errorf("%s", text)
	}
}

// TestARefusedRunLeavesNoPicture: on a terminal nothing of it stays but what else was printed.
func TestARefusedRunLeavesNoPicture(t *testing.T) {
	second := 1.0
	for err, stays := range map[string]bool{session.Refused: false, "no answer": true} {
		s := &screen{t: t, width: 80}
		l := NewLive(s, false, func() Size { return Size{80, 24} })
		for _, e := range looked(Event{Event: Done, What: "P4 look for what is in the way", Seconds: &second, Error: err}) {
			l.Show(e)
		}
		l.Close()
		if text := strings.Join(s.rows, ""); (strings.TrimSpace(text) != "") != stays {
			t.Errorf("%s: %q", err, s.rows)
		}
	}
}
