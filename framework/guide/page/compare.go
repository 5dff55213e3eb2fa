package page

import (
	"fmt"
	"slices"
	"strings"
)

// compare gives the differences: what has moved, what has changed, and what is missing or unknown.
func compare(want, got []entry, pairs []pair) []Drift {
	missing, extra := leftovers(want, got, pairs)
	var drifts []Drift
	say := func(line int, format string, args ...any) {
		drifts = append(drifts, Drift{Line: line, Text: fmt.Sprintf(format, args...)})
	}
	missing = slices.DeleteFunc(missing, func(m leftover) bool {
		at := slices.IndexFunc(extra, func(x leftover) bool { return x.same(m.entry) })
		if at < 0 {
			return false
		}
		say(extra[at].line, "moved: %s stands here; the data have it after line %d", name(m.entry), m.before)
		extra = slices.Delete(extra, at, at+1)
		return true
	})
	missing = slices.DeleteFunc(missing, func(m leftover) bool {
		at := closest(m, extra)
		if at < 0 {
			return false
		}
		say(extra[at].line, "changed: %s", change(m.entry, extra[at].entry))
		extra = slices.Delete(extra, at, at+1)
		return true
	})
	for _, m := range missing {
		say(m.before, "missing after this line: %s", name(m.entry))
	}
	for _, x := range extra {
		say(x.line, "unknown: %s", unknown(x.entry))
	}
	return drifts
}

// closest gives the index of what has taken the place of a missing entry; -1 when nothing has.
func closest(m leftover, extra []leftover) int {
	// least is how much of the words must be the same; names take each other's place whatever they are.
	least := map[kind]float64{command: 0.5, output: 0.3}[m.kind]
	best, at := least, -1
	for i, x := range extra {
		if x.gap != m.gap || x.kind != m.kind {
			continue
		}
		if share := alike(strings.Fields(m.text), strings.Fields(x.text)); at < 0 && share >= best || share > best {
			best, at = share, i
		}
	}
	return at
}

// name says which entry of the data is meant.
func name(e entry) string {
	switch e.kind {
	case platform:
		return fmt.Sprintf("the platform %q (%s)", e.shown, e.about)
	case section:
		return fmt.Sprintf("the title %q (%s)", e.shown, e.about)
	case tab:
		return fmt.Sprintf("the tab %q (%s)", e.shown, e.about)
	case command:
		return fmt.Sprintf("%s: `%s`", e.about, e.shown)
	}
	return fmt.Sprintf("%s: %q", e.about, e.shown)
}

// change says which entry of the data is meant, and what stands on the page instead.
func change(want, got entry) string {
	if want.kind != command {
		return fmt.Sprintf("%s: the page has %q", name(want), got.shown)
	}
	old, now := different(strings.Fields(want.text), strings.Fields(got.text))
	switch {
	case old == "" && now == "":
		return fmt.Sprintf("%s: the page has other blanks in its quotes: `%s`", want.about, got.shown)
	case old == "":
		return fmt.Sprintf("%s: the page adds `%s`", want.about, now)
	case now == "":
		return fmt.Sprintf("%s: the page no longer has `%s`", want.about, old)
	}
	return fmt.Sprintf("%s: the page has `%s` instead of `%s`", want.about, now, old)
}

// different gives the words in which two texts differ, with the flag that they belong to.
func different(a, b []string) (inA, inB string) {
	begin := 0
	for begin < len(a) && begin < len(b) && a[begin] == b[begin] {
		begin++
	}
	end := 0
	for end < len(a)-begin && end < len(b)-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	inA, inB = strings.Join(a[begin:len(a)-end], " "), strings.Join(b[begin:len(b)-end], " ")
	if begin > 0 && strings.HasPrefix(a[begin-1], "-") && inA != "" && inB != "" {
		inA, inB = a[begin-1]+" "+inA, b[begin-1]+" "+inB
	}
	return inA, inB
}

// unknown says what the page has that the data do not.
func unknown(e entry) string {
	switch e.kind {
	case platform:
		return fmt.Sprintf("the data know no platform %q", e.shown)
	case tab:
		return fmt.Sprintf("the data know no tab %q at this place", e.shown)
	case section:
		return fmt.Sprintf("the data do not have the title %q at this place", e.shown)
	case command:
		return fmt.Sprintf("the data do not have this command at this place: `%s`", e.shown)
	}
	return fmt.Sprintf("the data have neither a command nor an output like this: %q", e.shown)
}
