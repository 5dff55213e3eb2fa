package poll

import (
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
