package stats

import "testing"

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		n            int
		share, alpha float64
		want         string
	}{
		{600, 0.5, 1e-8, "With 600 calls per direction, 230 to 370 may be answered by the caller's own version (expected share 0.5, rate 1e-08): " +
			"a mesh that conforms fails by chance in 1 of 140 million checks, and 60/40 is caught in 19.1%, 65/35 in 95.2%, " +
			"70/30 in all but 1 of 130,000."},
		{2000, 1.0 / 3, 1e-8, "With 2,000 calls per direction, 548 to 789 may be answered by the caller's own version (expected share 0.3333, rate 1e-08): " +
			"a mesh that conforms fails by chance in 1 of 110 million checks, and a share 10 points off is caught in all but 1 of 4,200, " +
			"a share 15 points off in all but 1 of over a trillion, a share 20 points off in all but 1 of over a trillion."},
		{60, 0.5, 1e-8, "With 60 calls per direction, 9 to 51 may be answered by the caller's own version (expected share 0.5, rate 1e-08): " +
			"a mesh that conforms fails by chance in 1 of 190 million checks, and 60/40 is caught in 1 of 160,000, 65/35 in 1 of 6,800, " +
			"70/30 in 0.221%."},
		{20, 0.5, 1e-8, "20 calls per direction cannot fail at a rate of 1e-08, whatever they show: use at least 28."},
		{600, 1, 1e-8, "With an expected share of 1 nothing is left to chance: all of 600 calls must be answered by the same side."},
		{0, 0.5, 1e-8, "No test can be made of 0 calls, an expected share of 0.5 and a rate of 1e-08."},
	} {
		if got := Explain(tc.n, tc.share, tc.alpha); got != tc.want {
			t.Errorf("%d calls, share %g, rate %g:\n%s\nwant\n%s", tc.n, tc.share, tc.alpha, got, tc.want)
		}
	}
}

func TestExplainSpeaksOfTheSideThatIsCaughtLess(t *testing.T) {
	for _, share := range []float64{0.05, 0.2, 1.0 / 3, 0.6, 0.95} {
		for _, off := range offBy() {
			worst := Power(400, share, 1e-6, harder(400, share, 1e-6, off))
			for _, p := range []float64{share - off, share + off} {
				if p >= 0 && p <= 1 && Power(400, share, 1e-6, p) < worst*(1-1e-9) {
					t.Errorf("expected %g: %g is caught less (%g) than what is spoken of (%g)", share, p, Power(400, share, 1e-6, p), worst)
				}
			}
		}
	}
}

func TestMany(t *testing.T) {
	for _, tc := range []struct {
		x    float64
		want string
	}{{7, "7"}, {25.3, "25"}, {999, "1,000"}, {4249, "4,200"}, {126_600, "130,000"}, {1.349e8, "130 million"}, {5e10, "50 billion"}, {1e300, "over a trillion"}} {
		if got := many(tc.x); got != tc.want {
			t.Errorf("%g: %s, want %s", tc.x, got, tc.want)
		}
	}
	if got := grouped(-1234567); got != "-1,234,567" {
		t.Errorf("-1234567: %s", got)
	}
}

func TestFewest(t *testing.T) {
	for _, tc := range []struct {
		share, alpha float64
		want         int
	}{{0.5, 1e-8, 28}, {0.5, 0.05, 6}, {0.1, 0.05, 2}, {0.9, 0.05, 2}} { // 2*0.1^2 = 0.02: both answers the rare ones
		if got := Fewest(tc.share, tc.alpha); got != tc.want {
			t.Errorf("share %g, rate %g: %d, want %d", tc.share, tc.alpha, got, tc.want)
		}
	}
}
