// Package progress shows what a run is doing: as a picture on a terminal that is drawn anew as it goes on, in plain lines
// anywhere else, or as one JSON object a line for another program. Nothing in it decides anything.
package progress

import (
	"slices"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
)

// Kind says what an event is about.
type Kind string

// Kinds of events. The first of a run is a Begin, the last a Verdict; the last of any other command is an End.
const (
	Begin   Kind = "begin"
	Note    Kind = "note"
	Doing   Kind = "doing"
	Done    Kind = "done"
	Waiting Kind = "waiting"
	Sample  Kind = "sample"
	Finding Kind = "finding"
	Verdict Kind = "verdict"
	Proof   Kind = "proof"
	Leak    Kind = "leak"
	Round   Kind = "round"
	Made    Kind = "made"
	Left    Kind = "left"
	Removed Kind = "removed"
	End     Kind = "end"
)

// passing tells whether events of the kind say what is being done, and not what came of it.
func (k Kind) passing() bool {
	return slices.Contains([]Kind{Begin, Note, Doing, Done, Waiting, Sample}, k)
}

// Event is one thing that happened. Its JSON form is published: docs/schema/event-v1.json, docs/events.md.
type Event struct {
	Time  Stamp `json:"time"`
	Event Kind  `json:"event"`
	// Run and Clusters are of a Begin; Run also of a Made, a Left and a Removed.
	Run      string   `json:"run,omitempty"`
	Clusters []string `json:"clusters,omitempty"`
	// Cluster is that of a step, of a wait, or of the calls; "" is the run as a whole.
	Cluster string `json:"cluster,omitempty"`
	// What is said, begun, ended or waited for; State is what the wait saw last, and Over tells that it has ended.
	What  string `json:"what,omitempty"`
	State string `json:"state,omitempty"`
	Over  bool   `json:"over,omitempty"`
	// Seconds is how long it took; Error why it did not go well.
	Seconds *float64 `json:"seconds,omitempty"`
	Error   string   `json:"error,omitempty"`
	// Asked and Answered are of a Sample: answers so far by helloworld's version, "" for calls that it did not answer.
	Asked    int            `json:"asked,omitempty"`
	Answered map[string]int `json:"answered,omitempty"`
	// Claim to Cause are of a Finding; Verdict and Reason of a Verdict and of a Round too.
	Claim   string        `json:"claim,omitempty"`
	Level   claim.Level   `json:"level,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Verdict claim.Verdict `json:"verdict,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Cause   *claim.Cause  `json:"cause,omitempty"`
	// ExitCode and Report (the report directory) are of a Verdict and of an End.
	ExitCode *int   `json:"exitCode,omitempty"`
	Report   string `json:"report,omitempty"`
	// Fault to Named are of a Proof: what is planted, what is declared, what was said, and whether that is the same.
	Fault    string    `json:"fault,omitempty"`
	Expected *Expected `json:"expected,omitempty"`
	Causes   []string  `json:"causes,omitempty"`
	Named    *bool     `json:"named,omitempty"`
	// File to Encoding are of a Leak.
	File     string `json:"file,omitempty"`
	Secret   string `json:"secret,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	// Number is that of a Round, whose What is what is repeated.
	Number int `json:"number,omitempty"`
	// Directory to Kubeconfigs (in the order of the clusters) are of a Made.
	Directory   string   `json:"directory,omitempty"`
	Release     string   `json:"release,omitempty"`
	Kubeconfigs []string `json:"kubeconfigs,omitempty"`
	// Who to Alive are of a Left; Things also of a Removed.
	Who    string   `json:"who,omitempty"`
	Things []string `json:"things,omitempty"`
	Alive  bool     `json:"alive,omitempty"`
	// Proved to LifeCycles are of an End.
	Proved     *Proved `json:"proved,omitempty"`
	Search     *Search `json:"search,omitempty"`
	Judgements *Rounds `json:"judgements,omitempty"`
	LifeCycles *Rounds `json:"lifeCycles,omitempty"`
}

// Expected is what the judgement of a fault must come to.
type Expected struct {
	Verdict claim.Verdict `json:"verdict"`
	Cause   string        `json:"cause"`
}

// Proved is how many of the planted faults were named.
type Proved struct {
	Named int `json:"named"`
	Of    int `json:"of"`
}

// Search is how many places hold a secret that must not be there, of how many secrets, in how many files.
type Search struct {
	Leaks   int `json:"leaks"`
	Secrets int `json:"secrets"`
	Files   int `json:"files"`
}

// Rounds is how many of the rounds did not pass, and the rate that this bounds: one-sided, at 95 %, as a share of 1.
type Rounds struct {
	Failed int     `json:"failed"`
	Of     int     `json:"of"`
	Bound  float64 `json:"bound"`
}

// Stamp is a time as the events write it: RFC 3339, UTC, with milliseconds.
type Stamp struct{ time.Time }

const stampForm = "2006-01-02T15:04:05.000Z"

// MarshalJSON gives the published form.
func (s Stamp) MarshalJSON() ([]byte, error) {
	return []byte(`"` + s.UTC().Format(stampForm) + `"`), nil
}

// silence is the longest that a display says nothing: a CI system may end a job that is silent for long, and a person thinks
// that it hangs.
const silence = 25 * time.Second

// Display shows events. Its methods are called one at a time.
type Display interface {
	Show(Event)
	// Tick is called every quarter of a second.
	Tick(now time.Time)
	// Close is called once, at the end.
	Close()
}
