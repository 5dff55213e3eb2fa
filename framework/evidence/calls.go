package evidence

import (
	"slices"
	"strings"
	"time"
)

// Traffic is one exec of calls from sleep, one call in flight at a time. Its file is traffic-PURPOSE.json.
type Traffic struct {
	Purpose string    `json:"purpose"`
	From    string    `json:"from"`
	Pod     string    `json:"pod"`
	Command []string  `json:"command"`
	Asked   int       `json:"asked"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Replies []Reply   `json:"replies"`
	Stderr  string    `json:"stderr,omitempty"`
	// Error is why the exec ended early; empty when it did not.
	Error string `json:"error,omitempty"`
	// Before and After are per-host counters of this cluster's Envoys around the calls (Split only).
	Before []Counters `json:"before,omitempty"`
	After  []Counters `json:"after,omitempty"`
	// AccessLog is what this cluster's helloworld sidecar logged of split calls, from either side.
	AccessLog []LogLine `json:"accessLog,omitempty"`
	// AccessLogError is why that log could not be read to the last call; empty when it was, or when nothing says why lines are missing.
	AccessLogError string `json:"accessLogError,omitempty"`
}

// How the error of calls begins whose own time was over: that of one round of them, of the guide's step, and of calls on a mesh that
// has not settled. Whoever bounds calls takes its words from here.
const (
	CallsTookLonger = "they took longer than"
	StepTookLonger  = "the step's limit of"
	MeshUnsettled   = "the mesh had not settled"
)

// Overran tells whether the calls ended early because their time was over. What stalls calls may be the mesh; an exec that ended
// for any other reason says nothing of it.
func (t Traffic) Overran() bool {
	return slices.ContainsFunc([]string{CallsTookLonger, StepTookLonger, MeshUnsettled}, func(words string) bool {
		return strings.Contains(t.Error, words)
	})
}

// Reply is one answer.
type Reply struct {
	Number  int     `json:"number"` // 1-based
	Code    int     `json:"code"`   // 0 when there was no HTTP answer, and for the guide's calls, which do not print it
	Seconds float64 `json:"seconds"`
	Body    string  `json:"body"` // at most 512 bytes
	// Version and Instance as parsed from "Hello version: v1, instance: POD"; empty when the body is something else.
	Version  string `json:"version,omitempty"`
	Instance string `json:"instance,omitempty"`
	Exit     int    `json:"exit,omitempty"` // curl's exit code
}

// Counters are one upstream host's counters in one Envoy at one time.
type Counters struct {
	Pod     string `json:"pod"`
	Role    string `json:"role"`
	Cluster string `json:"cluster"` // Envoy's cluster name: outbound|5000||...
	Address string `json:"address"` // host:port
	Healthy bool   `json:"healthy"`
	Weight  uint32 `json:"weight"`
	// Priority of the locality the host is in.
	Priority        uint32 `json:"priority"`
	RqTotal         int64  `json:"rqTotal"`
	RqSuccess       int64  `json:"rqSuccess"`
	RqError         int64  `json:"rqError"`
	CxTotal         int64  `json:"cxTotal"`
	CxConnectFail   int64  `json:"cxConnectFail"`
	CxActive        int64  `json:"cxActive"`
	FailedEDSHealth bool   `json:"failedEDSHealth,omitempty"`
	// Ejected tells that outlier detection took the host out.
	Ejected bool `json:"ejected,omitempty"`
}

// LogLine is one line of a helloworld sidecar's access log that belongs to a split call.
type LogLine struct {
	Pod string `json:"pod"`
	// From and Number are read from the path /hello?RUN-FROM-NUMBER.
	From   string `json:"from"`
	Number int    `json:"number"`
	Code   int    `json:"code"`
	// Downstream is the address (without port) of whoever opened the connection to the sidecar.
	Downstream string `json:"downstream"`
	Flags      string `json:"flags,omitempty"`
}
