// Package settings gives flags that were not given on the command line their values from the environment, and after that
// from one strict YAML file. It knows no command: what a flag is called is its key in the file, and makes the name of its
// environment variable.
package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
)

// Sources says by flag where its value comes from; a flag that is not in it has its default.
type Sources map[string]string

// Elsewhere tells where a flag's value comes from, when that is not the command line.
func (s Sources) Elsewhere(flag string) (string, bool) {
	from, known := s[flag]
	return from, known && from != onCommandLine(flag)
}

func onCommandLine(flag string) string { return "flag --" + flag }

// Layers are what gives values to flags that were not given.
type Layers struct {
	// Environment has the values of environment variables by name. One that begins with Prefix stands for a flag.
	Environment map[string]string
	// Beside are variables with the prefix that stand for no flag, and are for others to read.
	Beside []string
	// File is the flag that names the file; it is itself taken from the command line or the environment.
	File string
	// Others are keys that the file may have for other commands; they are passed over.
	Others []string
	// Never are flags of the command line alone.
	Never []string
	// Following are flags whose default follows from others.
	Following []string
	// Paths are flags besides File that name something to read: given and empty on the command line, as an unset variable of a CI
	// system gives them, they are refused, because without them the command does something else.
	Paths []string
}

// keys are the names of the command's flags and of those of others.
func (l Layers) keys(flags *pflag.FlagSet) []string {
	all := slices.Clone(l.Others)
	flags.VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
	return all
}

// Fill sets every flag that was not given from its environment variable, and else from the file. An empty variable counts as
// one that is not set.
func Fill(flags *pflag.FlagSet, l Layers) (Sources, error) {
	sources := Sources{}
	var empty error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			sources[f.Name] = onCommandLine(f.Name)
		}
		if f.Changed && f.Value.String() == "" && (f.Name == l.File || slices.Contains(l.Paths, f.Name)) {
			empty = fmt.Errorf("--%s: the path is empty: give one, or leave the flag out", f.Name)
		}
	})
	if empty != nil {
		return nil, empty
	}
	if err := fromEnvironment(flags, l, sources); err != nil {
		return nil, err
	}
	path := flags.Lookup(l.File).Value.String()
	if path == "" {
		return sources, nil
	}
	values, err := readFile(path)
	if err == nil {
		err = fromFile(flags, l, path, values, sources)
	}
	if err != nil {
		return nil, fmt.Errorf("read settings file %s: %w", path, err)
	}
	return sources, nil
}

func isList(f *pflag.Flag) bool {
	_, is := f.Value.(pflag.SliceValue)
	return is
}

// set gives a flag its value; one that is no list has exactly one.
func set(f *pflag.Flag, values []string) error {
	f.Changed = true
	if list, is := f.Value.(pflag.SliceValue); is {
		return list.Replace(values)
	}
	return Wanted(f, f.Value.Set(values[0]))
}

// Wanted has the error of a value that is none of the flag's kind say what is one.
func Wanted(f *pflag.Flag, err error) error {
	wanted := map[string]string{"int": "a whole number", "float64": "a number", "bool": "true or false", "duration": "a time such as 90s or 20m"}[f.Value.Type()]
	if err == nil || wanted == "" {
		return err
	}
	return errors.New("it takes " + wanted)
}

func fileSource(path string) string { return "file " + strconv.Quote(path) }
