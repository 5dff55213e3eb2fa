package main

import (
	"fmt"

	"github.com/meshproof/meshproof/framework/stats/picker"
)

// refusedOneIn is the part of the attempts at the remote endpoint that is refused in that scene: a fifth.
const refusedOneIn = 5

// workerCounts are the sizes of Envoy that are tried where the workers matter.
func workerCounts() []int { return []int{1, 2, 4} }

// scenes lists everything that is simulated. A scene's place is part of its seed: add new ones at the end.
func scenes() []scene {
	decidable := []float64{1e-2, 1e-3}
	declared := []float64{1e-8}
	all := []scene{{name: "equal weights", runs: million, share: 0.5, alphas: decidable, start: func(draw picker.Draw) (func() (int, error), error) {
		return repeat(picker.New([]int{1, 1}, draw))
	}}}
	for _, percent := range []int{60, 65, 70} {
		all = append(all, scene{name: routeScene(percent), runs: million, share: 0.5, alphas: declared,
			start: func(draw picker.Draw) (func() (int, error), error) {
				return repeat(picker.NewRoute([]int{percent, 100 - percent}, draw), nil)
			}})
	}
	all = append(all, scene{name: "refused", runs: million, share: 0.5, alphas: declared, start: func(draw picker.Draw) (func() (int, error), error) {
		inner, err := picker.New([]int{1, 1}, draw)
		return repeat(picker.Refusing{Picker: inner, Endpoint: 1, OneIn: refusedOneIn, Draw: draw}, err)
	}})
	for _, weights := range unequal() {
		total := 0
		for _, w := range weights {
			total += w
		}
		for _, workers := range workerCounts() {
			all = append(all, scene{name: unequalScene(weights, workers), runs: fewer, share: float64(weights[0]) / float64(total), alphas: decidable,
				start: func(draw picker.Draw) (func() (int, error), error) {
					return func() (int, error) {
						s, err := picker.NewSidecar(weights, workers, draw)
						if err != nil {
							return 0, err
						}
						return count(calls, func() bool { return s.Pick() == 0 }), nil
					}, nil
				}})
		}
	}
	for _, workers := range workerCounts() {
		for _, pod := range []bool{false, true} {
			all = append(all, scene{name: backendScene(workers, pod), runs: fewer, share: 1.0 / 3, alphas: decidable,
				start: func(draw picker.Draw) (func() (int, error), error) {
					return func() (int, error) { return behindGateways(workers, pod, draw) }, nil
				}})
		}
	}
	return all
}

// unequal lists the weights that are tried, the caller's own endpoint first: three gateway addresses beside an own endpoint
// that stands for all of them, and two pods behind one gateway address beside one pod of the caller's cluster.
func unequal() [][]int { return [][]int{{3, 1, 1, 1}, {1, 2}} }

func routeScene(percent int) string { return fmt.Sprintf("route %d/%d", percent, 100-percent) }

func unequalScene(weights []int, workers int) string {
	return fmt.Sprintf("weights %v, %d workers", weights, workers)
}

func backendScene(workers int, pod bool) string {
	if pod {
		return fmt.Sprintf("a remote pod, %d workers", workers)
	}
	return fmt.Sprintf("a gateway address, %d workers", workers)
}

// repeat makes runs of one picker that keeps nothing between calls, and counts the first endpoint.
func repeat(p picker.Picker, err error) (func() (int, error), error) {
	if err != nil {
		return nil, err
	}
	return func() (int, error) { return count(calls, func() bool { return p.Pick() == 0 }), nil }, nil
}

// behindGateways makes one run against one own pod and two gateway addresses, all of the same weight, with two pods that
// both are reached through either address. It counts the calls to the first address, or to the first remote pod.
func behindGateways(workers int, pod bool, draw picker.Draw) (int, error) {
	s, err := picker.NewSidecar([]int{1, 1, 1}, workers, draw)
	if err != nil {
		return 0, err
	}
	gateways := []*picker.Gateway{nil, picker.NewGateway(2, draw), picker.NewGateway(2, draw)}
	return count(calls, func() bool {
		worker, endpoint := s.Call()
		if !pod {
			return endpoint == 1
		}
		return endpoint > 0 && gateways[endpoint].Backend(worker) == 0
	}), nil
}
