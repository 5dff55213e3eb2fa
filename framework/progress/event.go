// Package progress shows what a run is doing: as a picture on a terminal that is drawn anew as it goes on, in plain lines
// anywhere else, or as one JSON object a line for another program. Nothing in it decides anything.
package progress

import (
	"time"

	"github.com/meshproof/meshproof/framework/claim"
)

// Kind says what an event is about.
type Kind string

// Kinds of events. The first of a run is a Begin, the last a Verdict.
const (
	Begin   Kind = "begin"
	Note    Kind = "note"
	Doing   Kind = "doing"
	Done    Kind = "done"
	Waiting Kind = "waiting"
	Sample  Kind = "sample"
	Finding Kind = "finding"
	Verdict Kind = "verdict"
)

// Event is one thing that happened. Its JSON form is published: docs/schema/event-v1.json, docs/events.md.
type Event struct {
	Time  Stamp `json:"time"`
	Event Kind  `json:"event"`
	// Run and Clusters are of a Begin.
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
	// Claim to Cause are of a Finding; Verdict and Reason of a Verdict too.
	Claim   string        `json:"claim,omitempty"`
	Level   claim.Level   `json:"level,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Verdict claim.Verdict `json:"verdict,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Cause   *claim.Cause  `json:"cause,omitempty"`
	// ExitCode and Report (the report directory) are of a Verdict.
	ExitCode *int   `json:"exitCode,omitempty"`
	Report   string `json:"report,omitempty"`
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
