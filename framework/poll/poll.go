// Package poll is the project's only waiter. It runs a function until the function returns nil or a named limit ends
// the wait, and its error always says what was awaited, where, for how long, how often it was tried, and what the last
// try saw and said.
package poll

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Wait names one wait: every wait of a run has a name that a person can look up.
type Wait struct {
	// What is awaited, as a condition: "gateway has an address".
	What string
	// Where it is looked for: "cluster east, service istio-system/istio-eastwestgateway".
	Where string
	// Limit is how long the wait may take; it must be positive.
	Limit time.Duration
	// Every is the pause between the end of one try and the start of the next; 0 means 250 ms.
	Every time.Duration
}

// Try looks once. State is one line for a person: what was seen. A nil error ends the wait.
type Try func(ctx context.Context) (state string, err error)

// ErrGaveUp is wrapped by every *Error, so that callers can tell a wait that ended from a try that was refused.
var ErrGaveUp = errors.New("gave up waiting")

// Error says how a wait ended without its condition.
type Error struct {
	Wait
	// Elapsed is the time from the first try to the end.
	Elapsed time.Duration
	// Tries counts the tries that were started.
	Tries int
	// LastState is what the last try saw that the end of the wait did not cut short; where it cut the first, what that one saw.
	LastState string
	// LastErr is what the same try returned; never nil after a try.
	LastErr error
	// Stopped is the reason when the wait was ended from outside (a cancelled context) or by a final error, else nil.
	Stopped error
}

// Error gives what, where, how long, how often, the last state and the last error, in that order.
func (e *Error) Error() string {
	s := fmt.Sprintf("wait for %q on %s: not seen after %s and %d tries (limit %s)",
		e.What, e.Where, e.Elapsed.Round(time.Millisecond), e.Tries, e.Limit)
	if e.Stopped != nil {
		s += fmt.Sprintf("; stopped: %v", e.Stopped)
	}
	if e.LastState != "" {
		s += "; last state: " + e.LastState
	}
	if e.LastErr != nil {
		s += fmt.Sprintf("; last error: %v", e.LastErr)
	}
	return s
}

// Unwrap gives ErrGaveUp, the last error and the reason of an early stop, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	all := []error{ErrGaveUp}
	for _, err := range []error{e.LastErr, e.Stopped} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

type final struct{ err, why error }

func (f final) Error() string { return f.err.Error() }
func (f final) Unwrap() error { return f.err }

var errBeyondMending = errors.New("no later try can mend this")

// Final marks an error of a try as one that no later try can mend: the wait ends at once.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return final{err, errBeyondMending}
}

// Enough marks an error of a try as the last one that is waited for, and says why: a later try might mend it. err must not be nil.
func Enough(err error, why string) error { return final{err, errors.New(why)} }

const defaultEvery = 250 * time.Millisecond

// Until tries at once, and then again after each pause, until try returns nil (then Until returns nil), the limit
// passes, ctx ends, or try returns an error marked by Final or Enough. Each try gets a context that ends with the limit.
func Until(ctx context.Context, w Wait, try Try) error {
	if w.Limit <= 0 {
		return fmt.Errorf("wait for %q on %s: the limit %s is not positive: give the wait a limit", w.What, w.Where, w.Limit)
	}
	every := w.Every
	if every <= 0 {
		every = defaultEvery
	}
	start := time.Now()
	bounded, cancel := context.WithTimeout(ctx, w.Limit)
	defer cancel()
	watch := observer(ctx)
	defer watch(w, nil)
	e := &Error{Wait: w}
	for {
		e.Tries++
		state, err := try(bounded)
		if err == nil {
			return nil
		}
		watch(w, &Look{State: state, Err: err})
		var f final
		ends := errors.As(err, &f)
		if cut := bounded.Err() != nil && state == ""; !cut || ends || e.Tries == 1 { // one that is cut short knows only that it was
			e.LastState, e.LastErr = state, err
		}
		e.Elapsed = time.Since(start)
		if ends {
			e.Stopped = f.why
			return e
		}
		pause := time.NewTimer(every)
		select {
		case <-bounded.Done():
			pause.Stop()
			e.Elapsed = time.Since(start)
			if ctx.Err() != nil {
				e.Stopped = context.Cause(ctx)
			}
			return e
		case <-pause.C:
		}
	}
}
