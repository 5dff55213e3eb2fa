// Package report writes findings and evidence down for people and for other programs. It decides nothing: every file is
// made from the findings, never from the test runner's own result.
package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/report/html"
	"github.com/meshproof/meshproof/framework/whole"
)

// Names of files in a report directory.
const (
	FindingsFile    = "findings.json"
	ConformanceFile = "conformance.yaml"
	JUnitFile       = "junit.xml"
	GinkgoFile      = "ginkgo.txt"
	PageFile        = "report.html"
	EvidenceDir     = "evidence"
)

// Findings is findings.json: the product of a run. It depends on the evidence alone, so that judging a saved run again
// gives the same bytes.
type Findings struct {
	// Schema is the version of this form.
	Schema  string        `json:"schema"`
	RunID   string        `json:"runID"`
	Verdict claim.Verdict `json:"verdict"`
	// Reason is the verdict in one sentence.
	Reason   string `json:"reason"`
	ExitCode int    `json:"exitCode"`
	// FalseFailRate is the probability with which this run's random checks fail a conforming mesh, summed over the checks.
	FalseFailRate float64         `json:"falseFailRate"`
	Findings      []claim.Finding `json:"findings"`
}

const schema = "meshproof.dev/findings/v1"

// Judge judges all evidence of a run.
func Judge(run evidence.Run) Findings {
	found := cause.Apply(run, claim.Judge(run))
	verdict, reason := claim.Conclude(found, run.Intent.Expect...)
	if run.Intent.EmulatedCA {
		reason += " (" + intent.EmulatedCA + ": a stand-in signed for " + run.Intent.CA + ")"
	}
	return Findings{
		Schema: schema, RunID: run.Intent.RunID, Verdict: verdict, Reason: reason, ExitCode: claim.ExitCode(found, run.Intent.Expect...),
		FalseFailRate: claim.FalseFailRate(run), Findings: found,
	}
}

// EvidenceFolder gives the evidence folder of a report directory; any other directory is taken for the folder itself.
func EvidenceFolder(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, EvidenceDir)); err == nil {
		return filepath.Join(dir, EvidenceDir)
	}
	return dir
}

// JudgeDir judges a saved run: a report directory, or the evidence folder in it.
func JudgeDir(dir string) (Findings, evidence.Run, error) {
	run, err := evidence.Load(EvidenceFolder(dir))
	if err != nil {
		return Findings{}, evidence.Run{}, err
	}
	return Judge(run), run, nil
}

// Of gives the findings of these claims, by their ids.
func (f Findings) Of(ids []string) []claim.Finding {
	return slices.DeleteFunc(slices.Clone(f.Findings), func(one claim.Finding) bool { return !slices.Contains(ids, one.Claim) })
}

// JSON is the file's bytes.
func (f Findings) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("encode the findings: %w", err)
	}
	return out.Bytes(), nil
}

// Extra is what a report tells beyond findings and evidence: things that do not decide anything.
type Extra struct {
	// By and Where say who ran it and on which machine or CI job, if told; Tool which meshproof.
	By, Where, Tool string
	// Images says where the images came from, and StandIns what stands in for what.
	Images   string
	StandIns []string
	// Left names what the run did not remove, and how to.
	Left []string
	// Diagnostics are files that were saved at a failure, relative to the report.
	Diagnostics []string
}

// Write writes every file of the report into dir.
func Write(dir string, f Findings, run evidence.Run, x Extra) error {
	body, err := f.JSON()
	if err != nil {
		return err
	}
	summary, err := conformance(f, run, x)
	if err != nil {
		return err
	}
	junit, err := junitXML(f, run)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	err = html.Render(&page, html.Page{
		RunID: f.RunID, Verdict: f.Verdict, Reason: f.Reason, FalseFailRate: f.FalseFailRate, Findings: f.Findings, Run: run,
		EvidenceDir: EvidenceDir, Unsaved: unsaved(dir, f.Findings), By: x.By, Where: x.Where, Tool: x.Tool, Images: x.Images, StandIns: x.StandIns, Left: x.Left, Diagnostics: x.Diagnostics,
	})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{FindingsFile: body, ConformanceFile: summary, JUnitFile: junit, PageFile: page.Bytes()} {
		if err := whole.Bytes(filepath.Join(dir, name), 0o644, content); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// unsaved gives the files of the evidence that findings name and that are not in the report directory.
func unsaved(dir string, found []claim.Finding) map[string]bool {
	all := map[string]bool{}
	for _, f := range found {
		for _, file := range f.Evidence {
			if _, err := os.Stat(filepath.Join(dir, EvidenceDir, filepath.FromSlash(file))); errors.Is(err, os.ErrNotExist) {
				all[file] = true
			}
		}
	}
	return all
}

// Sentence is one finding as a line for a person.
func Sentence(f claim.Finding) string {
	s := fmt.Sprintf("%-12s %s (%s): %s", f.Verdict, f.Claim, f.Subject, f.Reason)
	if f.Cause != nil {
		s = strings.TrimSuffix(s, ".") + fmt.Sprintf(". Cause: %s %s", f.Cause.Sentence, f.Cause.Remedy)
	}
	return s
}
