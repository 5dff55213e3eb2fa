package html

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clipped is a text that may be too long for its place: then Head and Tail are its ends, at whole words, and the page
// offers All beside them. An error's end is as telling as its beginning.
type clipped struct{ Head, Tail, All string }

// Lengths in characters that stay whole: on the first screen, where a text is looked for, and where it stands a second time.
const (
	firstScreen = 420
	inPlace     = 700
	toldAgain   = 200
)

func clip(s string, most int) clipped {
	line := oneLine(s)
	if utf8.RuneCountInString(line) <= most {
		return clipped{Head: line}
	}
	runes := []rune(line)
	head, tail := string(runes[:most/2]), string(runes[len(runes)-most/2:])
	if at := strings.LastIndexByte(head, ' '); at > 0 {
		head = head[:at]
	}
	if at := strings.IndexByte(tail, ' '); at >= 0 {
		tail = tail[at+1:]
	}
	return clipped{Head: head, Tail: tail, All: s}
}

// oneLine parts the lines of joined errors as clauses are parted: HTML would run them together.
func oneLine(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "; ")
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	s = upperFirst(s)
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func upperFirst(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// plural gives "1 pod", "2 pods".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// percent gives a length in an SVG that is as wide as its place: "38.33%". Nothing of nothing is nothing.
func percent[N int | int64 | float64](part, whole N) string {
	if whole == 0 {
		return "0%"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 2, 64) + "%"
}

// share gives a share for a person: "51.3 %".
func share(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }

// seconds gives a duration for a person: "0.5 ms", "380 ms", "4.3 s", "3 min 44 s".
func seconds(s float64) string {
	switch {
	case s < 0:
		return "unknown"
	case s < 0.01:
		return strconv.FormatFloat(1000*s, 'f', 1, 64) + " ms"
	case s < 0.9995:
		return strconv.FormatFloat(1000*s, 'f', 0, 64) + " ms"
	case s < 9.95:
		return strconv.FormatFloat(s, 'f', 1, 64) + " s"
	case s < 59.5:
		return strconv.FormatFloat(s, 'f', 0, 64) + " s"
	}
	whole := int(s + 0.5)
	if whole%60 == 0 {
		return fmt.Sprintf("%d min", whole/60)
	}
	return fmt.Sprintf("%d min %d s", whole/60, whole%60)
}

// link is a file beside the page. Href is empty for a name that leads out of the report: then only the name is shown.
type link struct{ Name, Href string }

func linkTo(dir, file string) link {
	l := link{Name: file}
	if filepath.IsLocal(filepath.FromSlash(file)) && !strings.Contains(file, `\`) {
		l.Href = (&url.URL{Path: path.Join(dir, file)}).String()
	}
	return l
}

// short is the beginning of a digest, as findings name it.
func short(digest string) string {
	if len(digest) > 16 {
		return digest[:16] + "…"
	}
	return digest
}
