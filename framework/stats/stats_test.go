package stats

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// exact is the distribution of Binomial(n, p) as fractions: p must be num/den.
type exact struct{ pmf []*big.Rat }

func newExact(n int, num, den int64) exact {
	p, q := big.NewRat(num, den), big.NewRat(den-num, den)
	e := exact{}
	for k := 0; k <= n; k++ {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(k)))
		term.Mul(term, power(p, k))
		e.pmf = append(e.pmf, term.Mul(term, power(q, n-k)))
	}
	return e
}

func power(x *big.Rat, k int) *big.Rat {
	e := big.NewInt(int64(k))
	return new(big.Rat).SetFrac(new(big.Int).Exp(x.Num(), e, nil), new(big.Int).Exp(x.Denom(), e, nil))
}

func (e exact) sum(from, to int) *big.Rat {
	s := new(big.Rat)
	for k := max(from, 0); k <= to && k < len(e.pmf); k++ {
		s.Add(s, e.pmf[k])
	}
	return s
}

// band is the definition, taken literally: the counts whose smaller tail is at least alpha/2.
func (e exact) band(alpha *big.Rat) (lo, hi int, falseFail *big.Rat) {
	half := new(big.Rat).Mul(alpha, big.NewRat(1, 2))
	n := len(e.pmf) - 1
	lo, hi = -1, -1
	below := new(big.Rat)
	for k := 0; k <= n; k++ {
		lower := new(big.Rat).Add(below, e.pmf[k])
		upper := new(big.Rat).Sub(big.NewRat(1, 1), below)
		if lower.Cmp(half) >= 0 && upper.Cmp(half) >= 0 {
			if lo < 0 {
				lo = k
			}
			hi = k
		}
		below = lower
	}
	return lo, hi, new(big.Rat).Add(e.sum(0, lo-1), e.sum(hi+1, n))
}

func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Abs(want)
}

func float(r *big.Rat) float64 { f, _ := r.Float64(); return f }

func TestTailsAgreeWithExactSums(t *testing.T) {
	for _, tc := range []struct {
		n        int
		num, den int64
	}{{1, 1, 2}, {20, 1, 2}, {200, 1, 2}, {600, 1, 2}, {600, 1, 3}, {400, 3, 4}, {97, 1, 100}} {
		e, p := newExact(tc.n, tc.num, tc.den), float64(tc.num)/float64(tc.den)
		for k := 0; k <= tc.n; k += max(1, tc.n/37) {
			if got, want := Lower(k, tc.n, p), float(e.sum(0, k)); !near(got, want, 1e-9) {
				t.Errorf("P(X <= %d), n = %d, p = %g: %g, exactly %g", k, tc.n, p, got, want)
			}
			if got, want := Upper(k, tc.n, p), float(e.sum(k, tc.n)); !near(got, want, 1e-9) {
				t.Errorf("P(X >= %d), n = %d, p = %g: %g, exactly %g", k, tc.n, p, got, want)
			}
		}
	}
}

func TestBandAgreesWithExactSums(t *testing.T) {
	for _, n := range []int{1, 20, 27, 28, 100, 600} {
		for _, share := range [][2]int64{{1, 2}, {1, 3}, {3, 4}, {9, 10}} {
			e := newExact(n, share[0], share[1])
			for _, digits := range []int{2, 6, 8} {
				alpha := power(big.NewRat(1, 10), digits)
				wantLo, wantHi, wantRate := e.band(alpha)
				lo, hi, rate := Band(n, float64(share[0])/float64(share[1]), float(alpha))
				if lo != wantLo || hi != wantHi || !near(rate, float(wantRate), 1e-9) {
					t.Errorf("n %d, p0 %d/%d, alpha 1e-%d: %d..%d, %g, exactly %d..%d, %g",
						n, share[0], share[1], digits, lo, hi, rate, wantLo, wantHi, float(wantRate))
				}
				if rate > float(alpha) {
					t.Errorf("n %d, p0 %d/%d: false alarms %g above the declared 1e-%d", n, share[0], share[1], rate, digits)
				}
			}
		}
	}
}

func TestPublishedTable(t *testing.T) {
	// Figures that were computed independently beforehand, each with the digits that it was given with.
	for _, tc := range []struct {
		n                                     int
		alpha                                 float64
		lo, hi                                int
		rate, power60, power65, miss7, miss75 string
	}{
		{20, 3.9e-6, 1, 19, "1.9e-06", "3.7e-05", "", "0.9992", "0.997"},
		{200, 1e-6, 66, 134, "8.3e-07", "0.02", "0.25", "0.20", "7e-03"},
		{400, 1e-6, 151, 249, "6.5e-07", "0.17", "0.86", "5.5e-04", "1e-08"},
		{400, 1e-7, 147, 253, "7.4e-08", "0.08", "0.75", "2.2e-03", "1e-07"},
		{600, 1e-7, 235, 365, "7.9e-08", "0.32", "0.981", "1.1e-06", ""},
		{600, 1e-8, 230, 370, "7.4e-09", "0.19", "0.952", "7.9e-06", ""},
		{2000, 1e-7, 881, 1119, "8.8e-08", "0.9999", "1", "", ""},
	} {
		lo, hi, rate := Band(tc.n, 0.5, tc.alpha)
		if lo != tc.lo || hi != tc.hi {
			t.Errorf("n %d, alpha %g: %d..%d, want %d..%d", tc.n, tc.alpha, lo, hi, tc.lo, tc.hi)
		}
		for _, cell := range []struct {
			what, want string
			got        float64
		}{
			{"false alarms", tc.rate, rate},
			{"power against 60/40", tc.power60, Power(tc.n, 0.5, tc.alpha, 0.6)},
			{"power against 65/35", tc.power65, Power(tc.n, 0.5, tc.alpha, 0.35)},
			{"miss of 70/30", tc.miss7, Miss(tc.n, 0.5, tc.alpha, 0.7)},
			{"miss of 75/25", tc.miss75, Miss(tc.n, 0.5, tc.alpha, 0.25)},
		} {
			if got := as(cell.want, cell.got); cell.want != "" && got != cell.want {
				t.Errorf("n %d, alpha %g: %s %s, want %s", tc.n, tc.alpha, cell.what, got, cell.want)
			}
		}
	}
}

// as writes a number in the form and with the digits of a published figure.
func as(figure string, x float64) string {
	mantissa, _, scientific := strings.Cut(figure, "e")
	_, decimals, _ := strings.Cut(mantissa, ".")
	if scientific {
		return strconv.FormatFloat(x, 'e', len(decimals), 64)
	}
	return strconv.FormatFloat(x, 'f', len(decimals), 64)
}

func TestPValueDecidesAsTheBandDoes(t *testing.T) {
	for _, p0 := range []float64{0.5, 1.0 / 3, 0.9} {
		lo, hi, _ := Band(300, p0, 1e-4)
		for k := 0; k <= 300; k++ {
			inside, accepted := lo <= k && k <= hi, PValue(k, 300, p0) >= 1e-4
			low, high := Interval(k, 300, 1e-4)
			covered := low <= p0 && p0 <= high
			if inside != accepted || inside != covered {
				t.Errorf("p0 %g, k %d: in band %v, accepted by p-value %v, interval %g..%g covers %v", p0, k, inside, accepted, low, high, covered)
			}
		}
	}
}

func TestPValueOfTheFarthestOutcomes(t *testing.T) {
	if got, want := PValue(600, 600, 0.5), math.Pow(2, -599); !near(got, want, 1e-9) {
		t.Errorf("600 of 600: %g, want 2^-599 = %g", got, want)
	}
	if got := PValue(300, 600, 0.5); got != 1 {
		t.Errorf("300 of 600: %g, want 1", got)
	}
	for _, tc := range []struct {
		k    int
		p0   float64
		want float64
	}{{0, 0, 1}, {1, 0, 0}, {10, 1, 1}, {9, 1, 0}} {
		if got := PValue(tc.k, 10, tc.p0); got != tc.want {
			t.Errorf("%d of 10 at a share of %g: %g, want %g", tc.k, tc.p0, got, tc.want)
		}
	}
}

func TestIntervalOfKnownCases(t *testing.T) {
	// 0 of n: the upper limit is 1 - (alpha/2)^(1/n).
	if low, high := Interval(0, 20, 0.05); low != 0 || !near(high, 1-math.Pow(0.025, 1.0/20), 1e-9) {
		t.Errorf("0 of 20: %g..%g", low, high)
	}
	if low, high := Interval(20, 20, 0.05); !near(low, math.Pow(0.025, 1.0/20), 1e-9) || high != 1 {
		t.Errorf("20 of 20: %g..%g", low, high)
	}
	low, high := Interval(300, 600, 0.05)
	if !near(Upper(300, 600, low), 0.025, 1e-9) || !near(Lower(300, 600, high), 0.025, 1e-9) || !near(low, 1-high, 1e-9) {
		t.Errorf("300 of 600: %g..%g does not leave 2.5%% on each side", low, high)
	}
	if low, high := Interval(0, 0, 0.05); low != 0 || high != 1 {
		t.Errorf("nothing seen: %g..%g, want 0..1", low, high)
	}
}

func TestMissAndPowerAddUp(t *testing.T) {
	for _, share := range []float64{0.05, 0.3, 0.5, 0.61, 0.99} {
		if sum := Miss(600, 0.5, 1e-8, share) + Power(600, 0.5, 1e-8, share); !near(sum, 1, 1e-9) {
			t.Errorf("share %g: miss and power add up to %g", share, sum)
		}
	}
	e := newExact(600, 7, 10)
	if got, want := Miss(600, 0.5, 1e-8, 0.7), float(e.sum(230, 370)); !near(got, want, 1e-9) {
		t.Errorf("miss of 70/30: %g, exactly %g", got, want)
	}
}

func TestSamples(t *testing.T) {
	// These were given rounded up to tens.
	for _, tc := range []struct {
		alpha, share, miss float64
		rounded            int
	}{{1e-6, 0.7, 1e-3, 380}, {1e-6, 0.3, 1e-6, 550}, {1e-6, 0.6, 1e-3, 1580}, {1e-7, 0.7, 1e-6, 610}, {1e-7, 0.4, 1e-3, 1770}} {
		n, err := Samples(0.5, tc.alpha, tc.share, tc.miss)
		if err != nil || n > tc.rounded || n <= tc.rounded-20 {
			t.Errorf("alpha %g, share %g, miss %g: n = %d (%v), want just below %d", tc.alpha, tc.share, tc.miss, n, err, tc.rounded)
		}
		if Miss(n, 0.5, tc.alpha, tc.share) > tc.miss {
			t.Errorf("n = %d misses too much", n)
		}
		for smaller := 1; smaller < n; smaller++ {
			if Miss(smaller, 0.5, tc.alpha, tc.share) <= tc.miss {
				t.Fatalf("n = %d is not the smallest: %d is enough", n, smaller)
			}
		}
	}
	if _, err := Samples(0.5, 1e-8, 0.5, 1e-6); !errors.Is(err, ErrTooMany) {
		t.Errorf("equal shares: %v, want ErrTooMany", err)
	}
	if _, err := Samples(0.5, 1e-8, 0.5001, 1e-6); !errors.Is(err, ErrTooMany) {
		t.Errorf("almost equal shares: %v, want ErrTooMany", err)
	}
	if _, err := Samples(0.5, 0, 0.7, 1e-6); err == nil {
		t.Error("a rate of 0 was accepted")
	}
}

func TestCaught(t *testing.T) {
	for _, p0 := range []float64{0.5, 0.75} {
		below, above := Caught(600, p0, 1e-8, 1e-6)
		for _, edge := range []struct{ caught, missed float64 }{{above, above - 1e-6}, {below, below + 1e-6}} {
			if Miss(600, p0, 1e-8, edge.caught) > 1e-6 || Miss(600, p0, 1e-8, edge.missed) <= 1e-6 {
				t.Errorf("p0 %g: %g is not the edge", p0, edge.caught)
			}
		}
	}
	if below, above := Caught(10, 0.5, 1e-8, 1e-6); below != 0 || above != 1 {
		t.Errorf("10 draws: %g and %g, want nothing caught", below, above)
	}
}

func TestBandWithoutATest(t *testing.T) {
	for _, tc := range []struct {
		n      int
		p0     float64
		alpha  float64
		lo, hi int
	}{{0, 0.5, 1e-8, 0, 0}, {-1, 0.5, 1e-8, 0, 0}, {600, math.NaN(), 1e-8, 0, 600}, {600, 0.5, 0, 0, 600}, {600, 1.5, 1e-8, 0, 600}} {
		if lo, hi, rate := Band(tc.n, tc.p0, tc.alpha); lo != tc.lo || hi != tc.hi || rate != 0 {
			t.Errorf("%+v: %d..%d, %g", tc, lo, hi, rate)
		}
	}
	if lo, hi, _ := Band(600, 1, 1e-8); lo != 600 || hi != 600 {
		t.Errorf("a share of 1: %d..%d, want 600..600", lo, hi)
	}
}
