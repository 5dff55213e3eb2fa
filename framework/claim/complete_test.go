package claim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// sighting is a verdict on a claim that a test saw, over recorded evidence of real clusters or over a made example.
type sighting struct {
	claim    string
	verdict  Verdict
	recorded bool
}

// sightings are those of all tests of this package: of one(), which each test compares with what it wants, and of whole meshes
// that must pass.
var sightings = map[sighting]bool{}

func saw(run evidence.Run, f Finding) {
	sightings[sighting{f.Claim, f.Verdict, run.Intent.RunID != example.Intent().RunID}] = true
}

// neverFailed are the claims that nothing breaks, and why.
func neverFailed() map[string]string {
	return map[string]string{"evidence-whole": "a damaged file says nothing of the mesh, only that it cannot be told"}
}

// neverRecorded are the claims that are seen over made examples only, and why.
func neverRecorded() map[string]string {
	const asmcli, literal = "no run with a real asmcli was recorded", "no run with the printed text of the guide was recorded"
	return map[string]string{
		"create-mesh-secrets": asmcli, "refuses-other-fleet": asmcli, "printed-networks": literal, "printed-flag": literal,
		"istiod-panics": "the recorded run replaced its control planes, and what they logged at last was not read",
	}
}

// notSeen names what the tests lack: that each claim is seen to hold, to be broken, and to be open.
func notSeen(seen map[sighting]bool) []string {
	var all []string
	for _, c := range All() {
		_, enough := neverRecorded()[c.ID]
		for _, v := range []Verdict{Passed, Failed, Inconclusive} {
			recorded, made := seen[sighting{c.ID, v, true}], seen[sighting{c.ID, v, false}]
			if _, never := neverFailed()[c.ID]; never && v == Failed {
				if recorded || made {
					all = append(all, fmt.Sprintf("claim %s is said never to be %s, and was", c.ID, v))
				}
				continue
			}
			if !recorded && (!enough || !made) {
				all = append(all, fmt.Sprintf("no test sees claim %s %s over recorded evidence: its tests cover that it holds, is broken, and cannot be told", c.ID, v))
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
		for _, missing := range notSeen(sightings) {
			fmt.Fprintln(os.Stderr, missing)
			code = 1
		}
	}
	os.Exit(code)
}

func TestNotSeen(t *testing.T) {
	seen := map[sighting]bool{}
	for _, c := range All() {
		_, made := neverRecorded()[c.ID]
		for _, v := range []Verdict{Passed, Failed, Inconclusive} {
			seen[sighting{c.ID, v, !made}] = true
		}
	}
	damaged := sighting{"evidence-whole", Failed, true}
	delete(seen, damaged)
	if missing := notSeen(seen); len(missing) > 0 {
		t.Errorf("all was seen, but: %q", missing)
	}
	delete(seen, sighting{"gateway-address", Failed, true})
	seen[sighting{"gateway-address", Failed, false}], seen[damaged] = true, true
	missing := notSeen(seen)
	if len(missing) != 2 || !strings.Contains(missing[0], "evidence-whole is said never to be failed") ||
		!strings.Contains(missing[1], "no test sees claim gateway-address failed over recorded evidence") {
		t.Errorf("%q", missing)
	}
}
