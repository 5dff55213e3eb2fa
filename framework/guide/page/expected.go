package page

import (
	"strings"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
)

// expected gives what the page prints by the data, in its order.
func expected() ([]entry, error) {
	m, err := guide.LoadMatrix()
	if err != nil {
		return nil, err
	}
	sections, err := guide.Sections()
	if err != nil {
		return nil, err
	}
	plain, err := guide.Commands(nil, intent.Literal)
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, i := range m.Items {
		all = append(all, entry{kind: platform, text: id(i.Titles), shown: i.Title, about: strings.Join(i.Platforms, ", ")})
	}
	for _, s := range sections {
		all = append(all, entry{kind: section, text: id(s.Titles), shown: s.TitleJA, about: s.Title})
		commands, err := sectionCommands(s.ID, plain, m)
		if err != nil {
			return nil, err
		}
		all = append(all, commands...)
	}
	return all, nil
}

// sectionCommands gives a section's commands with their outputs: the plain ones, and the tabbed ones in each tab.
func sectionCommands(section string, plain []guide.Command, m guide.Matrix) ([]entry, error) {
	var all []entry
	tabbed := false
	for _, c := range plain {
		switch {
		case c.Section != section:
		case !c.Tabbed:
			all = append(all, entriesOf(c, "")...)
		case !tabbed:
			tabbed = true
			inTabs, err := tabs(section, m)
			if err != nil {
				return nil, err
			}
			all = append(all, inTabs...)
		}
	}
	return all, nil
}

// tabs gives the tabbed commands of a section under the headings of their tabs.
func tabs(section string, m guide.Matrix) ([]entry, error) {
	var all []entry
	for _, g := range m.Groups {
		all = append(all, entry{kind: tab, text: id(g.Titles), shown: g.TitleJA, about: "the platforms of " + g.Title})
		for _, t := range g.Tabs {
			all = append(all, entry{kind: tab, text: id(t.Titles), shown: t.TitleJA, about: strings.Join(t.CAs, ", ") + " for " + g.Title})
			commands, err := guide.Commands(t.Words, intent.Literal)
			if err != nil {
				return nil, err
			}
			for _, c := range commands {
				if c.Tabbed && c.Section == section {
					all = append(all, entriesOf(c, " ("+g.Title+": "+t.Title+")")...)
				}
			}
		}
	}
	return all, nil
}

// entriesOf gives a command's statements and then the lines of its output.
func entriesOf(c guide.Command, where string) []entry {
	var all []entry
	about := c.ID + " " + c.Title + where
	lines := strings.Split(c.Text, "\n")
	for at := 0; at < len(lines); {
		text, end := statement(lines, at, func(string) bool { return false })
		all = append(all, entry{kind: command, text: text, shown: text, about: about})
		at = end
	}
	for _, l := range strings.Split(c.Output, "\n") {
		if l != "" {
			all = append(all, entry{kind: output, text: oneLine(l), shown: oneLine(l), about: "the output of " + about})
		}
	}
	return all
}

// id is the text by which a name is compared, the same for all its editions.
func id(t guide.Titles) string { return normal(t.Title) }
