package page

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/meshproof/meshproof/framework/guide"
)

// knowledge is what the reader of a page goes by.
type knowledge struct {
	// names gives, by kind and normal name, the id that the data have for it.
	names    map[kind]map[string]string
	outputs  map[string]bool
	programs map[string]bool
	// tabbed are the first words of the commands that stand in tabs.
	tabbed map[string]bool
}

func learn(want []entry) (knowledge, error) {
	k := knowledge{
		names:   map[kind]map[string]string{platform: {}, section: {}, tab: {}},
		outputs: map[string]bool{}, programs: map[string]bool{}, tabbed: map[string]bool{},
	}
	m, err := guide.LoadMatrix()
	if err != nil {
		return k, err
	}
	sections, err := guide.Sections()
	if err != nil {
		return k, err
	}
	programs, err := guide.Programs()
	if err != nil {
		return k, err
	}
	for _, p := range programs {
		k.programs[p] = true
	}
	for _, i := range m.Items {
		k.name(platform, i.Titles)
	}
	for _, s := range sections {
		k.name(section, s.Titles)
	}
	for _, g := range m.Groups {
		k.name(tab, g.Titles)
		for _, t := range g.Tabs {
			k.name(tab, t.Titles)
		}
	}
	k.commands(want)
	return k, nil
}

// commands learns the outputs and the programs of what is expected, and which programs stand under a tab.
func (k knowledge) commands(want []entry) {
	under := false
	for _, e := range want {
		switch e.kind {
		case tab:
			under = true
		case section:
			under = false
		case output:
			k.outputs[e.text] = true
		case command:
			first, _, _ := strings.Cut(e.text, " ")
			k.programs[first] = true
			if under {
				k.tabbed[first] = true
			}
		}
	}
}

func (k knowledge) name(kind kind, t guide.Titles) {
	for _, n := range t.Names() {
		k.names[kind][normal(n)] = id(t)
	}
}

// known gives the entry for a line that is nothing but a name that the data know.
func (k knowledge) known(line string, at int) (entry, bool) {
	name := normal(line)
	for _, kind := range []kind{tab, section, platform} {
		if id, ok := k.names[kind][name]; ok {
			return entry{kind: kind, text: id, shown: bare(line), line: at}, true
		}
	}
	return entry{}, false
}

var (
	link   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	anchor = regexp.MustCompile(`\s*\{#[^}]*\}\s*$`)
	marks  = regexp.MustCompile("^#+\\s+|\\s+#+$|\\*\\*|__|`")
)

// bare takes the marks of Markdown off a heading or an item.
func bare(line string) string {
	line = link.ReplaceAllString(anchor.ReplaceAllString(strings.TrimSpace(line), ""), "$1")
	return strings.TrimSpace(marks.ReplaceAllString(line, ""))
}

// normal is a name without regard to case, punctuation and marks.
func normal(name string) string {
	words := strings.FieldsFunc(strings.ToLower(bare(name)), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r)
	})
	return strings.Join(words, " ")
}
