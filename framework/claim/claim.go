// Package claim is the list of what a conforming mesh must show, each a pure function over evidence and intent: no
// client, no file, no clock. A claim can hold, be broken, or not be decidable from the evidence, and says which in one
// sentence with the evidence that shows it.
package claim

import (
	"github.com/meshproof/meshproof/framework/evidence"
)

// Verdict is one of four.
type Verdict string

// Passed: the claim holds. Failed: the mesh does not conform. Inconclusive: the harness or the environment could not
// tell. Skipped: not claimed by this mesh, or not asked for.
const (
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"
	Inconclusive Verdict = "inconclusive"
	Skipped      Verdict = "skipped"
)

// Level says whether a claim decides the exit code.
type Level string

// Core claims decide the verdict; Extended ones are reported only.
const (
	Core     Level = "core"
	Extended Level = "extended"
)

// Kind says whether looking again may change the answer.
type Kind string

// Converges: the claim may be judged again while the mesh settles. Once: it is judged one time only; looking again would
// be a re-roll, and no waiter takes it.
const (
	Converges Kind = "converges"
	Once      Kind = "once"
)

// Area is a part of the story that the suite tells.
type Area string

// Areas, in the order of the report.
const (
	Setup     Area = "setup"
	Gateway   Area = "gateway"
	Discovery Area = "discovery"
	Identity  Area = "identity"
	Denial    Area = "denial"
	Split     Area = "split"
	Recovery  Area = "recovery"
	Lifecycle Area = "lifecycle"
	Printed   Area = "printed"
)

// Claim is one requirement.
type Claim struct {
	// ID is stable: "gateway-address".
	ID    string
	Level Level
	Kind  Kind
	Area  Area
	// Epoch is the stage whose evidence it reads.
	Epoch string
	// Sentence is the requirement as a sentence for a person.
	Sentence string
	// Guide is the guide's step and section that it stands for: "S6 Install the east-west gateway".
	Guide string
	// Finding is the id of the finding about the guide that its failure is: "F1"; "" for a claim about the mesh.
	Finding string
	// Disruptive tells that the mesh is changed for it, and changed back.
	Disruptive bool
	// Calls are the purposes of the calls without which it is not decided: evidence.Split.
	Calls []string
	// Judge gives one Finding per subject (each cluster, or each direction); never none.
	Judge func(evidence.Run) []Finding
}

// Finding is a claim's verdict on one subject.
type Finding struct {
	Claim    string `json:"claim"`
	Level    Level  `json:"level"`
	Area     Area   `json:"area"`
	Guide    string `json:"guide"`
	Sentence string `json:"sentence"`
	// Finding is the id of the finding about the guide that a failure of this claim is; "" for a claim about the mesh.
	Finding string  `json:"finding,omitempty"`
	Subject string  `json:"subject"` // "east", "east to west", or "mesh"
	Verdict Verdict `json:"verdict"`
	// LeftOut tells that the run was asked not to judge this: it is skipped, whatever the evidence says.
	LeftOut bool `json:"leftOut,omitempty"`
	// Unseen tells that it is open for want of evidence: a file or a page is not there, or calls were cut short by something else
	// than their own time. What is wrong with the mesh does not explain that.
	Unseen bool `json:"-"`
	// Reason says in one sentence what was seen that gives the verdict.
	Reason string `json:"reason"`
	// Cause names why it is not passed, when that is known.
	Cause *Cause `json:"cause,omitempty"`
	// Evidence are the files (relative to the evidence folder) that show it.
	Evidence []string `json:"evidence,omitempty"`
	// Measured holds numbers that the report shows, by name.
	Measured map[string]any `json:"measured,omitempty"`
}

// Cause is why a claim is not passed.
type Cause struct {
	ID       string `json:"id"`
	Sentence string `json:"sentence"`
	Remedy   string `json:"remedy"`
}
