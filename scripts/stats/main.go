// Command stats makes the figures of docs/statistics.md: it simulates Envoy's pickers, a million runs where a rate is to be
// confirmed, computes the exact values beside them, and writes the document and its picture. The seed is fixed, so it
// always writes the same. Run it in the module's directory: go run ./scripts/stats.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// The files that it writes, from the module's directory.
const (
	recordFile   = "scripts/stats/simulated.json"
	documentFile = "docs/statistics.md"
	pictureFile  = "docs/statistics-power.svg"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "stats:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	r := record{}
	for i, s := range scenes() {
		result, err := s.simulate(i, s.runs)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-36s %d runs: mean %.2f, sd %.3f, outside %v of the bands at %v\n",
			result.Name, result.Runs, result.Mean, result.SD, result.Outside, result.Alphas)
		r.Results = append(r.Results, result)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	document, err := document(r)
	if err != nil {
		return err
	}
	picture, err := picture(r)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{recordFile, append(text, '\n')}, {documentFile, document}, {pictureFile, picture}} {
		if err := os.WriteFile(file.name, file.text, 0o644); err != nil {
			return fmt.Errorf("%w: run it in the module's directory", err)
		}
		fmt.Fprintln(out, "wrote", file.name)
	}
	return nil
}
