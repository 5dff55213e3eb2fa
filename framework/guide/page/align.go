package page

import "slices"

// pair is the indexes of an entry of the data and of the page that are the same.
type pair struct{ want, got int }

// align gives the longest sequence of entries that both have in the same order.
func align(want, got []entry) []pair {
	best := make([][]int, len(want)+1)
	for i := range best {
		best[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if want[i].same(got[j]) {
				best[i][j] = max(best[i][j], best[i+1][j+1]+1)
			}
		}
	}
	var pairs []pair
	for i, j := 0, 0; i < len(want) && j < len(got); {
		switch {
		case want[i].same(got[j]) && best[i][j] == best[i+1][j+1]+1:
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
		case best[i+1][j] >= best[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// leftover is an entry without its like, and the gap between pairs in which it stands.
type leftover struct {
	entry
	gap int
	// before is the line of the page after which a missing entry should stand.
	before int
}

// leftovers gives what the pairs leave of the data and of the page.
func leftovers(want, got []entry, pairs []pair) (missing, extra []leftover) {
	ends := append(slices.Clone(pairs), pair{len(want), len(got)})
	i, j, line := 0, 0, 1
	for gap, end := range ends {
		for ; i < end.want; i++ {
			missing = append(missing, leftover{want[i], gap, line})
		}
		for ; j < end.got; j++ {
			extra = append(extra, leftover{got[j], gap, line})
		}
		if end.got < len(got) {
			line = got[end.got].line
		}
		i, j = end.want+1, end.got+1
	}
	return missing, extra
}

// alike gives how much of two texts is the same, from 0 to 1, by their words in order.
func alike(a, b []string) float64 {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	if len(a)+len(b) == 0 {
		return 1
	}
	return 2 * float64(row[len(b)]) / float64(len(a)+len(b))
}
