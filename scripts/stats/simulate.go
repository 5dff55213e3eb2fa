package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/meshproof/meshproof/framework/stats"
	"github.com/meshproof/meshproof/framework/stats/picker"
)

const (
	// seed of every simulation; each has a stream of random numbers of its own.
	seed = 20260901
	// calls of a run: the default of --samples.
	calls = 600

	million = 1_000_000
	fewer   = 100_000 // for what is not about a rare event

	// prefix is how many runs the check sum of a result covers, so that a test can repeat them.
	prefix = 300
)

// scene is something to simulate. Each run makes calls and counts those that go where the scene looks.
type scene struct {
	name string
	runs int
	// share is what the test expects; alphas are the rates at which it is made.
	share  float64
	alphas []float64
	// start gives the function that makes one run.
	start func(picker.Draw) (func() (int, error), error)
}

// result is what was seen.
type result struct {
	Name   string    `json:"name"`
	Runs   int       `json:"runs"`
	Calls  int       `json:"calls"`
	Share  float64   `json:"share"`
	Alphas []float64 `json:"alphas"`
	// Outside counts, for each of the alphas, the runs whose count is outside the band.
	Outside []int `json:"outside"`
	// Mean and SD are those of the counts; SD is about the expected count, not about the mean.
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
	// Prefix is the sum of the counts of the first runs.
	Prefix int `json:"prefix"`
}

// record holds the results of all scenes, in order.
type record struct {
	Results []result `json:"results"`
}

func (s scene) simulate(stream, runs int) (result, error) {
	r := result{Name: s.name, Runs: runs, Calls: calls, Share: s.share, Alphas: s.alphas, Outside: make([]int, len(s.alphas))}
	one, err := s.start(rand.New(rand.NewPCG(seed, uint64(stream))).IntN)
	if err != nil {
		return r, fmt.Errorf("simulate %s: %w", s.name, err)
	}
	type band struct{ lo, hi int }
	var bands []band
	for _, alpha := range s.alphas {
		lo, hi, _ := stats.Band(calls, s.share, alpha)
		bands = append(bands, band{lo, hi})
	}
	sum, squares := 0, 0.0
	for i := range runs {
		k, err := one()
		if err != nil {
			return r, fmt.Errorf("simulate %s: %w", s.name, err)
		}
		sum += k
		squares += math.Pow(float64(k)-calls*s.share, 2)
		for j, b := range bands {
			if k < b.lo || k > b.hi {
				r.Outside[j]++
			}
		}
		if i < prefix {
			r.Prefix += k
		}
	}
	r.Mean, r.SD = rounded(float64(sum)/float64(runs)), rounded(math.Sqrt(squares/float64(runs)))
	return r, nil
}

// rounded keeps what a person compares, and no digit that could differ between processors.
func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

func count(n int, own func() bool) int {
	k := 0
	for range n {
		if own() {
			k++
		}
	}
	return k
}
