// Package nearest finds what a misspelt word was meant to be, for messages.
package nearest

import "strconv"

// Word gives the known word that takes the fewest edits to become word, or "" when none is near: more than half of the
// word would have to change. Of equally near ones the first counts.
func Word(word string, known []string) string {
	best, edits := "", len(word)/2+1
	for _, k := range known {
		if n := distance(word, k); n < edits {
			best, edits = k, n
		}
	}
	return best
}

// Hint is Word as the end of a sentence about what there is not: `: did you mean "network"?`, or "".
func Hint(word string, known []string) string {
	if meant := Word(word, known); meant != "" {
		return ": did you mean " + strconv.Quote(meant) + "?"
	}
	return ""
}

// distance is Levenshtein's: the fewest bytes to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
