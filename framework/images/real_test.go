package images

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// TestRealSource builds every image for real into the user's cache. It needs an engine and package registries.
func TestRealSource(t *testing.T) {
	if os.Getenv("MESHPROOF_REAL_IMAGES") == "" {
		t.Skip("set MESHPROOF_REAL_IMAGES=1 to build every image")
	}
	start := time.Now()
	set, err := Ensure(t.Context(), Options{Source: Source, Progress: func(e Event) {
		t.Logf("%6.1f %s %d/%d %s %s left %d", time.Since(start).Seconds(), e.State, e.Number, e.Total, e.Item, e.Elapsed.Round(time.Second/10), len(e.Remaining))
	}})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(set, "", " ")
	t.Logf("%s\n%s", time.Since(start), b)
}
