// Package page compares a page of the guide with the guide's data: which commands, platforms and CAs the page has that
// the data do not know, and which of the data's it no longer has. It takes the page as text or as Markdown.
package page

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Drift is one difference between a page and the data.
type Drift struct {
	// Line is where it is on the page, from 1; for what is missing, the line after which it should stand.
	Line int
	// Text says what is different, as a sentence for a person.
	Text string
}

func (d Drift) String() string { return fmt.Sprintf("line %d: %s", d.Line, d.Text) }

var (
	html = regexp.MustCompile(`(?i)<(!doctype html|html|body|pre|div|p)[ >]`)
	// hiragana is in every Japanese page, and in no other.
	hiragana = regexp.MustCompile(`\p{Hiragana}`)
)

// Diff compares a page with the data; none when they agree. A text that has nothing of the guide is an error.
func Diff(text string) ([]Drift, error) {
	want, err := expected()
	if err != nil {
		return nil, err
	}
	known, err := learn(want)
	if err != nil {
		return nil, err
	}
	return known.diff(want, text)
}

func (k knowledge) diff(want []entry, text string) ([]Drift, error) {
	if strings.ContainsRune(text, 0) {
		return nil, errors.New("this is no text: save the page as text or as Markdown, and give that")
	}
	if html.MatchString(text) {
		return nil, errors.New("this is HTML: save the page as text or as Markdown, and give that")
	}
	got := k.read(text)
	if !hiragana.MatchString(text) {
		// Only the Japanese titles of sections are the page's own words; see steps.yaml.
		section := func(e entry) bool { return e.kind == section }
		want, got = slices.DeleteFunc(slices.Clone(want), section), slices.DeleteFunc(got, section)
	}
	pairs := align(want, got)
	if len(pairs) == 0 {
		return nil, errors.New("it has none of the guide's commands, platforms or CAs: give a page of the guide as text, as it is saved or copied from a browser, or as Markdown")
	}
	drifts := compare(want, got, pairs)
	slices.SortStableFunc(drifts, func(a, b Drift) int { return a.Line - b.Line })
	return drifts, nil
}

// kind says what an entry is.
type kind string

const (
	platform kind = "platform"
	section  kind = "section"
	// tab is the heading of an outer or an inner tab.
	tab     kind = "tab"
	command kind = "command"
	output  kind = "line of output"
)

// entry is one thing of the page, or of what the data say that it prints.
type entry struct {
	kind kind
	// text is what is compared: a command in one line, or the id of a name that the data know.
	text string
	// shown is what a person is shown: the text as it is printed.
	shown string
	// about names it, in the data: "S6.1 Install the east-west gateway (Anthos clusters, Istio CA)".
	about string
	// line is where it begins on the page, from 1.
	line int
}

func (e entry) same(other entry) bool { return e.kind == other.kind && e.text == other.text }

// oneLine makes one line with single blanks of any text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
