package html

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence/evidencetest"
)

// TestAPageOfAnotherNamespace: the page says the same when the guide's sample is in another namespace, but for the flag that
// repeats it.
func TestAPageOfAnotherNamespace(t *testing.T) {
	moved := evidencetest.Moved(t, recorded)
	want := strings.Replace(render(t, judged(load(t))), " --samples", " --namespace sample --samples", 1)
	if got := evidencetest.Back([]byte(render(t, judged(moved)))); got != evidencetest.Back([]byte(want)) {
		t.Error("the page differs")
	}
}
