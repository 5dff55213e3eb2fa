package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/shell"
)

// heard keeps what it is told of waits, and nothing else.
type heard struct {
	silent
	lines []string
}

func (h *heard) Progress(p Progress) {
	h.lines = append(h.lines, fmt.Sprintf("%s|%s|%s|%t", p.Cluster, p.What, p.State, p.Over))
}

// Each state of a wait is told once, its end only when something was told of it, and its cluster by name.
func TestWaitsAreToldOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		where  string
		states []string
		want   []string
	}{
		"a cluster's":        {"cluster west, namespace sample", []string{"pending", "pending", "starting"}, []string{"west|pods|pending|false", "west|pods|starting|false", "west|pods||true"}},
		"of all clusters":    {"all clusters", []string{"one of two"}, []string{"|pods (all clusters)|one of two|false", "|pods (all clusters)||true"}},
		"an unknown one's":   {"cluster north", []string{"x"}, []string{"|pods (cluster north)|x|false", "|pods (cluster north)||true"}},
		"without a state":    {"cluster west", []string{""}, []string{"west|pods|not yet|false", "west|pods||true"}},
		"with several lines": {"cluster west", []string{"a\n  b"}, []string{"west|pods|a b|false", "west|pods||true"}},
		"seen at once":       {"cluster west", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := &heard{}
			s := &Session{o: Options{Tell: h}, intent: intent.Intent{Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}}}
			for range 2 { // a wait that comes again is told again
				h.lines = nil
				left := tc.states
				_ = poll.Until(s.watched(t.Context()), poll.Wait{What: "pods", Where: tc.where, Limit: time.Minute, Every: time.Nanosecond}, func(context.Context) (string, error) {
					if len(left) == 0 {
						return "", nil
					}
					state := left[0]
					left = left[1:]
					return state, errors.New("not yet")
				})
				if !slices.Equal(h.lines, tc.want) {
					t.Errorf("told %q, want %q", h.lines, tc.want)
				}
			}
		})
	}
}

// TestCommandsAreTheRuns: whatever a run has done by a command, a step of the guide and a fault too, is known as its own while it lasts.
func TestCommandsAreTheRuns(t *testing.T) {
	s := &Session{o: Options{Tell: silent{}, StateDir: t.TempDir(), RunID: "r1"}}
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	r, err := shell.Run(s.watched(t.Context()), shell.Command{Args: []string{"/bin/sh", "-c", "tr '\\0' '\\n' < /proc/self/environ"}, Env: []string{"PATH=" + os.Getenv("PATH")}})
	if err != nil || !strings.HasSuffix(r.Stdout, "="+s.o.dir()+"\n") {
		t.Errorf("its environment is %q, %v", r.Stdout, err)
	}
}

// A step that was ended says why, once: whoever was ended may have said it already.
func TestAStepSaysOnceWhyItWasEnded(t *testing.T) {
	why := errors.New("the limit has passed")
	ctx, end := context.WithCancelCause(t.Context())
	end(why)
	for want, err := range map[string]error{"create it: the limit has passed": fmt.Errorf("create it: %w", why), "broken pipe\nthe limit has passed": errors.New("broken pipe")} {
		s := &Session{o: Options{Tell: silent{}}}
		_ = s.step(ctx, "P3", "", "create it", func(context.Context) error { return err })
		if got := s.steps[0].Error; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
