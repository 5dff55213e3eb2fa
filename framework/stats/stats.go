// Package stats tells what a share of counted replies can prove: the exact two-sided binomial test at a declared rate of
// false alarms, the interval and the power that belong to it, and the sample that a wanted power needs.
//
// The test is the equal-tailed one. Its p-value is twice the smaller of P(X <= k) and P(X >= k), at most 1, and it rejects
// when that is below the rate alpha. For an expected share of one half this is the same as adding up every outcome that is
// not more likely than the one seen, because the distribution is symmetric; for other shares it differs a little, and
// equal tails were chosen because they spend at most alpha/2 on each side and because the Clopper-Pearson interval of
// the same alpha then leaves the expected share out exactly when the test rejects.
package stats

import (
	"errors"
	"fmt"
)

// PValue is the exact two-sided p-value of k of n when a share of p0 is expected. It is 0 only for outcomes that are
// impossible, or below the smallest float64 (4.9e-324).
func PValue(k, n int, p0 float64) float64 {
	return min(1, 2*min(Lower(k, n, p0), Upper(k, n, p0)))
}

// Band gives the counts lo..hi (both included) that the test at the rate alpha accepts when a share of p0 is expected of n,
// and the probability with which a share of exactly p0 falls outside: at most alpha, and less because counts are whole.
// For n = 600, p0 = 1/2 and alpha = 1e-8 it is 230..370 and 7.4e-9. A test that cannot be made (n < 1, a share or rate
// that is none) accepts everything: 0..n and 0.
func Band(n int, p0, alpha float64) (lo, hi int, falseFail float64) {
	if !bounded(n, p0, alpha) {
		return 0, max(n, 0), 0
	}
	lo = first(0, n, func(k int) bool { return 2*Lower(k, n, p0) >= alpha })
	hi = first(0, n, func(k int) bool { return 2*Upper(k+1, n, p0) < alpha })
	return lo, hi, Lower(lo-1, n, p0) + Upper(hi+1, n, p0)
}

// first gives the smallest k in from..to for which a condition holds that, once it holds, keeps holding; to if none does.
func first(from, to int, holds func(k int) bool) int {
	for from < to {
		mid := from + (to-from)/2
		if holds(mid) {
			to = mid
		} else {
			from = mid + 1
		}
	}
	return from
}

// Miss is the probability with which the test at the rate alpha accepts n draws whose true share is share instead of the
// expected p0. For n = 600, p0 = 1/2, alpha = 1e-8 it is 7.9e-6 at a share of 0.7.
func Miss(n int, p0, alpha, share float64) float64 {
	lo, hi, _ := Band(n, p0, alpha)
	// The difference is taken of the two tails that lie on the far side of the share, so that a small miss is not lost in
	// the rounding of numbers near 1.
	if share >= p0 {
		return max(0, Lower(hi, n, share)-Lower(lo-1, n, share))
	}
	return max(0, Upper(lo, n, share)-Upper(hi+1, n, share))
}

// Power is the probability with which the test rejects n draws whose true share is share: 1 - Miss.
func Power(n int, p0, alpha, share float64) float64 {
	lo, hi, _ := Band(n, p0, alpha)
	return min(1, Lower(lo-1, n, share)+Upper(hi+1, n, share))
}

// Caught gives the shares nearest to p0, below and above it, that n draws miss with a probability of at most miss. below is 0
// or above is 1 when no share on that side is caught.
func Caught(n int, p0, alpha, miss float64) (below, above float64) {
	if !bounded(n, p0, alpha) {
		return 0, 1
	}
	above = solve(func(p float64) bool { return p > p0 && Miss(n, p0, alpha, p) <= miss })
	below = 1 - solve(func(q float64) bool { return 1-q < p0 && Miss(n, p0, alpha, 1-q) <= miss })
	return below, above
}

// maxSamples bounds the search for a sample size; a million calls take more than 40 minutes from one client.
const maxSamples = 1_000_000

// ErrTooMany says that no sample of a reasonable size (a million) has the wanted power.
var ErrTooMany = errors.New("no sample of at most 1000000 is enough")

// Samples gives the smallest n whose test at the rate alpha misses a true share with a probability of at most miss.
// Because counts are whole, a somewhat larger n can miss a little more.
func Samples(p0, alpha, share, miss float64) (int, error) {
	if !bounded(1, p0, alpha) || share < 0 || share > 1 || miss <= 0 {
		return 0, fmt.Errorf("samples for a share of %g instead of %g at the rate %g with a miss of %g: use shares from 0 to 1 and rates above 0",
			share, p0, alpha, miss)
	}
	if share == p0 {
		return 0, fmt.Errorf("samples for a share of %g instead of %g: %w: the shares are equal", share, p0, ErrTooMany)
	}
	enough := func(n int) bool { return Miss(n, p0, alpha, share) <= miss }
	top := 1
	for !enough(top) {
		if top *= 2; top > maxSamples {
			return 0, fmt.Errorf("samples for a share of %g instead of %g: %w", share, p0, ErrTooMany)
		}
	}
	// The power climbs in steps with small falls between them, so the last stretch is walked, not bisected: the steps
	// below half of a size that is just enough never reach it.
	for n := top / 2; n < top; n++ {
		if n > 0 && enough(n) {
			return n, nil
		}
	}
	return top, nil
}
