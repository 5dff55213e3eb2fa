package guide

import (
	"errors"
	"fmt"
	"slices"
)

// Kind says what is odd about a passage of the guide.
type Kind string

// Wrong: it does not hold. Inert: it has no effect. Stale: it held once. Unstated: it is needed and not said. Garbled: it
// cannot be understood as it is printed.
const (
	Wrong    Kind = "wrong"
	Inert    Kind = "inert"
	Stale    Kind = "stale"
	Unstated Kind = "unstated"
	Garbled  Kind = "garbled"
)

// Oddity is one passage of the guide that a reader should know better than to believe.
type Oddity struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Finding is the id that corrections give as theirs: "F1".
	Finding string   `json:"finding,omitempty"`
	Steps   []string `json:"steps"`
	Says    string   `json:"says"`
	// Claim is the id of the claim that shows it; "" with a Reason where none does.
	Claim  string `json:"claim"`
	Reason string `json:"reason,omitempty"`
}

type odditiesFile struct {
	Oddities []Oddity `json:"oddities"`
}

// Oddities gives the log of what is odd about the guide.
func Oddities() ([]Oddity, error) {
	var (
		f     odditiesFile
		steps stepsFile
	)
	if err := load("oddities.yaml", &f); err != nil {
		return nil, err
	}
	if err := load("steps.yaml", &steps); err != nil {
		return nil, err
	}
	for _, o := range f.Oddities {
		if err := o.check(steps.Steps); err != nil {
			return nil, fmt.Errorf("decode guide data oddities.yaml: oddity %s %w", o.ID, err)
		}
	}
	return f.Oddities, nil
}

func (o Oddity) check(steps []Step) error {
	if !slices.Contains([]Kind{Wrong, Inert, Stale, Unstated, Garbled}, o.Kind) {
		return fmt.Errorf("is of kind %q: use wrong, inert, stale, unstated or garbled", o.Kind)
	}
	if (o.Claim == "") == (o.Reason == "") {
		return errors.New("needs the claim that shows it, or else the reason why none does, and not both")
	}
	for _, id := range o.Steps {
		if !slices.ContainsFunc(steps, func(s Step) bool { return s.ID == id }) {
			return fmt.Errorf("is about step %q, which is not there", id)
		}
	}
	return nil
}
