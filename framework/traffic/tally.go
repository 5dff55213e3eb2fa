package traffic

import (
	"bytes"
	"maps"
	"sync"
)

// tally reads the output of Split's command as it comes, and tells who has answered so far.
type tally struct {
	seen func(answered map[string]int)

	mu       sync.Mutex
	rest     []byte // what no whole answer ends yet
	answered map[string]int
}

// Write counts the answers that are whole by now; it never fails.
func (t *tally) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		return len(p), nil
	}
	t.rest = append(t.rest, p...)
	end := lastTrailer(t.rest)
	if end == 0 {
		return len(p), nil
	}
	if t.answered == nil {
		t.answered = map[string]int{}
	}
	for _, r := range ParseSplit(t.rest[:end]) {
		t.answered[r.Version]++
	}
	t.rest = bytes.Clone(t.rest[end:])
	t.seen(maps.Clone(t.answered))
	return len(p), nil
}

// lastTrailer gives where the line of the last trailer ends; 0 when there is none.
func lastTrailer(text []byte) int {
	at := bytes.LastIndex(text, []byte("\n"+marker))
	for at >= 0 {
		if end := bytes.IndexByte(text[at+1:], '\n'); end >= 0 {
			return at + 1 + end + 1
		}
		at = bytes.LastIndex(text[:at], []byte("\n"+marker))
	}
	return 0
}
