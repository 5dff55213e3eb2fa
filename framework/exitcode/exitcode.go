// Package exitcode is what the program ends with (docs/architecture.md).
package exitcode

// The codes. What was compared and differs, and a fault that was not named, is Failed too.
const (
	Passed       = 0
	Failed       = 1
	Usage        = 2
	CouldNotTell = 3
	Interrupted  = 130 // SIGINT
	Terminated   = 143 // SIGTERM, SIGHUP
)
