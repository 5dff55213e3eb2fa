package progress

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// look is how a part of a line stands out.
type look int

const (
	plain look = iota
	bold
	faint
	good
	bad
	under
)

// codes are the SGR sequences (ECMA-48) of the looks: of the sixteen colours, which every theme has made readable.
func (l look) codes() string {
	return map[look]string{bold: "\x1b[1m", faint: "\x1b[2m", good: "\x1b[32m", bad: "\x1b[31m", under: "\x1b[36m"}[l]
}

type span struct {
	text string
	look look
}

// Line is a row of a frame.
type Line []span

// Text is the line without colours.
func (l Line) Text() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.text)
	}
	return b.String()
}

// Colored is the line with them; every part ends as the terminal was before.
func (l Line) Colored() string {
	var b strings.Builder
	for _, s := range l {
		if c := s.look.codes(); c != "" {
			b.WriteString(c + s.text + "\x1b[0m")
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String()
}

// trimmed is the line without the blanks at its end, which would wrap where a terminal becomes narrower.
func (l Line) trimmed() Line {
	for end := len(l); end > 0; end-- {
		if text := strings.TrimRight(l[end-1].text, " "); text != "" {
			return append(l[:end-1:end-1], span{text, l[end-1].look})
		}
	}
	return nil
}

// columnsOf is how wide a text is at most: what is not ASCII may take two columns, and counts so.
func columnsOf(text string) int {
	sum := 0
	for _, r := range text {
		sum += columnsOfRune(r)
	}
	return sum
}

func columnsOfRune(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	return 2
}

const cutMark = ".."

// clip makes one line of a text that is no wider: line ends and control characters become blanks, and what is cut off is
// marked.
func clip(text string, width int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if columnsOf(text) <= width {
		return text
	}
	mark := cutMark
	if width < 2*len(cutMark) {
		mark = ""
	}
	sum := 0
	for i, r := range text {
		if sum += columnsOfRune(r); sum > width-len(mark) {
			return text[:i] + mark
		}
	}
	return text
}

// pad clips a text and fills it up with blanks to that width.
func pad(text string, width int) string {
	text = clip(text, width)
	return text + strings.Repeat(" ", max(width-columnsOf(text), 0))
}
