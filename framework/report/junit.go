package report

import (
	"encoding/xml"
	"fmt"

	"github.com/onsi/ginkgo/v2/reporters"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

// junitXML gives a suite for the run's verdict, and one per area with a case per finding: failed = <failure>, inconclusive = <error>,
// skipped = <skipped>. An extended claim that is not passed is <skipped>, and so is what the run expected of the guide's printed text:
// no viewer turns a run red for them. Where something expected was not found, the verdict's case alone says so.
//
// The verdict's case took as long as the run, which is known from its steps. The claims are judged afterwards, over what was kept: their
// time is 0, and no share of the run's is invented for them. A judgement of a mesh that stands has the steps of its set-up too: its run began
// with them.
func junitXML(f Findings, run evidence.Run) ([]byte, error) {
	out := reporters.JUnitTestSuites{TestSuites: []reporters.JUnitTestSuite{{Name: "meshproof verdict", Package: "meshproof"}}}
	add(&out.TestSuites[0], "the run's verdict", claim.Finding{Area: "verdict", Level: claim.Core, Verdict: f.Verdict, Reason: f.Reason}, f.Reason, "")
	began, seconds := evidence.Span(run.Steps)
	out.Time = round(seconds)
	out.TestSuites[0].Time, out.TestSuites[0].TestCases[0].Time = out.Time, out.Time
	at := map[claim.Area]int{}
	for _, x := range f.Findings {
		i, there := at[x.Area]
		if !there {
			i = len(out.TestSuites)
			at[x.Area] = i
			out.TestSuites = append(out.TestSuites, reporters.JUnitTestSuite{Name: "meshproof " + string(x.Area), Package: "meshproof"})
		}
		add(&out.TestSuites[i], x.Claim+" ("+x.Subject+")", x, Sentence(x), x.ExpectedAs(run.Intent.Expect))
	}
	for i, s := range out.TestSuites {
		if !began.IsZero() {
			out.TestSuites[i].Timestamp = began.UTC().Format("2006-01-02T15:04:05")
		}
		out.Tests += s.Tests
		out.Failures += s.Failures
		out.Errors += s.Errors
		out.Disabled += s.Disabled
	}
	body, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode junit.xml: %w", err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

// add adds a case for a finding; sentence tells all of it, and expectedAs which expected finding about the guide it is, if any.
func add(s *reporters.JUnitTestSuite, name string, f claim.Finding, sentence, expectedAs string) {
	c := reporters.JUnitTestCase{Name: name, Classname: "meshproof." + string(f.Area), Status: string(f.Verdict)}
	s.Tests++
	switch {
	case f.Verdict == claim.Passed:
		c.SystemOut = f.Reason
	case expectedAs != "":
		c.Skipped = &reporters.JUnitSkipped{Message: "expected as " + expectedAs + ": " + string(f.Verdict) + ": " + f.Reason}
		s.Skipped++
	case f.Verdict == claim.Skipped || f.Level == claim.Extended:
		c.Skipped = &reporters.JUnitSkipped{Message: string(f.Verdict) + ": " + f.Reason}
		s.Skipped++
	case f.Verdict == claim.Failed:
		c.Failure = &reporters.JUnitFailure{Message: f.Reason, Type: "failed", Description: sentence}
		s.Failures++
	default:
		c.Error = &reporters.JUnitError{Message: f.Reason, Type: "inconclusive", Description: sentence}
		s.Errors++
	}
	s.TestCases = append(s.TestCases, c)
}
