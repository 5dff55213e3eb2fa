package poll

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestUntilReturnsAtTheFirstSuccess(t *testing.T) {
	tries := 0
	err := Until(t.Context(), Wait{What: "three", Where: "here", Limit: time.Minute, Every: time.Nanosecond},
		func(context.Context) (string, error) {
			tries++
			if tries < 3 {
				return "not yet", errors.New("below three")
			}
			return "", nil
		})
	if err != nil || tries != 3 {
		t.Fatalf("err %v after %d tries, want nil after 3", err, tries)
	}
}

func TestUntilEndsWithWhatWhereStateAndError(t *testing.T) {
	cause := errors.New("pool empty")
	err := Until(t.Context(), Wait{What: "gateway has an address", Where: "cluster east", Limit: time.Millisecond, Every: time.Nanosecond},
		func(context.Context) (string, error) { return "<pending>", cause })
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrGaveUp) || !errors.Is(err, cause) {
		t.Fatalf("error %v does not unwrap to *Error, ErrGaveUp and the cause", err)
	}
	for _, want := range []string{"gateway has an address", "cluster east", "<pending>", "pool empty", "limit 1ms", "tries"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestUntilStopsAtAFinalErrorAndAtCancellation(t *testing.T) {
	tries := 0
	err := Until(t.Context(), Wait{What: "x", Where: "y", Limit: time.Hour},
		func(context.Context) (string, error) { tries++; return "", Final(errors.New("no such namespace")) })
	if err == nil || tries != 1 || !strings.Contains(err.Error(), "no such namespace") {
		t.Errorf("final error: %v after %d tries, want the error after 1", err, tries)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err = Until(ctx, Wait{What: "x", Where: "y", Limit: time.Hour, Every: time.Hour},
		func(context.Context) (string, error) {
			cancel(errors.New("interrupted by ctrl-c"))
			return "", errors.New("not yet")
		})
	if err == nil || !strings.Contains(err.Error(), "interrupted by ctrl-c") {
		t.Errorf("cancelled: %v, want the reason of the cancellation", err)
	}
}

// TestATryThatIsCutShortHidesNothing: what the last whole try saw and said is told, not that the limit, or who ended the wait, cut the
// one after it; but a first try that is cut short is all that there is, and a final error is told whenever it comes.
func TestATryThatIsCutShortHidesNothing(t *testing.T) {
	gone := Final(errors.New("gone for good"))
	for name, tc := range map[string]struct {
		whole    int
		state    string
		last     error // of the try during which the wait ends; nil = its context's
		says     string
		canceled bool
	}{
		"the second, by the limit":   {1, "", nil, "; last state: pending; last error: pool empty", false},
		"the first, by the limit":    {0, "", nil, "; last error: context deadline exceeded", false},
		"the second, from outside":   {1, "", nil, "; stopped: ctrl-c; last state: pending; last error: pool empty", true},
		"the third, as it is ended":  {2, "", errors.New("it was killed"), "; stopped: ctrl-c; last state: pending; last error: pool empty", true},
		"the first, from outside":    {0, "", nil, "; stopped: ctrl-c; last error: context canceled", true},
		"the second, and for good":   {1, "", gone, "; stopped: no later try can mend this; last error: gone for good", true},
		"the second, which is whole": {1, "no image", errors.New("it does not run"), "; stopped: ctrl-c; last state: no image; last error: it does not run", true},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		limit, tries := 20*time.Millisecond, 0
		if tc.canceled {
			limit = time.Hour
		}
		err := Until(ctx, Wait{What: "x", Where: "y", Limit: limit, Every: time.Nanosecond}, func(ctx context.Context) (string, error) {
			if tries++; tries <= tc.whole {
				return "pending", errors.New("pool empty")
			}
			if tc.canceled {
				cancel(errors.New("ctrl-c"))
			}
			<-ctx.Done()
			return tc.state, cmp.Or(tc.last, ctx.Err())
		})
		cancel(nil)
		if err == nil || !strings.HasSuffix(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}

func TestUntilRefusesAWaitWithoutLimit(t *testing.T) {
	err := Until(t.Context(), Wait{What: "x", Where: "y"}, func(context.Context) (string, error) {
		t.Error("a wait without a limit was tried")
		return "", nil
	})
	if err == nil {
		t.Error("a wait without a limit was accepted")
	}
}

func TestEnoughSaysWhyNoMoreIsTried(t *testing.T) {
	tries := 0
	err := Until(t.Context(), Wait{What: "x", Where: "east", Limit: time.Minute},
		func(context.Context) (string, error) {
			tries++
			return "", Enough(errors.New("2 are open"), "nothing has changed")
		})
	if tries != 1 || err == nil || !strings.Contains(err.Error(), "stopped: nothing has changed; last error: 2 are open") {
		t.Errorf("%d tries, %v", tries, err)
	}
}
