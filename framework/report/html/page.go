// Package html renders what a run found as one self-contained page: no network, no script, no file beside it is needed to
// read it. It decides nothing: every word about a verdict comes from the findings, and every number from them or from
// the evidence that they were judged from.
package html

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

//go:embed templates/*
var templates embed.FS

// Page is everything that the page shows. Only Verdict, Reason, Findings and Run are needed; what else is empty is left
// out of the page. It has the parts of report.Findings, and not that type, because report imports this package.
type Page struct {
	RunID   string
	Verdict claim.Verdict
	// Reason is the verdict in one sentence.
	Reason        string
	FalseFailRate float64
	Findings      []claim.Finding
	Run           evidence.Run
	// EvidenceDir is the evidence folder relative to the page, with "/": "evidence".
	EvidenceDir string
	// Unsaved are files of the evidence that findings name and that the run did not come to save: they are no links.
	Unsaved map[string]bool
	// Diagnostics are further files to look at, relative to the page, with "/".
	Diagnostics []string
	// Images says where the images came from, StandIns what stands in for what, Left what was not removed.
	Images         string
	StandIns, Left []string
	// By and Where say who ran it and on which machine or CI job, Tool which meshproof: each if told.
	By, Where, Tool string
}

// Render writes the page. Nothing is written when it cannot be made.
func Render(w io.Writer, p Page) error { return write(w, "page.html", newView(p)) }

func write(w io.Writer, name string, value any) error {
	t, err := template.New(name).Funcs(template.FuncMap{"mark": markOf, "grown": grown}).ParseFS(templates, "templates/*")
	if err != nil {
		return fmt.Errorf("read the templates of the report page: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, value); err != nil {
		return fmt.Errorf("render the report page: %w", err)
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write the report page: %w", err)
	}
	return nil
}
