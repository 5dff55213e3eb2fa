package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"text/template"

	"github.com/meshproof/meshproof/framework/stats"
	"github.com/meshproof/meshproof/framework/stats/picker"
)

//go:embed statistics.md.tmpl
var documentText string

// document fills the template; what it says in numbers is computed here or was simulated.
func document(r record) ([]byte, error) {
	t, err := template.New("statistics.md").Option("missingkey=error").Funcs(figures(r)).Parse(documentText)
	if err != nil {
		return nil, fmt.Errorf("read the document's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return nil, fmt.Errorf("fill the document's template: %w", err)
	}
	return b.Bytes(), nil
}

// figures are what the template can ask for. Shares are given in percent there, as people say them.
func figures(r record) template.FuncMap {
	return template.FuncMap{
		"sizes":  func() []int { return []int{200, 400, 600, 2000} },
		"rates":  func() []float64 { return []float64{1e-6, 1e-7, 1e-8, 1e-9} },
		"shares": func() []int { return []int{60, 65, 70, 75} },
		"band": func(n int, p0, alpha float64) string {
			lo, hi, _ := stats.Band(n, p0, alpha)
			return fmt.Sprintf("%d..%d", lo, hi)
		},
		"falseFail": func(n int, alpha float64) float64 { _, _, rate := stats.Band(n, 0.5, alpha); return rate },
		"miss": func(n int, alpha float64, percent int) float64 {
			return stats.Miss(n, 0.5, alpha, float64(percent)/100)
		},
		"power": func(n int, alpha float64, percent int) float64 {
			return stats.Power(n, 0.5, alpha, float64(percent)/100)
		},
		"cell":   cell,
		"misses": func() []float64 { return []float64{1e-3, 1e-6} },
		"beyond": func(n int, alpha, miss float64) string {
			below, above := stats.Caught(n, 0.5, alpha, miss)
			return fmt.Sprintf("below %.3f or above %.3f", math.Floor(1000*below)/1000, math.Ceil(1000*above)/1000)
		},
		"samples": func(alpha float64, percent int, miss float64) (int, error) {
			return stats.Samples(0.5, alpha, float64(percent)/100, miss)
		},
		"fewest":  func(alpha float64) int { return stats.Fewest(0.5, alpha) },
		"explain": func(n int, alpha float64) string { return stats.Explain(n, 0.5, alpha) },
		"bothSeen": func(n, percent int) float64 {
			p := float64(percent) / 100
			return 1 - math.Pow(p, float64(n)) - math.Pow(1-p, float64(n))
		},
		"times":     func(x float64, k int) float64 { return x * float64(k) },
		"upTo":      func(x float64, k int) float64 { return math.Pow(x, float64(k)) },
		"less":      func(percent int) int { return 100 - percent },
		"rate":      rate,
		"percent":   percent,
		"hidden":    func() string { return fmt.Sprintf("%.3f", picker.HiddenShare(refusedOneIn)) },
		"confirmed": func() ([]confirmation, error) { return confirmations(r) },
		"unequal":   func() ([]scatter, error) { return unequalScatter(r) },
		"backends":  func() ([]scatter, error) { return backendScatter(r) },
	}
}

// find gives the result of a scene.
func (r record) find(name string) (result, error) {
	for _, s := range r.Results {
		if s.Name == name {
			return s, nil
		}
	}
	return result{}, fmt.Errorf("nothing was simulated under the name %q: run go run ./scripts/stats", name)
}

// confirmation sets a simulated count beside the exact value.
type confirmation struct {
	What       string
	Runs, Seen int
	Exact      float64
}

// Expected is the number of runs that the exact value makes likely.
func (c confirmation) Expected() string { return fmt.Sprintf("%.1f", c.Exact*float64(c.Runs)) }

// Interval is the exact interval of the simulated rate, at a confidence of 99%.
func (c confirmation) Interval() string {
	low, high := stats.Interval(c.Seen, c.Runs, 0.01)
	return rate(low) + " to " + rate(high)
}

// PValue is that of what was seen, if the exact value is right.
func (c confirmation) PValue() float64 { return stats.PValue(c.Seen, c.Runs, c.Exact) }

// confirmations are the simulated rates that have an exact value. What is caught but for a few is counted by its misses.
func confirmations(r record) ([]confirmation, error) {
	falseFail := func(alpha float64) float64 { _, _, rate := stats.Band(calls, 0.5, alpha); return rate }
	power := func(share float64) float64 { return stats.Power(calls, 0.5, 1e-8, share) }
	var all []confirmation
	for _, row := range []struct {
		scene, what string
		band        int
		missed      bool
		exact       float64
	}{
		{"equal weights", "equal weights, outside the band of 1e-2", 0, false, falseFail(1e-2)},
		{"equal weights", "equal weights, outside the band of 1e-3", 1, false, falseFail(1e-3)},
		{routeScene(60), "60/40 by a weighted route, caught at 1e-8", 0, false, power(0.6)},
		{routeScene(65), "65/35 by a weighted route, caught at 1e-8", 0, false, power(0.65)},
		{routeScene(70), "70/30 by a weighted route, missed at 1e-8", 0, true, stats.Miss(calls, 0.5, 1e-8, 0.7)},
		{"refused", "a fifth of the remote attempts refused, caught at 1e-8", 0, false, power(picker.HiddenShare(refusedOneIn))},
	} {
		s, err := r.find(row.scene)
		if err != nil {
			return nil, err
		}
		c := confirmation{What: row.what, Runs: s.Runs, Seen: s.Outside[row.band], Exact: row.exact}
		if row.missed {
			c.Seen = c.Runs - c.Seen
		}
		all = append(all, c)
	}
	return all, nil
}

// scatter is a result whose dispersion is of interest.
type scatter struct {
	result
	What    string
	Workers int
}

// Independent is the standard deviation of as many independent draws.
func (s scatter) Independent() string {
	return fmt.Sprintf("%.2f", math.Sqrt(calls*s.Share*(1-s.Share)))
}

// Outside is the part of the runs outside the widest of the simulated bands, and Declared what that band is for.
func (s scatter) Outside() string { return percent(float64(s.result.Outside[0]) / float64(s.Runs)) }

// Declared is the exact rate of independent draws outside that band.
func (s scatter) Declared() string {
	_, _, exact := stats.Band(calls, s.Share, s.Alphas[0])
	return percent(exact)
}

func unequalScatter(r record) (all []scatter, err error) {
	for _, weights := range unequal() {
		for _, workers := range workerCounts() {
			s, err := r.find(unequalScene(weights, workers))
			if err != nil {
				return nil, err
			}
			all = append(all, scatter{s, strings.ReplaceAll(strings.Trim(fmt.Sprint(weights), "[]"), " ", ":"), workers})
		}
	}
	return all, nil
}

func backendScatter(r record) (all []scatter, err error) {
	for _, pod := range []bool{false, true} {
		for _, workers := range workerCounts() {
			s, err := r.find(backendScene(workers, pod))
			if err != nil {
				return nil, err
			}
			all = append(all, scatter{s, map[bool]string{false: "gateway address", true: "pod behind the gateways"}[pod], workers})
		}
	}
	return all, nil
}

// cell writes the probability that an imbalance is caught, or, when that is almost certain, that of a miss.
func cell(n int, alpha float64, share int) string {
	p := float64(share) / 100
	switch miss := stats.Miss(n, 0.5, alpha, p); {
	case miss < 1e-12:
		return "all but < 1e-12"
	case miss < 1e-3:
		return "all but " + rate(miss)
	default:
		return percent(stats.Power(n, 0.5, alpha, p))
	}
}

// rate writes a probability with two digits, or three where it is no small one: 7.4e-9, 0.191.
func rate(x float64) string {
	if x >= 0.01 || x == 0 {
		return fmt.Sprintf("%.3g", x)
	}
	digits, exponent, _ := strings.Cut(fmt.Sprintf("%.1e", x), "e-")
	return strings.TrimSuffix(digits, ".0") + "e-" + strings.TrimPrefix(exponent, "0")
}

func percent(x float64) string {
	if x > 0 && x < 0.001 {
		return rate(100*x) + "%"
	}
	return fmt.Sprintf("%.3g%%", 100*x)
}
