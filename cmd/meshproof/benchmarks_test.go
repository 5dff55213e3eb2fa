package main

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

// TestBenchmarksNameTheStepsOfARun: what make bench wrote names steps as a run does today.
func TestBenchmarksNameTheStepsOfARun(t *testing.T) {
	text, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	run, err := evidence.Load(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var today []string
	for _, s := range run.Steps {
		today = append(today, s.ID+" "+s.Title)
	}
	rows := regexp.MustCompile(`(?m)^\| ([PSV][0-9.][^|]*) \|`).FindAllStringSubmatch(string(text), -1)
	if len(rows) == 0 {
		t.Error("docs/benchmarks.md names no step")
	}
	for _, row := range rows {
		if !slices.Contains(today, row[1]) {
			t.Errorf("docs/benchmarks.md has the step %q, and no run has: make bench", row[1])
		}
	}
}
