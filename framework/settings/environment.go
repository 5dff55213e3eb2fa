package settings

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/meshproof/meshproof/framework/nearest"
)

// Prefix of every environment variable that stands for a flag.
const Prefix = "MESHPROOF_"

// Variable is the environment variable that stands for a flag.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// ofService are the variables that kubelet gives to every container about a service of the namespace, which may be called as the
// prefix is (Kubernetes documentation, "Service", environment variables).
var ofService = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// misspelt refuses a variable that has the prefix and stands for nothing: somebody relies on it.
func misspelt(flags *pflag.FlagSet, l Layers) error {
	known := l.keys(flags)
	for i, key := range known {
		known[i] = Variable(key)
	}
	names := make([]string, 0, len(l.Environment))
	for name, value := range l.Environment {
		if strings.HasPrefix(name, Prefix) && value != "" && !ofService.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, flag := range l.Never { // to pass over a --dry-run that somebody relies on would change clusters
			if name == Variable(flag) {
				return fmt.Errorf("environment variable %s: --%s is taken from the command line only: unset the variable, and give the flag", name, flag)
			}
		}
		if !slices.Contains(known, name) && !slices.Contains(l.Beside, name) {
			return fmt.Errorf("environment variable %s stands for no setting%s", name, cmp.Or(meant(name, known), ": unset it, or correct it as meshproof config list has them"))
		}
	}
	return nil
}

// meant names the variable that was meant. The prefix, which all have, makes none like another.
func meant(name string, known []string) string {
	var words []string
	for _, k := range known {
		words = append(words, strings.TrimPrefix(k, Prefix))
	}
	if word := nearest.Word(strings.TrimPrefix(name, Prefix), words); word != "" {
		return ": did you mean " + Prefix + word + "?"
	}
	return ""
}

// list takes a list apart at commas and at line ends, as a YAML block in a CI system's file writes it: quotes keep both.
func list(value string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(value))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	return slices.Concat(lines...), err
}

func fromEnvironment(flags *pflag.FlagSet, l Layers, sources Sources) error {
	err := misspelt(flags, l)
	flags.VisitAll(func(f *pflag.Flag) {
		variable := Variable(f.Name)
		value := l.Environment[variable]
		if err != nil || value == "" || f.Changed {
			return
		}
		values := []string{value}
		if isList(f) {
			values, err = list(value)
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
