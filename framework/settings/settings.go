// Package settings gives flags that were not given on the command line their values from the environment, and after that
// from one strict YAML file. It knows no command: what a flag is called is its key in the file, and makes the name of its
// environment variable.
package settings

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Prefix of every environment variable that stands for a flag.
const Prefix = "MESHPROOF_"

// Variable is the environment variable that stands for a flag.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

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
	// Lookup gives the value of an environment variable; os.LookupEnv.
	Lookup func(string) (string, bool)
	// File is the flag that names the file; it is itself taken from the command line or the environment.
	File string
	// Others are keys that the file may have for other commands; they are passed over.
	Others []string
	// Never are flags of the command line alone.
	Never []string
	// Following are flags whose default follows from others.
	Following []string
}

// Fill sets every flag that was not given from its environment variable, and else from the file. An empty variable counts as
// one that is not set.
func Fill(flags *pflag.FlagSet, l Layers) (Sources, error) {
	sources := Sources{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			sources[f.Name] = onCommandLine(f.Name)
		}
	})
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

func fromEnvironment(flags *pflag.FlagSet, l Layers, sources Sources) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		variable := Variable(f.Name)
		value, _ := l.Lookup(variable)
		if err != nil || value == "" {
			return
		}
		if slices.Contains(l.Never, f.Name) { // to pass over a --dry-run that somebody relies on would change clusters
			err = fmt.Errorf("environment variable %s: --%s is taken from the command line only: unset the variable, and give the flag", variable, f.Name)
			return
		}
		if f.Changed {
			return
		}
		values := []string{value}
		if isList(f) {
			values, err = csv.NewReader(strings.NewReader(value)).Read()
		}
		if err == nil {
			err = set(f, values)
		}
		if err != nil {
			err = fmt.Errorf("environment variable %s: value %q: %w: correct it, or unset it", variable, value, err)
		}
		sources[f.Name] = "environment variable " + variable
	})
	return err
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
	return f.Value.Set(values[0])
}

func fileSource(path string) string { return "file " + strconv.Quote(path) }
