package guide

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/meshproof/meshproof/framework/intent"
)

//go:embed script.sh.tmpl
var scriptTemplate string

// scriptCommand is a Command as the template takes it: its words are quoted and its notes are lines.
type scriptCommand struct {
	ID, Title, Text, Says string
	Notes                 []string
}

// Script gives the commands of a cell as a bash script for a person: literal ones are those that the guide prints,
// corrected ones name each deviation and its reason. The guide's placeholders are its variables.
func Script(m Matrix, cell Cell, mode intent.Mode) (string, error) {
	commands, err := Commands(cell.Words, mode)
	if err != nil {
		return "", err
	}
	var known terminalFile
	if err := load("terminal.yaml", &known); err != nil {
		return "", err
	}
	page := struct {
		Page         Page
		Platform, CA string
		Mode         intent.Mode
		About        []string
		Placeholders []Placeholder
		Files        []string
		Commands     []scriptCommand
	}{Page: m.Page, Platform: cell.Platform, CA: cell.CA, Mode: mode, Files: known.Files, About: about(m, cell, mode)}
	for _, p := range known.Placeholders {
		used := false
		for i := range commands {
			used = used || p.in(commands[i].Text)
			commands[i].Text = p.asVariable(commands[i].Text)
			for d := range commands[i].Deviations {
				commands[i].Deviations[d].Run = p.asVariable(commands[i].Deviations[d].Run)
			}
		}
		if used {
			page.Placeholders = append(page.Placeholders, p)
		}
	}
	for _, c := range commands {
		s := scriptCommand{ID: c.ID, Title: quoted(c.Title), Text: c.Text, Notes: c.notes()}
		if c.Says != "" {
			s.Says = quoted(c.Says)
		}
		page.Commands = append(page.Commands, s)
	}
	t, err := template.New("script").Parse(scriptTemplate)
	if err != nil {
		return "", fmt.Errorf("read the template of the guide's script: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, page); err != nil {
		return "", fmt.Errorf("print the guide's script for %s with %s: %w", cell.Platform, cell.CA, err)
	}
	return out.String(), nil
}

// about is what a person should know before the first command.
func about(m Matrix, cell Cell, mode intent.Mode) []string {
	text := "The commands are the guide's, word for word, in its order; only its placeholders have become variables."
	if mode == intent.Corrected {
		text = "The commands are the guide's; where one deviates, a comment names what the guide prints and why that was changed."
	}
	for _, ca := range m.CAs {
		if ca.ID == cell.CA {
			text += " Before it begins: " + ca.Precondition + "."
		}
	}
	return wrapped(text)
}

// notes are the comments above a command.
func (c Command) notes() []string {
	var all []string
	for _, d := range c.Deviations {
		because := d.Reason
		if d.Finding != "" {
			because += " (finding " + d.Finding + ")"
		}
		all = append(all, "Deviation: the guide prints: "+oneLine(d.Printed), "           here stands:      "+oneLine(d.Run))
		all = append(all, wrapped("Reason: "+because)...)
	}
	if c.Added != "" {
		all = append(all, wrapped("Deviation: added, the guide has nothing here. Reason: "+c.Added)...)
	}
	return all
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// wrapped breaks a text into lines of a script's comment.
func wrapped(text string) []string {
	const width = 110
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
