package guide

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/intent"
)

// Command is one command as the page prints it, or as a corrected script has it, with the guide's placeholders in it.
type Command struct {
	// ID is the step's, with the cluster's ordinal where there is one, and ".check" where the result is looked at.
	ID, Title string
	// Base is the id of the step in the data, Section that of its part of the guide, Tabbed whether its tabs print it.
	Base, Section string
	Tabbed        bool
	Text          string
	// Output is what the guide shows as the command's output.
	Output     string
	Deviations []Deviation
	// Says is what a person is to do after it.
	Says string
	// Added says why the command is there, although the guide does not print it; "" = it does.
	Added string
}

// Commands gives the commands of a cell with these words, in the order of the page. In corrected mode those corrections
// are made that do not depend on the machine, and the waits are added that the guide leaves to a person.
func Commands(words map[string]string, mode intent.Mode) ([]Command, error) {
	var f stepsFile
	if err := load("steps.yaml", &f); err != nil {
		return nil, err
	}
	var all []Command
	for _, s := range f.Steps {
		these, err := s.commands(words, mode)
		if err != nil {
			return nil, err
		}
		all = append(all, these...)
	}
	return all, nil
}

func (s Step) commands(words map[string]string, mode intent.Mode) ([]Command, error) {
	main := Command{ID: s.ID, Title: s.Title, Text: fillWords(s.Command, words)}
	if mode == intent.Corrected {
		for _, c := range s.Corrections {
			if c.When != "" || !slices.Contains(c.Modes, mode) {
				continue
			}
			printed, run := fillWords(c.Printed, words), fillWords(c.Run, words)
			if n := strings.Count(main.Text, printed); n != 1 {
				return nil, fmt.Errorf("correct step %s, correction %s: its printed fragment %q occurs %d times in the command, not once", s.ID, c.ID, printed, n)
			}
			main.Text = strings.Replace(main.Text, printed, run, 1)
			main.Deviations = append(main.Deviations, Deviation{Printed: printed, Run: run, Reason: c.Reason, Finding: c.Finding})
		}
	}
	all := main.each(s.Output)
	var waits, looks []Command
	if s.Check != nil {
		looks = Command{ID: s.ID, Title: s.Check.Title, Text: s.Check.Command}.each(s.Check.Output)
		for i := range looks {
			looks[i].ID += ".check"
		}
	}
	says := ""
	if a := s.After; a != nil {
		says = a.Says
		if mode == intent.Corrected && a.Run != "" {
			waits, says = Command{ID: s.ID, Title: a.Title, Text: a.Run, Added: a.Reason}.each(nil), ""
			for i := range waits {
				waits[i].ID += ".after"
			}
		}
	}
	all = slices.Concat(all, waits, looks)
	all[len(all)-1].Says = says
	for i := range all {
		all[i].Base, all[i].Section, all[i].Tabbed = s.ID, s.Section, s.Tabbed
	}
	return all, nil
}

// each gives the command for each cluster, or once when it is the same for all of them.
func (c Command) each(output []string) []Command {
	at := func(n int) string {
		if len(output) == 0 {
			return ""
		}
		return output[min(n, len(output))-1]
	}
	if !strings.Contains(c.Text, "<n>") {
		c.Output = at(1)
		return []Command{c}
	}
	var all []Command
	for n := 1; n <= Clusters; n++ {
		one := c
		ordinal := strconv.Itoa(n)
		fill := strings.NewReplacer("<n>", ordinal).Replace
		one.ID, one.Text, one.Output = c.ID+"."+ordinal, fill(c.Text), at(n)
		one.Deviations = slices.Clone(c.Deviations)
		for i := range one.Deviations {
			one.Deviations[i].Printed, one.Deviations[i].Run = fill(c.Deviations[i].Printed), fill(c.Deviations[i].Run)
		}
		all = append(all, one)
	}
	return all
}

// Flags gives the words of a cell's commands in which the cells differ, each with its flag.
func Flags(cell Cell, mode intent.Mode) ([]string, error) {
	templates, err := Commands(nil, mode)
	if err != nil {
		return nil, err
	}
	own, err := Commands(cell.Words, mode)
	if err != nil {
		return nil, err
	}
	var flags []string
	for i := range own {
		words, blank := strings.Fields(own[i].Text), strings.Fields(templates[i].Text)
		for j, word := range words {
			if word == blank[j] {
				continue
			}
			if j > 0 && strings.HasPrefix(words[j-1], "-") {
				word = words[j-1] + " " + word
			}
			if !slices.Contains(flags, word) {
				flags = append(flags, word)
			}
		}
	}
	return flags, nil
}
