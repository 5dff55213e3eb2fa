package evidence

import "time"

// Span gives when the first step began, and how long it took until the last one ended, in seconds. A step that was not performed has
// no start, and does not count; where none was, began is zero.
func Span(steps []Step) (began time.Time, seconds float64) {
	for _, s := range steps {
		if !s.Started.IsZero() && (began.IsZero() || s.Started.Before(began)) {
			began = s.Started
		}
	}
	for _, s := range steps {
		if !s.Started.IsZero() {
			seconds = max(seconds, s.Started.Sub(began).Seconds()+s.Seconds)
		}
	}
	return began, seconds
}
