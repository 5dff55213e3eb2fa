package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/nearest"
)

// document begins a YAML document.
var document = regexp.MustCompile(`(?m)^---(?:\s|$)`)

// readFile gives the keys of a file with one YAML document.
func readFile(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: give a YAML file of settings", err)
	}
	var values map[string]any
	for _, part := range document.Split(string(text), -1) {
		one, err := parse(part)
		switch {
		case err != nil:
			return nil, err
		case len(one) > 0 && len(values) > 0:
			return nil, errors.New("it has more than one YAML document: leave one")
		case len(one) > 0:
			values = one
		}
	}
	return values, nil
}

func parse(text string) (map[string]any, error) {
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s: correct the file", strings.Join(strings.Fields(err.Error()), " "))
	}
	var values map[string]any
	d := json.NewDecoder(bytes.NewReader(asJSON))
	d.UseNumber() // a number is handed on as it is written
	if err := d.Decode(&values); err != nil {
		return nil, errors.New("it is no table of keys and values: write a line for each setting, as in \"samples: 600\"")
	}
	return values, nil
}

// fromFile sets the flags that are not set yet. The first key that is wrong, by the alphabet, is told.
func fromFile(flags *pflag.FlagSet, l Layers, path string, values map[string]any, sources Sources) error {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, key := range keys {
		f := flags.Lookup(key)
		switch {
		case slices.Contains(l.Never, key) || key == l.File:
			return fmt.Errorf("key %s: --%s is not taken from a file: remove the key, and give the flag", key, key)
		case f == nil && slices.Contains(l.Others, key):
			continue
		case f == nil:
			return fmt.Errorf("there is no key %q%s", key, hint(key, flags, l))
		}
		given, err := texts(f, values[key])
		if err == nil && !f.Changed {
			err = set(f, given)
			sources[key] = fileSource(path)
		}
		if err != nil {
			return fmt.Errorf("key %s: %w: correct it, or remove the key", key, err)
		}
	}
	return nil
}

// hint names the key that was meant, or says where all of them are.
func hint(key string, flags *pflag.FlagSet, l Layers) string {
	known := slices.DeleteFunc(l.keys(flags), func(k string) bool { return k == l.File || slices.Contains(l.Never, k) })
	if key == "false" && slices.Contains(known, "n") {
		return `: YAML takes a bare n for false: write the key as "n", in quotes`
	}
	if h := nearest.Hint(key, known); h != "" {
		return h
	}
	return ": see meshproof config list"
}

// texts gives the values that a key has for its flag.
func texts(f *pflag.Flag, value any) ([]string, error) {
	items, isItems := value.([]any)
	switch {
	case !isItems:
		items = []any{value}
	case !isList(f):
		return nil, errors.New("it has a list, and takes one value: write one")
	}
	all := make([]string, 0, len(items))
	for _, item := range items {
		text, err := scalar(f.Value.Type(), item)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// plain tells whether values of that kind of flag are written without quotes.
func plain(kind string) bool { return slices.Contains([]string{"bool", "int", "float64"}, kind) }

// scalar refuses a number or a truth value where a text belongs: YAML would have read revision 1.10 as 1.1, and a run named
// 0777 as 511.
func scalar(kind string, value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case nil:
		return "", errors.New("it has no value: write one, or remove the key")
	case bool, json.Number:
		if plain(kind) {
			return fmt.Sprint(v), nil
		}
		return "", fmt.Errorf("%v is no text (%s): write it in quotes", v, kind)
	}
	return "", errors.New("it has a table or a list within, and takes a value: write one")
}
