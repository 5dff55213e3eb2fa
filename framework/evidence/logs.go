package evidence

import (
	"path"
	"time"
)

// IstiodLog is what the log of one control-plane replica's container says beside information: lines of the levels warn,
// error and fatal, and panics. All of one cluster are in logs.json.
type IstiodLog struct {
	Pod string `json:"pod"`
	// Previous tells that it is the log of the container before the one that runs, which has ended.
	Previous bool `json:"previous,omitempty"`
	// Since is the time from which on the log was read.
	Since time.Time `json:"since"`
	// Read is the number of lines that were looked through. Cut tells that the log was longer than what is read: the lines are
	// from its end.
	Read int  `json:"read"`
	Cut  bool `json:"cut,omitempty"`
	// Lines in the order in which each was seen first, equal ones once. Left is the number of further ones that were not kept.
	Lines []LoggedLine `json:"lines"`
	Left  int          `json:"left,omitempty"`
}

// LevelPanic is the level of a line that tells of a panic; the others are Istio's own.
const LevelPanic = "panic"

// LoggedLine is one line of a log, or several that say the same. Whatever in its message could be secret is left out, and "*"
// stands in its place: what is quoted, values that are named, and words that no person writes.
type LoggedLine struct {
	Level   string    `json:"level"`
	Scope   string    `json:"scope,omitempty"`
	Message string    `json:"message"`
	Count   int       `json:"count"`
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	// Stack are the functions that a panic went through, the innermost first, where the log shows them.
	Stack []string `json:"stack,omitempty"`
}

const logsFile = "logs.json"

// ProblemLogs is how collection names the control plane's logs among its problems.
const ProblemLogs = "logs of istiod"

// FileOfLogs names the file of what a cluster's control plane logged.
func FileOfLogs(epoch, cluster string) string { return path.Join(epoch, cluster, logsFile) }
