package report

import (
	"encoding/xml"
	"fmt"

	"github.com/onsi/ginkgo/v2/reporters"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

// junitXML gives a suite per area and a case per finding: failed = <failure>, inconclusive = <error>, skipped =
// <skipped>. An extended claim that is not passed is <skipped>, so that no viewer turns a run red for it.
func junitXML(f Findings, run evidence.Run) ([]byte, error) {
	out := reporters.JUnitTestSuites{}
	at := map[claim.Area]int{}
	for _, x := range f.Findings {
		i, there := at[x.Area]
		if !there {
			i = len(out.TestSuites)
			at[x.Area] = i
			out.TestSuites = append(out.TestSuites, reporters.JUnitTestSuite{Name: "meshproof " + string(x.Area), Package: "meshproof"})
			if len(run.Steps) > 0 {
				out.TestSuites[i].Timestamp = run.Steps[0].Started.UTC().Format("2006-01-02T15:04:05")
			}
		}
		add(&out.TestSuites[i], x)
	}
	for _, s := range out.TestSuites {
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

func add(s *reporters.JUnitTestSuite, f claim.Finding) {
	c := reporters.JUnitTestCase{Name: f.Claim + " (" + f.Subject + ")", Classname: "meshproof." + string(f.Area), Status: string(f.Verdict)}
	s.Tests++
	switch {
	case f.Verdict == claim.Passed:
		c.SystemOut = f.Reason
	case f.Verdict == claim.Skipped || f.Level == claim.Extended:
		c.Skipped = &reporters.JUnitSkipped{Message: string(f.Verdict) + ": " + f.Reason}
		s.Skipped++
	case f.Verdict == claim.Failed:
		c.Failure = &reporters.JUnitFailure{Message: f.Reason, Type: "failed", Description: Sentence(f)}
		s.Failures++
	default:
		c.Error = &reporters.JUnitError{Message: f.Reason, Type: "inconclusive", Description: Sentence(f)}
		s.Errors++
	}
	s.TestCases = append(s.TestCases, c)
}
