package progress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the frames of testdata anew")

// recorded are the events of testdata/run.jsonl, which are of the published form.
func recorded(t *testing.T) []Event {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "run.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []Event
	for lines := bufio.NewScanner(file); lines.Scan(); {
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		var e Event
		if err := d.Decode(&e); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all = append(all, e)
	}
	return all
}

// after gives the state after the events of the first seconds, and that moment.
func after(all []Event, seconds float64) (*State, time.Time) {
	now := all[0].Time.Add(time.Duration(seconds * float64(time.Second)))
	s := &State{}
	for _, e := range all {
		if !e.Time.After(now) {
			s.Apply(e)
		}
	}
	return s, now
}

func TestFrames(t *testing.T) {
	all := recorded(t)
	for _, at := range []float64{0, 10, 24, 42, 46} {
		for _, width := range []int{60, 80, 120} {
			name := fmt.Sprintf("%02.0f-seconds-%d-columns.txt", at, width)
			t.Run(name, func(t *testing.T) {
				s, now := after(all, at)
				var got strings.Builder
				for _, l := range Frame(s, Size{width, 24}, now) {
					got.WriteString(l.Text() + "\n")
				}
				path := filepath.Join("testdata", name)
				if *update {
					if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil || got.String() != string(want) {
					t.Errorf("%v: drawn\n%s\nwant\n%s", err, got.String(), want)
				}
			})
		}
	}
}

// A line that is too wide wraps, and a frame that is too high scrolls: both leave rubbish on the screen for good.
func TestFramesFit(t *testing.T) {
	all := recorded(t)
	wide := Event{Time: all[0].Time, Event: Doing, Cluster: "east", What: "S9 日本語の長い文章 with\nline ends, \x1b[31mcolours and \t tabs"}
	three := Event{Time: all[0].Time, Event: Begin, Run: strings.Repeat("r", 200), Clusters: []string{"east", "west", strings.Repeat("north", 30)}}
	for name, events := range map[string][]Event{"recorded": all, "odd text": append(all[:len(all):len(all)], wide), "three clusters": append(all[:len(all):len(all)], three, wide)} {
		for width := 1; width <= 130; width++ {
			for _, height := range []int{1, 2, 5, 10, 24, 60} {
				for _, at := range []float64{0, 10, 24, 46, 4000} {
					s, now := after(events, at)
					lines := Frame(s, Size{width, height}, now)
					if len(lines) > max(height-1, 1) {
						t.Fatalf("%s: %d lines on %d rows", name, len(lines), height)
					}
					for _, l := range lines {
						if text := l.Text(); columnsOf(text) > width || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
							t.Fatalf("%s: %q is wider than %d columns, or steers the terminal", name, text, width)
						}
					}
				}
			}
		}
	}
}

func TestThreeClustersStandSideBySideOrBelow(t *testing.T) {
	begin := Event{Event: Begin, Run: "r", Clusters: []string{"east", "west", "north"}}
	s := &State{}
	s.Apply(begin)
	for _, c := range begin.Clusters {
		s.Apply(Event{Event: Doing, Cluster: c, What: "P6"})
	}
	for width, want := range map[int]int{120: 1, 60: 2, 40: 3} {
		together := 0
		for _, l := range Frame(s, Size{width, 24}, time.Time{}) {
			if strings.Contains(l.Text(), "> P6") {
				together++
			}
		}
		if together != want {
			t.Errorf("%d columns: the steps stand on %d rows, want %d", width, together, want)
		}
	}
}

func TestColoursAddNoText(t *testing.T) {
	s, now := after(recorded(t), 46)
	for _, l := range Frame(s, Size{80, 24}, now) {
		bare := l.Colored()
		for _, x := range []look{bold, faint, good, bad, under} {
			bare = strings.ReplaceAll(bare, x.codes(), "")
		}
		if bare = strings.ReplaceAll(bare, "\x1b[0m", ""); bare != l.Text() {
			t.Errorf("%q with colours, %q without", bare, l.Text())
		}
	}
}
