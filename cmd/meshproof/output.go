package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/session"
)

// Forms in which a command can print what it knows.
const (
	asText     = "text"
	asJSON     = "json"
	asMarkdown = "markdown"
	asHTML     = "html"
)

// outputFlag adds --output with the forms that a command has, the first of them the default.
func outputFlag(c *cobra.Command, into *string, forms ...string) {
	c.Flags().StringVarP(into, outputName, "o", forms[0], "form of the output: "+strings.Join(forms, ", "))
	completed(c, outputName, func() []string { return forms })
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains(forms, *into) {
			return &session.UsageError{Err: fmt.Errorf("--output %q: use %s", *into, strings.Join(forms, ", "))}
		}
		return run(c, args)
	}
}

const outputName = "output"

// printJSON prints a value for another program.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("print as JSON: %w", err)
	}
	return nil
}

// printText prints a text that is made already.
func printText(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
