package page

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// statement gives the shell statement that begins at a line, in one line, and the index of the line after it. It goes on
// to further lines for as long as the shell would read on, and ends before a line that stop holds for. A text that is no
// statement is given as it is.
func statement(lines []string, begin int, stop func(line string) bool) (text string, end int) {
	var raw strings.Builder
	for end = begin; end < len(lines); {
		line := strings.TrimRight(lines[end], " \t")
		raw.WriteString(line + "\n")
		end++
		if strings.HasSuffix(line, `\`) && end < len(lines) && !stop(lines[end]) {
			continue
		}
		file, err := syntax.NewParser().Parse(strings.NewReader(raw.String()), "")
		if err == nil {
			return printed(file, raw.String()), end
		}
		if !syntax.IsIncomplete(err) || end == len(lines) || stop(lines[end]) {
			break
		}
	}
	return oneLine(raw.String()), end
}

// printed gives a program in one line with the shell's own spacing.
func printed(file *syntax.File, raw string) string {
	var out strings.Builder
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&out, file); err != nil {
		return oneLine(raw)
	}
	return strings.TrimSpace(out.String())
}

var (
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	// path is a program by its place: ./asmcli, ../x, ~/x, ${DIR}/x, a/b/c.sh.
	path = regexp.MustCompile(`^(\.{1,2}/|~/|/|\$\{?[A-Za-z_]+\}?/)|^[^/]+/.*(\.sh|\.py|istioctl|asmcli)$`)
)

// begins tells whether a command begins with the text, by its first word.
func (k knowledge) begins(text string) bool {
	first, _, _ := strings.Cut(text, " ")
	return k.programs[first] || assignment.MatchString(first) || path.MatchString(first)
}
