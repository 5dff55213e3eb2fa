package stats

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats/scalar"
)

// offBy lists the imbalances that Explain speaks of: one half becomes 60/40, 65/35 and 70/30.
func offBy() []float64 { return []float64{0.10, 0.15, 0.20} }

// Explain says in one sentence, for a person, what n calls per direction can show when a share of them is expected from the
// caller's own version: which counts pass at the rate alpha, how often a conforming mesh fails by chance, and how likely
// an imbalance of 10, 15 or 20 points is caught; of its two sides, the one that is caught less.
func Explain(n int, share, alpha float64) string {
	if !bounded(n, share, alpha) {
		return fmt.Sprintf("No test can be made of %d calls, an expected share of %g and a rate of %g.", n, share, alpha)
	}
	if share == 0 || share == 1 {
		return fmt.Sprintf("With an expected share of %g nothing is left to chance: all of %s calls must be answered by the same side.", share, grouped(n))
	}
	lo, hi, falseFail := Band(n, share, alpha)
	if lo == 0 && hi == n {
		return fmt.Sprintf("%s calls per direction cannot fail at a rate of %g, whatever they show: use at least %s.",
			grouped(n), alpha, grouped(Fewest(share, alpha)))
	}
	var caught []string
	for i, off := range offBy() {
		what := fmt.Sprintf("a share %.0f points off", 100*off)
		if share == 0.5 {
			what = fmt.Sprintf("%.0f/%.0f", 50+100*off, 50-100*off)
		}
		if i == 0 {
			what += " is caught"
		}
		worst := harder(n, share, alpha, off)
		caught = append(caught, what+" in "+chance(Miss(n, share, alpha, worst), Power(n, share, alpha, worst)))
	}
	return fmt.Sprintf("With %s calls per direction, %s to %s may be answered by the caller's own version (expected share %.4g, rate %g): "+
		"a mesh that conforms fails by chance in 1 of %s checks, and %s.",
		grouped(n), grouped(lo), grouped(hi), share, alpha, many(1/falseFail), strings.Join(caught, ", "))
}

// Fewest gives the smallest sample whose test can reject anything at the rate alpha: that in which the least likely outcome
// can. For an expected share of one half and 1e-8 it is 28.
func Fewest(share, alpha float64) int {
	return first(1, maxSamples, func(n int) bool {
		lo, hi, _ := Band(n, share, alpha)
		return lo > 0 || hi < n
	})
}

// harder gives the share that is off by so much and is caught less: the one above or the one below.
func harder(n int, share, alpha, off float64) float64 {
	below, above := scalar.Round(share-off, 12), scalar.Round(share+off, 12)
	if below < 0 || above <= 1 && Power(n, share, alpha, above) <= Power(n, share, alpha, below) {
		return above
	}
	return below
}

// chance puts a probability into words from the side on which it tells something: what is almost certain by its exceptions,
// what hardly ever happens by its rate, everything else as a percentage.
func chance(miss, caught float64) string {
	switch {
	case miss <= 0:
		return "all"
	case miss < 0.001:
		return "all but 1 of " + many(1/miss)
	case caught < 0.001:
		return "1 of " + many(1/caught)
	default:
		return fmt.Sprintf("%.3g%%", 100*caught)
	}
}

// many writes a large number with two significant digits: 130,000 or 140 million.
func many(x float64) string {
	if !(x < 1e12) {
		return "over a trillion"
	}
	x = scalar.Round(x, 1-int(math.Floor(math.Log10(x))))
	switch {
	case x >= 1e9:
		return fmt.Sprintf("%.3g billion", x/1e9)
	case x >= 1e6:
		return fmt.Sprintf("%.3g million", x/1e6)
	default:
		return grouped(int(x))
	}
}

// grouped writes a whole number with a comma between thousands.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
