package html

import (
	"testing"

	"github.com/meshproof/meshproof/framework/evidence/evidencetest"
)

// TestAPageOfAnotherNamespace: the page says the same when the guide's sample is in another namespace, but for the flag that
// repeats it.
func TestAPageOfAnotherNamespace(t *testing.T) {
	moved := evidencetest.Moved(t, recorded)
	want := judged(load(t))
	want.Reproduce = []string{repeat(moved.Intent)}
	if got := evidencetest.Back([]byte(render(t, judged(moved)))); got != evidencetest.Back([]byte(render(t, want))) {
		t.Error("the page differs")
	}
}
