package stats

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestDocumentedPower reads the table of docs/statistics.md as a reader does, and compares every cell with the functions.
func TestDocumentedPower(t *testing.T) {
	text, err := os.ReadFile("../../docs/statistics.md")
	if err != nil {
		t.Fatal(err)
	}
	const alpha = 1e-8
	_, table, found := strings.Cut(string(text), "| calls | own answers that pass | fails by chance | 60/40 | 65/35 | 70/30 | 75/25 |\n|---|---|---|---|---|---|---|\n")
	if !found {
		t.Fatal("docs/statistics.md has no table of the power")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var sizes []int
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 7 {
			t.Fatalf("row %q has %d cells", row, len(cells))
		}
		n, err := strconv.Atoi(cells[0])
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, n)
		lo, hi, rate := Band(n, 0.5, alpha)
		if want := fmt.Sprintf("%d..%d", lo, hi); cells[1] != want {
			t.Errorf("%d calls: %s, want %s", n, cells[1], want)
		}
		said(t, row, cells[2], rate)
		for i, share := range []float64{0.6, 0.65, 0.7, 0.75} {
			cell := cells[3+i]
			miss, isMiss := strings.CutPrefix(cell, "all but ")
			percent, isPercent := strings.CutSuffix(cell, "%")
			switch {
			case isMiss && strings.HasPrefix(miss, "< "):
				if limit := number(t, miss[2:]); Miss(n, 0.5, alpha, share) >= limit {
					t.Errorf("%s: the miss is %g, not below %g", row, Miss(n, 0.5, alpha, share), limit)
				}
			case isMiss:
				said(t, row, miss, Miss(n, 0.5, alpha, share))
			case isPercent:
				said(t, row, percent, 100*Power(n, 0.5, alpha, share))
			default:
				t.Errorf("%s: %q is neither a percentage nor a miss", row, cell)
			}
		}
	}
	if got := fmt.Sprint(sizes); got != "[200 400 600 2000]" {
		t.Errorf("the table is for %s calls", got)
	}
}

// said requires that a figure is the value, rounded to the digits that it is given with.
func said(t *testing.T, where, figure string, value float64) {
	t.Helper()
	mantissa, _, _ := strings.Cut(figure, "e")
	digits := len(strings.TrimLeft(strings.ReplaceAll(mantissa, ".", ""), "0"))
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'e', max(digits, 1)-1, 64), 64)
	if err != nil {
		t.Fatal(err)
	}
	if got := number(t, figure); !near(got, rounded, 1e-9) {
		t.Errorf("%s: %s, want %g", where, figure, value)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
