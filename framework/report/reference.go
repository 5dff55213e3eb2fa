package report

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
)

// Requirement is a claim as a reader looks it up.
type Requirement struct {
	ID       string      `json:"id"`
	Level    claim.Level `json:"level"`
	Kind     claim.Kind  `json:"kind"`
	Area     claim.Area  `json:"area"`
	Epoch    string      `json:"epoch"`
	Guide    string      `json:"guide"`
	Sentence string      `json:"sentence"`
	// Disruptive tells that the mesh is changed for it, and changed back.
	Disruptive bool `json:"disruptive"`
}

// Requirements gives every claim, in the order of the report.
func Requirements() []Requirement {
	var all []Requirement
	for _, c := range claim.All() {
		all = append(all, Requirement{ID: c.ID, Level: c.Level, Kind: c.Kind, Area: c.Area, Epoch: c.Epoch, Guide: c.Guide, Sentence: c.Sentence, Disruptive: c.Disruptive})
	}
	return all
}

const requirementsHead = "# Requirements\n\n" +
	"What a conforming mesh must show: %d claims, %d of them core. Made from the claims by `make docs`; change framework/claim, not\n" +
	"this file. `meshproof claims` prints the same for a terminal.\n\n" +
	"Core claims decide the verdict, extended ones are only reported. A disruptive claim changes the mesh and changes it back\n" +
	"(`--disruptive`). The epoch is the folder of the evidence that the claim reads. A claim *converges* when it may be looked at\n" +
	"again while the mesh settles; what is judged *once* is never looked at again. docs/troubleshooting.md says why a claim can be\n" +
	"broken, and what to do.\n"

// RequirementsPage is docs/requirements.md.
func RequirementsPage(all []Requirement) string {
	core := 0
	for _, r := range all {
		if r.Level == claim.Core {
			core++
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, requirementsHead, len(all), core)
	var area claim.Area
	for _, r := range all {
		if r.Area != area {
			area = r.Area
			fmt.Fprintf(&out, "\n## %s\n\n| claim | requirement | guide | level | kind | epoch |\n|---|---|---|---|---|---|\n", heading(string(area)))
		}
		level := string(r.Level)
		if r.Disruptive {
			level += ", disruptive"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", code(r.ID), markdown(r.Sentence), markdown(r.Guide), level, r.Kind, code(r.Epoch))
	}
	return out.String()
}

func heading(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

const troubleshootingHead = "# Troubleshooting\n\n" +
	"Why a claim is not passed: the %d causes that the suite can name from evidence, the most certain first. Made from the table of\n" +
	"causes by `make docs`; change framework/claim/cause, not this file. `meshproof causes` prints the same for a terminal.\n\n" +
	"A finding that is not passed names its cause in report.html, in findings.json and in the last lines of a run; look it up here\n" +
	"by its id. The report says what was seen in your mesh: which cluster, which pod, which address. Where no cause is named, the\n" +
	"finding's reason and the evidence files beside it are what there is: `meshproof claim ID --from DIR` prints them.\n\n" +
	"A cause that makes a finding *inconclusive* lies around the mesh: nothing can be said of the mesh until it is gone.\n"

var codeSpan = regexp.MustCompile("`[^`]+`")

// prose is markdown for a text of this program, whose parts between backticks are code.
func prose(s string) string {
	const spared = "\x00"
	text := markdown(codeSpan.ReplaceAllString(s, spared))
	for _, span := range codeSpan.FindAllString(s, -1) {
		text = strings.Replace(text, spared, span, 1)
	}
	return text
}

// TroubleshootingPage is docs/troubleshooting.md.
func TroubleshootingPage(all []cause.Entry) string {
	var out strings.Builder
	fmt.Fprintf(&out, troubleshootingHead, len(all))
	for _, e := range all {
		explains := "any claim"
		if len(e.Explains) > 0 {
			var ids []string
			for _, id := range e.Explains {
				ids = append(ids, code(id))
			}
			explains = strings.Join(ids, ", ")
		}
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n- **Finding:** %s\n- **Can break:** %s\n- **What to do:** %s\n", e.ID, prose(e.Sentence), e.Verdict, explains, prose(e.Remedy))
	}
	return out.String()
}
