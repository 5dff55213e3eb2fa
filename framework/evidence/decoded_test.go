package evidence

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestOnce(t *testing.T) {
	decodings, broken := 0, false
	decode := func(kind string, content json.RawMessage) (string, error) {
		decodings++
		if broken {
			return "", errors.New("cut short")
		}
		return kind + " " + string(content), nil
	}
	d := &decoded{}
	for _, tc := range []struct {
		d             *decoded
		kind, content string
		want          string
		decodings     int // so far
	}{
		{d, "routes", "1", "routes 1", 1},
		{d, "routes", "1", "routes 1", 1},
		{d, "routes", "2", "routes 2", 2},
		{d, "listeners", "1", "listeners 1", 3},
		{d, "routes", "1", "routes 1", 3},
		{nil, "routes", "1", "routes 1", 4},
		{nil, "routes", "1", "routes 1", 5},
	} {
		if got, err := once(tc.d, tc.kind, json.RawMessage(tc.content), decode); err != nil || got != tc.want || decodings != tc.decodings {
			t.Errorf("%s %s: %q, %v after %d decodings, want %q after %d", tc.kind, tc.content, got, err, decodings, tc.want, tc.decodings)
		}
	}
	broken = true
	for range 2 {
		if _, err := once(d, "clusters", json.RawMessage("{"), decode); err == nil {
			t.Error("what does not decode was taken from before")
		}
	}
	if decodings != 7 {
		t.Errorf("%d decodings, want 7: an error is not kept", decodings)
	}
}
