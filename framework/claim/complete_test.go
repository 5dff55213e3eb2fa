package claim

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// seenVerdicts are the verdicts that the tests of this package saw of each claim: those of one(), which each test compares with
// what it wants, and those of whole meshes that must pass.
var seenVerdicts = map[string][]Verdict{}

func saw(f Finding) { seenVerdicts[f.Claim] = append(seenVerdicts[f.Claim], f.Verdict) }

// neverSeen gives the verdicts that a claim cannot have, and why.
func neverSeen() map[string]map[Verdict]string {
	return map[string]map[Verdict]string{
		"evidence-whole": {Failed: "a damaged file says nothing of the mesh, only that it cannot be told"},
	}
}

// notSeen names what All requires and the tests did not see: that each claim holds, is broken, and cannot be told.
func notSeen(saw map[string][]Verdict) []string {
	var all []string
	for _, c := range All() {
		for _, v := range []Verdict{Passed, Failed, Inconclusive} {
			_, never := neverSeen()[c.ID][v]
			switch seen := slices.Contains(saw[c.ID], v); {
			case never && seen:
				all = append(all, fmt.Sprintf("claim %s is said never to be %s, and was", c.ID, v))
			case !never && !seen:
				all = append(all, fmt.Sprintf("no test sees claim %s %s: a claim's tests cover that it holds, is broken, and cannot be told", c.ID, v))
			}
		}
	}
	return all
}

// TestMain looks at what all tests together saw. A choice of tests (-run, -skip, -list) or a failure decides nothing about it.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	whole := true
	for _, choice := range []string{"test.run", "test.skip", "test.list"} {
		whole = whole && flag.Lookup(choice).Value.String() == ""
	}
	if code == 0 && whole {
		for _, missing := range notSeen(seenVerdicts) {
			fmt.Fprintln(os.Stderr, missing)
			code = 1
		}
	}
	os.Exit(code)
}

func TestNotSeen(t *testing.T) {
	saw := map[string][]Verdict{}
	for _, c := range All() {
		saw[c.ID] = []Verdict{Passed, Failed, Inconclusive}
	}
	saw["evidence-whole"] = []Verdict{Passed, Inconclusive}
	if missing := notSeen(saw); len(missing) > 0 {
		t.Errorf("all was seen, but: %q", missing)
	}
	saw["gateway-address"], saw["evidence-whole"] = []Verdict{Passed, Inconclusive}, []Verdict{Passed, Failed, Inconclusive}
	missing := notSeen(saw)
	if len(missing) != 2 || !strings.Contains(missing[0], "evidence-whole is said never to be failed") ||
		!strings.Contains(missing[1], "no test sees claim gateway-address failed") {
		t.Errorf("%q", missing)
	}
}
