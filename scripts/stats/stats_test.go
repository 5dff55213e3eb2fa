package main

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

func readRecord(t *testing.T) record {
	t.Helper()
	text, err := os.ReadFile("simulated.json")
	if err != nil {
		t.Fatal(err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDocumentAndPictureAreCurrent makes both anew from the recorded simulation.
func TestDocumentAndPictureAreCurrent(t *testing.T) {
	r := readRecord(t)
	for file, make := range map[string]func(record) ([]byte, error){documentFile: document, pictureFile: picture} {
		want, err := make(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) == string(want) {
			continue
		}
		gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(gotLines), len(wantLines)) {
			if gotLines[i] != wantLines[i] {
				t.Errorf("%s, line %d:\n%s\nwant\n%s", file, i+1, gotLines[i], wantLines[i])
				break
			}
		}
		t.Errorf("%s is not what the command writes: run go run ./scripts/stats", file)
	}
}

// TestRecordIsOfThisSimulation repeats the beginning of every recorded simulation.
func TestRecordIsOfThisSimulation(t *testing.T) {
	r := readRecord(t)
	if len(r.Results) != len(scenes()) {
		t.Fatalf("%d results of %d scenes: run go run ./scripts/stats", len(r.Results), len(scenes()))
	}
	for i, s := range scenes() {
		got, err := s.simulate(i, prefix)
		if err != nil {
			t.Fatal(err)
		}
		recorded := r.Results[i]
		if recorded.Name != s.name || recorded.Runs != s.runs || recorded.Calls != calls || recorded.Prefix != got.Prefix {
			t.Errorf("%s: recorded %+v, but its first %d runs add up to %d: run go run ./scripts/stats", s.name, recorded, prefix, got.Prefix)
		}
	}
}

func TestRecordConfirmsTheModel(t *testing.T) {
	r := readRecord(t)
	all, err := confirmations(r)
	if err != nil || len(all) != 6 {
		t.Fatalf("%d confirmations: %v", len(all), err)
	}
	for _, c := range all {
		if c.Runs != million || c.PValue() < 1e-4 {
			t.Errorf("%s: %d of %d runs, expected %s (p = %.2g)", c.What, c.Seen, c.Runs, c.Expected(), c.PValue())
		}
	}
	unequal, err := unequalScatter(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range unequal {
		if s.result.Outside[0] != 0 || s.SD > 0.15*math.Sqrt(calls*s.Share*(1-s.Share)) {
			t.Errorf("%s: %d outside, sd %g, want none and far below that of independent draws", s.Name, s.result.Outside[0], s.SD)
		}
	}
	backends, err := backendScatter(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range backends {
		ratio := s.SD / math.Sqrt(calls*s.Share*(1-s.Share))
		if over := strings.Contains(s.Name, "pod"); over && ratio < 2 || !over && math.Abs(ratio-1) > 0.01 {
			t.Errorf("%s: sd %g is %.3f times that of independent draws", s.Name, s.SD, ratio)
		}
	}
}

func TestFigures(t *testing.T) {
	for _, tc := range []struct {
		got, want string
	}{
		{rate(7.36e-9), "7.4e-9"}, {rate(1e-8), "1e-8"}, {rate(1.2e-12), "1.2e-12"}, {rate(1e-12), "1e-12"}, {rate(0.1912), "0.191"}, {rate(0), "0"},
		{percent(0.95174), "95.2%"}, {percent(0), "0%"}, {percent(0.00131), "0.131%"}, {percent(0.000012), "1.2e-3%"},
		{cell(600, 1e-8, 70), "all but 7.9e-6"}, {cell(600, 1e-8, 60), "19.1%"}, {cell(2000, 1e-8, 75), "all but < 1e-12"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s, want %s", tc.got, tc.want)
		}
	}
	if _, err := (record{}).find("equal weights"); err == nil {
		t.Error("an empty record gave a result")
	}
	if _, err := document(record{}); err == nil {
		t.Error("a document was made of no simulation")
	}
}
