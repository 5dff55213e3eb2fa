package evidence

import (
	"path"
	"time"
)

// SteadyCalls are what a pod in the mesh was answered while it called helloworld at a fixed rate and something was done to
// the mesh and undone. Their file is steady-calls.json in the epoch after the repair.
type SteadyCalls struct {
	From string  `json:"from"`
	Pod  string  `json:"pod"`
	Rate float64 `json:"rate"` // requests a second
	// Broken is when it was done, Restored when it was undone, Ended when the mesh was taken to have recovered, or was given
	// up. They are of the suite's clock, the requests of the pod's: on one machine they are the same.
	Broken   time.Time `json:"broken"`
	Restored time.Time `json:"restored"`
	Ended    time.Time `json:"ended"`
	// Requests in the order in which they were sent.
	Requests []Request `json:"requests"`
}

// Request is one steady call.
type Request struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Code    int       `json:"code"` // 0 = no answer
	// Version of the helloworld that answered; "" when it was none.
	Version string `json:"version,omitempty"`
	// Error is why there was no answer, or what answered in place of helloworld.
	Error string `json:"error,omitempty"`
}

const steadyFile = "steady-calls.json"

// FileOfSteadyCalls names the file of a cluster's steady calls.
func FileOfSteadyCalls(epoch, cluster string) string { return path.Join(epoch, cluster, steadyFile) }
