package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Lower is P(X <= k) for X ~ Binomial(n, p), by the identity I_{1-p}(n-k, k+1). Both tails are computed directly, never as
// one minus the other, so that a tail of 1e-300 keeps its relative precision (about 1e-10).
func Lower(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	case p <= 0:
		return 1
	case p >= 1:
		return 0
	}
	return mathext.RegIncBeta(float64(n-k), float64(k)+1, 1-p)
}

// Upper is P(X >= k) for X ~ Binomial(n, p), by the identity I_p(k, n-k+1).
func Upper(k, n int, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	case p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return mathext.RegIncBeta(float64(k), float64(n-k)+1, p)
}

// Interval is the Clopper-Pearson interval of a share of which k of n were seen: its confidence is at least 1-alpha, for
// every true share. It leaves p0 out exactly when PValue(k, n, p0) < alpha.
func Interval(k, n int, alpha float64) (low, high float64) {
	low, high = 0, 1
	if n <= 0 {
		return low, high
	}
	if k > 0 {
		low = solve(func(p float64) bool { return Upper(k, n, p) >= alpha/2 })
	}
	if k < n {
		high = solve(func(p float64) bool { return Lower(k, n, p) < alpha/2 })
	}
	return low, high
}

// solve gives the smallest share, to the last bit, from which on a condition that changes once on (0, 1) holds.
func solve(holds func(p float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return hi
		}
		if holds(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
}

// bounded says whether n, p0 and alpha make a test at all.
func bounded(n int, p0, alpha float64) bool {
	return n > 0 && p0 >= 0 && p0 <= 1 && alpha > 0 && !math.IsNaN(p0)
}
