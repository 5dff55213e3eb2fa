package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/meshproof/meshproof/framework/stats"
)

//go:embed picture.svg.tmpl
var pictureText string

// The plot's area, in the picture's units, and the shares that it spans, in percent.
const (
	left, right, top, bottom = 70.0, 690.0, 60.0, 380.0
	fromShare, toShare       = 50, 80
)

type curve struct {
	Label, Color, Dash, Points string
	LegendY                    float64
}

type dot struct{ X, Y string }

type tick struct {
	At   string
	Text string
}

// picture draws the probability with which each true share is caught, for each sample size, and what was simulated.
func picture(r record) ([]byte, error) {
	data := struct {
		Left, Right, Top, Bottom float64
		Curves                   []curve
		Dots                     []dot
		Shares, Chances          []tick
		LegendY                  float64
		Runs                     string
	}{Left: left, Right: right, Top: top, Bottom: bottom}
	styles := []struct{ color, dash string }{{"#8a3ffc", "2 4"}, {"#b45309", "8 4"}, {"#0f62fe", "none"}, {"#0e7a4b", "12 4 2 4"}}
	for i, n := range []int{200, 400, 600, 2000} {
		var points []string
		for tenth := fromShare * 10; tenth <= toShare*10; tenth += 2 {
			share := float64(tenth) / 1000
			points = append(points, x(share)+","+y(stats.Power(n, 0.5, 1e-8, share)))
		}
		data.Curves = append(data.Curves, curve{Label: fmt.Sprintf("%d calls", n), Color: styles[i].color, Dash: styles[i].dash,
			Points: strings.Join(points, " "), LegendY: 270 + 20*float64(i)})
	}
	for _, p := range []int{60, 65, 70} {
		s, err := r.find(routeScene(p))
		if err != nil {
			return nil, err
		}
		data.Dots = append(data.Dots, dot{x(float64(p) / 100), y(float64(s.Outside[0]) / float64(s.Runs))})
		data.Runs = fmt.Sprintf("%d calls, simulated", calls)
	}
	data.LegendY = 350
	for p := fromShare; p <= toShare; p += 5 {
		data.Shares = append(data.Shares, tick{x(float64(p) / 100), fmt.Sprintf("%d/%d", p, 100-p)})
	}
	for p := 0; p <= 100; p += 20 {
		data.Chances = append(data.Chances, tick{y(float64(p) / 100), fmt.Sprintf("%d%%", p)})
	}
	t, err := template.New("picture").Parse(pictureText)
	if err != nil {
		return nil, fmt.Errorf("read the picture's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("fill the picture's template: %w", err)
	}
	return b.Bytes(), nil
}

func x(share float64) string {
	return fmt.Sprintf("%.1f", left+(share-fromShare/100.0)/((toShare-fromShare)/100.0)*(right-left))
}

func y(probability float64) string { return fmt.Sprintf("%.1f", bottom-probability*(bottom-top)) }
