package html

import (
	"fmt"
	"strings"
)

type point [2]int

// layout is where everything of a drawing goes. The two clusters mirror each other, so that no edge crosses another: the
// caller of one side stands opposite the gateway of the other.
type layout struct {
	class string
	w, h  int
	// size of a node.
	size  point
	sides [2]side
}

// side is one cluster's half.
type side struct {
	box   [4]int // x, y, width, height
	title point
	// nodes are the upper left corners of sleep, gateway and helloworld.
	nodes [3]point
	// cross leads from sleep to the other side's gateway, onward from that gateway to its helloworld, local to the own
	// helloworld, bypass to the other side's helloworld round its gateway.
	cross, onward, local, bypass []point
	// crossLabel holds the first line of words and the second; the next ones follow it.
	crossLabel [2]point
	anchor     string
	localLabel point
}

const lineHeight = 15

func wide() layout {
	return layout{class: "wide", w: 960, h: 272, size: point{160, 64}, sides: [2]side{
		{
			box: [4]int{8, 8, 404, 256}, title: point{28, 36}, nodes: [3]point{{236, 64}, {236, 176}, {28, 176}},
			cross: []point{{396, 96}, {564, 96}}, onward: []point{{724, 96}, {772, 96}}, local: []point{{236, 96}, {108, 96}, {108, 176}},
			bypass:     []point{{396, 96}, {556, 96}, {556, 54}, {852, 54}, {852, 64}},
			crossLabel: [2]point{{480, 86}, {480, 115}}, anchor: "middle", localLabel: point{150, 86},
		},
		{
			box: [4]int{548, 8, 404, 256}, title: point{568, 36}, nodes: [3]point{{564, 176}, {564, 64}, {772, 64}},
			cross: []point{{564, 208}, {396, 208}}, onward: []point{{236, 208}, {188, 208}}, local: []point{{724, 208}, {852, 208}, {852, 128}},
			bypass:     []point{{564, 208}, {404, 208}, {404, 250}, {108, 250}, {108, 240}},
			crossLabel: [2]point{{480, 198}, {480, 227}}, anchor: "middle", localLabel: point{810, 226},
		},
	}}
}

func tall() layout {
	return layout{class: "tall", w: 360, h: 520, size: point{152, 58}, sides: [2]side{
		{
			box: [4]int{4, 4, 352, 206}, title: point{20, 30}, nodes: [3]point{{20, 138}, {188, 138}, {188, 44}},
			cross: []point{{44, 196}, {44, 324}}, onward: []point{{44, 382}, {44, 418}}, local: []point{{96, 138}, {96, 73}, {188, 73}},
			bypass:     []point{{44, 196}, {44, 316}, {12, 316}, {12, 447}, {20, 447}},
			crossLabel: [2]point{{54, 228}, {54, 243}}, anchor: "start", localLabel: point{100, 64},
		},
		{
			box: [4]int{4, 310, 352, 206}, title: point{200, 502}, nodes: [3]point{{188, 324}, {20, 324}, {20, 418}},
			cross: []point{{212, 324}, {212, 196}}, onward: []point{{212, 138}, {212, 102}}, local: []point{{264, 382}, {264, 447}, {172, 447}},
			bypass:     []point{{212, 324}, {212, 204}, {348, 204}, {348, 73}, {340, 73}},
			crossLabel: [2]point{{222, 250}, {222, 265}}, anchor: "start", localLabel: point{260, 464},
		},
	}}
}

// place puts a node and its words where they go.
func (l layout) place(n node, at point) node {
	n.X, n.Y, n.W, n.H = at[0], at[1], l.size[0], l.size[1]
	for i := range n.Lines {
		n.Lines[i].X, n.Lines[i].Y = n.X+12, n.Y+38+i*lineHeight
	}
	return n
}

// say puts words beside the edge that leads to the other side.
func (s side) say(words []string, of state) []label {
	var all []label
	for i, text := range words {
		at := s.crossLabel[0]
		if i > 0 {
			at = point{s.crossLabel[1][0], s.crossLabel[1][1] + (i-1)*lineHeight}
		}
		all = append(all, label{at[0], at[1], text, s.anchor, of})
	}
	return all
}

// lineOf draws an edge through its points, which lie at right angles, with a head at the last one. An edge that does not
// work has a cross on its first long part.
func lineOf(through []point, of state) line {
	var path []string
	for i, p := range through {
		command := "L"
		if i == 0 {
			command = "M"
		}
		path = append(path, fmt.Sprintf("%s%d %d", command, p[0], p[1]))
	}
	last, before := through[len(through)-1], through[len(through)-2]
	dx, dy := sign(last[0]-before[0]), sign(last[1]-before[1])
	head := fmt.Sprintf("M%d %d L%d %d L%d %d Z", last[0], last[1],
		last[0]-9*dx+5*dy, last[1]-9*dy+5*dx, last[0]-9*dx-5*dy, last[1]-9*dy-5*dx)
	l := line{Path: strings.Join(path, " "), Head: head, State: of}
	if of == broken {
		x, y := (through[0][0]+through[1][0])/2, (through[0][1]+through[1][1])/2
		l.Cross = fmt.Sprintf("M%d %d L%d %d M%d %d L%d %d", x-6, y-6, x+6, y+6, x-6, y+6, x+6, y-6)
	}
	return l
}

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}
