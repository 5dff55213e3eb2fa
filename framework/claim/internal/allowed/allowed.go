// Package allowed knows which lines a healthy control plane logs beside information, as data: each with its reason.
package allowed

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/evidence"
)

//go:embed istiod.yaml
var list []byte

// Entry is one kind of line that is no hidden error.
type Entry struct {
	ID    string `json:"id"`
	Level string `json:"level"`
	Scope string `json:"scope,omitempty"`
	// Message is a regular expression over the whole message.
	Message string `json:"message"`
	// Reason says why it is none, Source where the line is written.
	Reason string `json:"reason"`
	Source string `json:"source"`

	message *regexp.Regexp
}

// Istiod gives the entries for istiod's log. An error is a mistake in the data, which a test excludes.
var Istiod = sync.OnceValues(func() ([]Entry, error) { return decode(list) })

func decode(text []byte) ([]Entry, error) {
	var all []Entry
	if err := yaml.UnmarshalStrict(text, &all); err != nil {
		return nil, fmt.Errorf("read the list of allowed log lines: %w", err)
	}
	var errs []error
	ids := map[string]bool{}
	for i, e := range all {
		var err error
		if all[i].message, err = regexp.Compile(`^(?:` + e.Message + `)$`); err != nil {
			errs = append(errs, fmt.Errorf("allowed log line %q: %w", e.ID, err))
		}
		if e.ID == "" || ids[e.ID] || e.Level == "" || e.Message == "" || e.Reason == "" || e.Source == "" {
			errs = append(errs, fmt.Errorf("allowed log line %d (%q): give it an id of its own, a level, a message, a reason and a source", i+1, e.ID))
		}
		if e.Level == evidence.LevelPanic {
			errs = append(errs, fmt.Errorf("allowed log line %q: a panic is never allowed", e.ID))
		}
		ids[e.ID] = true
	}
	return all, errors.Join(errs...)
}

// Find gives the entry that allows a line, and whether there is one.
func Find(entries []Entry, line evidence.LoggedLine) (Entry, bool) {
	for _, e := range entries {
		if e.Level == line.Level && e.Scope == line.Scope && e.message.MatchString(line.Message) {
			return e, true
		}
	}
	return Entry{}, false
}
