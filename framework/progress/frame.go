package progress

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Size is a terminal's, in columns and rows.
type Size struct{ Width, Height int }

const (
	gap = 2 // columns between two clusters
	// narrowest is the least width of a cluster's column; clusters that do not fit beside each other stand below.
	narrowest = 24
	// mostRows is how many steps of a cluster are shown, mostShared of those of the run as a whole, mostWaits of the waits.
	mostRows, mostShared, mostWaits = 8, 4, 3
	// mostVersion is how many columns the version has that an answer gave: whoever answers chooses it.
	mostVersion = 20
)

// Frame draws the state at a moment, for a terminal of that size: no line is wider, and there are fewer lines than rows.
func Frame(s *State, size Size, now time.Time) []Line {
	head := []Line{header(s, size.Width, now)}
	head = append(head, rows(last(s.of(""), mostShared), mostShared, size.Width, now)...)
	foot := append(splits(s, size.Width), waits(s, size.Width, now)...)
	room := size.Height - 1 - len(head) - len(foot)
	lines := head
	if body := columns(s, size.Width, room, now); len(body) <= room {
		lines = append(lines, body...)
	}
	lines = append(lines, foot...)
	lines = lines[:min(len(lines), max(size.Height-1, 1))]
	for i, l := range lines {
		lines[i] = l.trimmed()
	}
	return lines
}

func header(s *State, width int, now time.Time) Line {
	elapsed := clip(clock(now.Sub(s.began)), width)
	left := max(width-len(elapsed)-1, 0)
	title := "meshproof"
	if s.run != "" {
		title = "meshproof run " + s.run
	}
	return Line{{pad(title, left), bold}, {clip(" "+elapsed, width-left), plain}}
}

// columns draws the clusters side by side, in as many rows as there is room for.
func columns(s *State, width, room int, now time.Time) []Line {
	n := len(s.clusters)
	if n == 0 {
		return nil
	}
	beside := min(n, max(1, (width+gap)/(narrowest+gap)))
	bands := (n + beside - 1) / beside
	column := (width - gap*(beside-1)) / beside
	deepest := 0
	for _, c := range s.clusters {
		deepest = max(deepest, len(s.of(c)))
	}
	depth := max(min(mostRows, deepest, room/bands-1), 0)
	var all []Line
	for from := 0; from < n; from += beside {
		var band [][]Line
		for _, c := range s.clusters[from:min(from+beside, n)] {
			title := Line{{pad(c, column), bold}}
			band = append(band, append([]Line{title}, rows(last(s.of(c), depth), depth, column, now)...))
		}
		all = append(all, abreast(band, column)...)
	}
	return all
}

// abreast puts blocks of lines side by side.
func abreast(blocks [][]Line, width int) []Line {
	deepest := 0
	for _, b := range blocks {
		deepest = max(deepest, len(b))
	}
	var all []Line
	for row := range deepest {
		var l Line
		for i, b := range blocks {
			if i > 0 {
				l = append(l, span{strings.Repeat(" ", gap), plain})
			}
			if row < len(b) {
				l = append(l, b[row]...)
			} else {
				l = append(l, span{strings.Repeat(" ", width), plain})
			}
		}
		all = append(all, l)
	}
	return all
}

// rows draws a step a row: its mark, its words, and how long it took or takes.
func rows(steps []step, most, width int, now time.Time) []Line {
	var all []Line
	for _, x := range steps[:min(len(steps), most)] {
		mark, look, took := "> ", under, clock(now.Sub(x.began))
		if x.ended {
			mark, look, took = "+ ", good, fmt.Sprintf("%.1f s", x.took.Seconds())
		}
		if x.failed {
			mark, look = "! ", bad
		}
		words := max(width-len(mark)-len(took)-1, 0)
		all = append(all, Line{{mark, look}, {pad(x.what, words), plain}, {clip(" "+took, width-len(mark)-words), faint}})
	}
	return all
}

func last(steps []step, n int) []step { return steps[max(0, len(steps)-n):] }

// answerers are the marks of the versions in a bar, in their order; lost marks a call that helloworld did not answer.
const answerers, lost, notYet = "=#%*", "!", "."

func markOf(version int) string { return answerers[version%len(answerers):][:1] }

// splits draws who has answered each cluster's calls so far.
func splits(s *State, width int) []Line {
	var all []Line
	versions := s.versions()
	for _, c := range s.clusters {
		x, there := s.samples[c]
		if !there {
			continue
		}
		counts := ""
		for i, v := range versions {
			counts += fmt.Sprintf("%s %s %d  ", markOf(i), clip(v, mostVersion), x.answered[v])
		}
		if n := x.answered[""]; n > 0 {
			counts += fmt.Sprintf("%s lost %d  ", lost, n)
		}
		counts += fmt.Sprintf("of %d", x.asked)
		name := clip("calls from "+c+" ", width)
		room := width - columnsOf(name) - columnsOf(counts) - 3
		if room < 8 {
			all = append(all, Line{{clip(name+counts, width), plain}})
			continue
		}
		all = append(all, Line{{name + "[", plain}, {bar(x, versions, room), good}, {"] " + counts, plain}})
	}
	return all
}

// bar fills up with the marks of those who answered. Every part is rounded down, so that it is full at the end only.
func bar(x sample, versions []string, width int) string {
	b := ""
	for i, v := range versions {
		b += strings.Repeat(markOf(i), x.answered[v]*width/max(x.asked, 1))
	}
	b += strings.Repeat(lost, x.answered[""]*width/max(x.asked, 1))
	done := 0
	for _, n := range x.answered {
		done += n
	}
	if done >= x.asked && b != "" { // what rounding left
		b += strings.Repeat(b[len(b)-1:], max(width-len(b), 0))
	}
	return (b + strings.Repeat(notYet, max(width-len(b), 0)))[:width]
}

// waits draws what is waited for, and its last state: on a line of its own where both have no room in one.
func waits(s *State, width int, now time.Time) []Line {
	var all []Line
	for _, w := range s.waits[max(0, len(s.waits)-mostWaits):] {
		what := fmt.Sprintf("waiting %s: %s%s", clock(now.Sub(w.began)), on(w.cluster), w.what)
		lines := []string{what + ": " + cmp.Or(w.state, "not yet")}
		if columnsOf(lines[0]) > width {
			lines = []string{what, "  " + cmp.Or(w.state, "not yet")}
		}
		for _, l := range lines {
			all = append(all, Line{{clip(l, width), faint}})
		}
	}
	return all
}
