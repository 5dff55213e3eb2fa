package poll

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestObserveTellsEachTryAndTheEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		failing int
		err     error
		want    []string
	}{
		"seen at once":   {0, nil, []string{"pods: the end"}},
		"seen later":     {2, errors.New("pending"), []string{"pods: state 1: pending", "pods: state 2: pending", "pods: the end"}},
		"given up early": {1, Final(errors.New("denied")), []string{"pods: state 1: denied", "pods: the end"}},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			ctx := Observe(t.Context(), func(w Wait, l *Look) {
				line := w.What + ": the end"
				if l != nil {
					line = w.What + ": " + l.State + ": " + l.Err.Error()
				}
				told = append(told, line)
			})
			tries := 0
			_ = Until(ctx, Wait{What: "pods", Limit: time.Minute, Every: time.Nanosecond}, func(context.Context) (string, error) {
				if tries++; tries > tc.failing {
					return "", nil
				}
				return "state " + string(rune('0'+tries)), tc.err
			})
			if !slices.Equal(told, tc.want) {
				t.Errorf("told %q, want %q", told, tc.want)
			}
		})
	}
}
