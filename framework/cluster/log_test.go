package cluster

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTheEndOfALogIsKept(t *testing.T) {
	long := strings.Repeat("x", 100<<10) + "last"
	for name, tc := range map[string]struct {
		text string
		most int
		want string
	}{
		"nothing": {"", 4, ""},
		"short":   {"all", 4, "all"},
		"exact":   {"last", 4, "last"},
		"long":    {long, 5, "xlast"},
	} {
		got, err := end(iotest.HalfReader(strings.NewReader(tc.text)), tc.most)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tc.want)
		}
	}
	gone := errors.New("connection reset")
	if got, err := end(iotest.ErrReader(gone), 4); !errors.Is(err, gone) || got != nil {
		t.Errorf("of a stream that broke off: %q, %v", got, err)
	}
}
