package guide

import (
	"regexp"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/intent"
)

// TestAnotherNamespaceDeviatesNowhereElse: putting the guide's namespace back into what is run gives what is run without the
// option, and each difference is told with its printed text.
func TestAnotherNamespaceDeviatesNowhereElse(t *testing.T) {
	guides := regexp.MustCompile(`\bsample\b`)
	moved, all := values(), 0
	moved.Namespace = "ours"
	told := func(id, was, is string, before, after []Deviation) {
		if guides.MatchString(is) || strings.ReplaceAll(is, "ours", "sample") != was {
			t.Errorf("%s runs %q in another namespace, and %q in the guide's", id, is, was)
		}
		more := after[min(len(before), len(after)):]
		if (was == is) != (len(more) == 0) {
			t.Errorf("%s: deviations %+v", id, more)
		}
		for _, d := range more {
			all++
			if strings.Count(was, d.Printed) != 1 || strings.Count(is, d.Run) != 1 || !strings.Contains(d.Reason, "--namespace") {
				t.Errorf("%s: deviation %+v is not one of %q", id, d, was)
			}
		}
	}
	steps, err := Steps(Clusters)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		was, before, err := Render(s, values(), intent.Corrected)
		if err != nil {
			t.Fatal(err)
		}
		is, after, err := Render(s, moved, intent.Corrected)
		if err != nil {
			t.Fatal(err)
		}
		told(s.ID, was, is, before, after)
		if was, before, err = RenderCheck(s, values(), 1, intent.Corrected); err != nil {
			t.Fatal(err)
		}
		if is, after, err = RenderCheck(s, moved, 1, intent.Corrected); err != nil {
			t.Fatal(err)
		}
		told(s.ID+".check", was, is, before, after)
	}
	if all != 17 { // S10, S11 and S12 twice, S12's check twice, S13 and its check, S14 three times on two clusters, S15 twice
		t.Errorf("%d deviations, want 17", all)
	}
}
