package guide

import "regexp"

// Placeholder is a word of the guide that a person must replace.
type Placeholder struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
	// Variable is true where the guide writes it as a shell variable already.
	Variable bool `json:"variable,omitempty"`
	// Differs names a placeholder whose value must be another; "" = none.
	Differs string `json:"differs,omitempty"`
}

type terminalFile struct {
	Placeholders []Placeholder `json:"placeholders"`
	// Files are what the commands take from the working directory.
	Files []string `json:"files"`
	// Programs are words with which a command may begin.
	Programs []string `json:"programs"`
}

// Programs gives the words by which a line of a page is known for a command.
func Programs() ([]string, error) {
	var f terminalFile
	err := load("terminal.yaml", &f)
	return f.Programs, err
}

func (p Placeholder) pattern() *regexp.Regexp {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(p.Name) + `\b`)
}

// in tells whether the placeholder occurs in a text.
func (p Placeholder) in(text string) bool { return p.pattern().MatchString(text) }

// asVariable writes the placeholder as a shell variable.
func (p Placeholder) asVariable(text string) string {
	if p.Variable {
		return text
	}
	return p.pattern().ReplaceAllLiteralString(text, "${"+p.Name+"}")
}
