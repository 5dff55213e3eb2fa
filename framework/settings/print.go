package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// YAML is the settings as a file of theirs, in the order of their names, each with a comment that says where its value comes
// from. What Fill never takes from a file is left out. A default that follows from other settings is a comment as a whole:
// kept in a file, it would be in force where others say something else, and break what is somebody's.
func YAML(flags *pflag.FlagSet, l Layers, sources Sources) (string, error) {
	var out strings.Builder
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		if err != nil || f.Name == l.File || slices.Contains(l.Never, f.Name) {
			return
		}
		var value string
		if value, err = literal(f); err != nil {
			return
		}
		source, given := sources[f.Name]
		switch {
		case given:
			fmt.Fprintf(&out, "%s: %s  # %s\n", f.Name, value, source)
		case slices.Contains(l.Following, f.Name):
			fmt.Fprintf(&out, "# %s: %s  # default that follows from other settings\n", f.Name, value)
		default:
			fmt.Fprintf(&out, "%s: %s  # default\n", f.Name, value)
		}
	})
	return out.String(), err
}

// literal is a flag's value in YAML. Texts are in quotes, as JSON has them, so that none is taken for a number.
func literal(f *pflag.Flag) (string, error) {
	var value any = f.Value.String()
	if list, is := f.Value.(pflag.SliceValue); is {
		value = append([]string{}, list.GetSlice()...)
	} else if plain(f.Value.Type()) {
		return f.Value.String(), nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return "", fmt.Errorf("print setting %s: %w", f.Name, err)
	}
	return strings.TrimSpace(text.String()), nil
}
