package progress

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// harmless keeps a text from steering the terminal: the names, states and errors of clusters are in it, and whoever may
// write an object there could put escape sequences into them.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

// Guarded gives a writer for text about clusters: when the file is a terminal, control characters are blanks there. What
// goes to a file or a pipe stays as it is, byte by byte.
func Guarded(f *os.File) io.Writer {
	if term.IsTerminal(int(f.Fd())) {
		return guard{f}
	}
	return f
}

type guard struct{ w io.Writer }

func (g guard) Write(p []byte) (int, error) {
	if _, err := io.WriteString(g.w, harmless(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
