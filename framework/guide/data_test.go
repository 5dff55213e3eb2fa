package guide_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
)

func isClaim(id string) bool {
	return slices.ContainsFunc(claim.All(), func(c claim.Claim) bool { return c.ID == id })
}

func TestEachStepHasPostConditionsThatAreClaims(t *testing.T) {
	steps, err := guide.Steps(guide.Clusters)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if len(s.Claims) == 0 {
			t.Errorf("step %s names no claim", s.ID)
		}
		for _, id := range s.Claims {
			if !isClaim(id) {
				t.Errorf("step %s names the claim %q, which is not there", s.ID, id)
			}
		}
	}
}

func TestEachOddityIsShownByAClaimOrSaysWhyNot(t *testing.T) {
	oddities, err := guide.Oddities()
	if err != nil {
		t.Fatal(err)
	}
	kinds, ids, findings := map[guide.Kind]int{}, map[string]bool{}, map[string]bool{}
	for _, o := range oddities {
		if o.ID == "" || o.Says == "" || len(o.Steps) == 0 || ids[o.ID] {
			t.Errorf("oddity %+v is not whole, or there twice", o)
		}
		if o.Claim != "" && !isClaim(o.Claim) {
			t.Errorf("oddity %s names the claim %q, which is not there", o.ID, o.Claim)
		}
		kinds[o.Kind]++
		ids[o.ID], findings[o.Finding] = true, true
	}
	for _, k := range []guide.Kind{guide.Wrong, guide.Inert, guide.Stale, guide.Unstated, guide.Garbled} {
		if kinds[k] == 0 {
			t.Errorf("no oddity is %s", k)
		}
	}
	steps, err := guide.Steps(guide.Clusters)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		for _, c := range s.Corrections {
			if c.Finding != "" && !findings[c.Finding] {
				t.Errorf("correction %s of step %s is forced by finding %s, which no oddity tells", c.ID, s.ID, c.Finding)
			}
		}
	}
}

// TestCommandsHaveEveryWordFilled looks at every cell in both modes: no <name> of a template may be left.
func TestCommandsHaveEveryWordFilled(t *testing.T) {
	m, err := guide.LoadMatrix()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Cells() {
		for _, mode := range []intent.Mode{intent.Literal, intent.Corrected} {
			commands, err := guide.Commands(c.Words, mode)
			if err != nil {
				t.Fatal(err)
			}
			for _, command := range commands {
				if strings.ContainsAny(command.Text, "<>") && !strings.Contains(command.Text, ">&2") {
					t.Errorf("%s with %s, %s: %s has a word that is not filled in: %s", c.Platform, c.CA, mode, command.ID, command.Text)
				}
			}
		}
	}
}
