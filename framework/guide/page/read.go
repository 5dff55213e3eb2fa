package page

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	item = regexp.MustCompile(`^(\s*)((?:[-*+•◦・]|[0-9]+[.)])\s+)(.*)$`)
	// sentence is how a line of prose ends, in Latin and in Japanese letters.
	sentence = regexp.MustCompile(`\p{L}["')]*[.:,;]$|[。、：]$`)
	// columns are those of a table that a program prints.
	columns = regexp.MustCompile(`\S {2,}\S.* {2,}\S`)
	// capital begins an English sentence; a column's title is in capitals throughout.
	capital = regexp.MustCompile(`^[A-Z][a-z]`)
)

// reader goes through a page line by line.
type reader struct {
	knowledge
	lines []string
	all   []entry
	// items are the entries of the list that is being read; it is kept if it is the list of platforms.
	items []entry
	// fence is the mark that ends the block of code that is being read; "" outside of one.
	fence string
	// after says what the line before was; prose is how far in its text begins.
	after previous
	prose int
}

type previous int

const (
	blank previous = iota
	inProse
	inCode
)

// read gives what a page has, in its order.
func (k knowledge) read(text string) []entry {
	text = strings.NewReplacer("\r\n", "\n", "\u00a0", " ", "\t", "    ").Replace(text)
	r := reader{knowledge: k, lines: strings.Split(text, "\n")}
	for at := 0; at < len(r.lines); {
		at = r.next(at)
	}
	r.endList()
	return r.dropSections(r.all)
}

// next reads what begins at a line, and gives the index of the line after it.
func (r *reader) next(at int) int {
	line := r.lines[at]
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "":
		r.after = blank
	case r.fence != "":
		if strings.HasPrefix(trimmed, r.fence) {
			r.fence = ""
			break
		}
		return r.code(at, trimmed)
	case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
		r.endList()
		r.fence, r.after = trimmed[:3], blank
	case r.commandInText(line):
		r.endList()
		return r.code(at, trimmed)
	case r.outputs[oneLine(trimmed)], r.printed(at):
		r.endList()
		return r.code(at, trimmed)
	default:
		r.text(at, line)
	}
	return at + 1
}

// code reads a command or a line of output.
func (r *reader) code(at int, trimmed string) int {
	r.after = inCode
	trimmed = strings.TrimPrefix(trimmed, "$ ")
	switch {
	case r.outputs[oneLine(trimmed)]:
	case strings.HasPrefix(trimmed, "#"): // a comment
		return at + 1
	case r.begins(trimmed):
		lines := append([]string{trimmed}, r.lines[at+1:]...)
		text, used := statement(lines, 0, r.endsCode)
		r.all = append(r.all, entry{kind: command, text: text, shown: text, line: at + 1})
		return at + used
	}
	r.all = append(r.all, entry{kind: output, text: oneLine(trimmed), shown: oneLine(trimmed), line: at + 1})
	return at + 1
}

// endsCode tells whether a line cannot belong to the command above it.
func (r *reader) endsCode(line string) bool {
	trimmed := strings.TrimSpace(line)
	if r.fence != "" {
		return strings.HasPrefix(trimmed, r.fence)
	}
	return trimmed == "" || foreign(trimmed)
}

// commandInText tells whether a command begins with a line that is in no fence.
func (r *reader) commandInText(line string) bool {
	trimmed := strings.TrimPrefix(strings.TrimSpace(line), "$ ")
	if !r.begins(trimmed) || foreign(trimmed) || sentence.MatchString(trimmed) {
		return false
	}
	return r.after != inProse || indent(line) > r.prose
}

// printed tells whether a line that is in no fence looks like code all the same: it stands next to code, is set in, or has
// columns.
func (r *reader) printed(at int) bool {
	line := r.lines[at]
	trimmed := strings.TrimSpace(line)
	above := at+1 < len(r.lines) && r.outputs[oneLine(r.lines[at+1])]
	_, name := r.known(line, 0)
	switch {
	case name, foreign(trimmed), sentence.MatchString(trimmed), item.MatchString(line):
		return false
	case r.after == inCode, above && r.after == blank:
		return true
	case r.after == inProse, strings.ContainsAny(trimmed[:1], ">|*_`[<"), capital.MatchString(trimmed) && !columns.MatchString(trimmed):
		return false
	}
	return indent(line) >= 4 || columns.MatchString(trimmed) && !strings.ContainsAny(trimmed[:1], "#=-")
}

// text reads a line of prose: an item of a list, a heading, or neither.
func (r *reader) text(at int, line string) {
	if m := item.FindStringSubmatch(line); m != nil {
		r.after, r.prose = inProse, len([]rune(m[1]+m[2]))
		r.items = append(r.items, entry{kind: platform, shown: m[3], line: at + 1})
		return
	}
	trimmed := strings.TrimSpace(line)
	if r.after == inProse && len(r.items) > 0 && indent(line) > 0 {
		r.items[len(r.items)-1].shown += " " + trimmed
		return
	}
	first := r.after != inProse
	r.after, r.prose = inProse, indent(line)
	r.endList()
	if e, ok := r.known(line, at+1); ok {
		r.all = append(r.all, e)
		return
	}
	alone := first && (at+1 == len(r.lines) || strings.TrimSpace(r.lines[at+1]) == "")
	if (alone || strings.HasPrefix(trimmed, "#")) && !sentence.MatchString(trimmed) && len([]rune(trimmed)) <= 60 {
		r.all = append(r.all, entry{kind: tab, shown: bare(line), line: at + 1}) // dropped again unless it stands among tabs
	}
}

// endList keeps the list that has ended if one of its items is a platform that the data know.
func (r *reader) endList() {
	platforms := false
	for i := range r.items {
		name := normal(r.items[i].shown)
		known, ok := r.names[platform][name]
		platforms = platforms || ok
		r.items[i].shown, r.items[i].text = bare(r.items[i].shown), known
		if !ok {
			r.items[i].text = "unknown: " + name
		}
	}
	if platforms {
		r.all = append(r.all, r.items...)
	}
	r.items = nil
}

// dropSections leaves out the headings that are not among the tabs. A heading that the data do not know is taken for a
// tab's when a tabbed command follows, or another tab's heading and this one comes after a tabbed command.
func (r *reader) dropSections(all []entry) []entry {
	var kept []entry
	among := false
	for i, e := range all {
		if e.kind != tab || e.text != "" {
			first, _, _ := strings.Cut(e.text, " ")
			among = e.kind == tab || e.kind == command && r.tabbed[first]
			kept = append(kept, e)
			continue
		}
		if i+1 == len(all) {
			break
		}
		next := all[i+1]
		first, _, _ := strings.Cut(next.text, " ")
		if next.kind == command && r.tabbed[first] || next.kind == tab && next.text != "" && among {
			e.text = "unknown: " + normal(e.shown)
			kept = append(kept, e)
		}
	}
	return kept
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// foreign tells whether a text has letters that no command has.
func foreign(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) })
}
