package traffic

import (
	"maps"
	"testing"
)

// However the stream is cut, the last count is that of the whole output, and no count falls behind the one before.
func TestTallyCountsAsTheCallsAreAnswered(t *testing.T) {
	text := answer(v1, 1, 200, 0) + answer(v2, 2, 200, 0) + answer("upstream connect error", 3, 503, 0) + answer("", 4, 0, 28) + answer(v2, 5, 200, 0)
	want := map[string]int{"v1": 1, "v2": 2, "": 2}
	for size := 1; size <= len(text); size++ {
		var last map[string]int
		told := 0
		count := &tally{seen: func(answered map[string]int) {
			for version, n := range last {
				if answered[version] < n {
					t.Fatalf("pieces of %d bytes: %v after %v", size, answered, last)
				}
			}
			last = answered
			told++
		}}
		for from := 0; from < len(text); from += size {
			_, _ = count.Write([]byte(text[from:min(from+size, len(text))]))
		}
		if !maps.Equal(last, want) || size == 1 && told != 5 {
			t.Errorf("pieces of %d bytes: %v, told %d times, want %v", size, last, told, want)
		}
	}
}

func TestTallyLeavesOutWhatIsNotWhole(t *testing.T) {
	var last map[string]int
	count := &tally{seen: func(answered map[string]int) { last = answered }}
	whole := answer(v1, 1, 200, 0)
	for _, piece := range []string{whole[:len(whole)-1], "\n", "Hello version: v2, inst"} {
		_, _ = count.Write([]byte(piece))
		if piece != "\n" && len(piece) > 50 && last != nil {
			t.Errorf("%v was told of %q", last, piece)
		}
	}
	if !maps.Equal(last, map[string]int{"v1": 1}) {
		t.Errorf("%v, want one answer of v1", last)
	}
}
