package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/exitcode"
)

// TestReachedByPeers spoils what east's pod saw of west's API server, and sees that the row of west, and no other one, says so.
func TestReachedByPeers(t *testing.T) {
	const name = "API server from the peers' pods"
	dial := func(to string, connected bool, err string) evidence.Dial {
		return evidence.Dial{To: to, Address: to + ".example.com:443", Connected: connected, Error: err}
	}
	for _, tc := range []struct {
		name string
		east Seen[[]evidence.Dial]
		want Verdict
		// seen and do are parts of what the row says.
		seen, do string
	}{
		{"reached", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("west", true, "")}}, OK, "a pod of east connects to west.example.com:443", ""},
		{"refused", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("west", false, "connect: connection refused")}}, Failed, "a pod of east does not connect to west.example.com:443: connect: connection refused", "istioctl create-remote-secret --server"},
		{"timed out", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("west", false, "i/o timeout")}}, Failed, "i/o timeout", "authorized networks"},
		{"no route", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("west", false, "no route to host")}}, Failed, "no route to host", "routes, firewall"},
		{"an unknown name", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("west", false, "lookup west.example.com: no such host")}}, Failed, "no such host", "DNS"},
		{"no pod", Seen[[]evidence.Dial]{Err: errNo}, Unknown, "from east it cannot be told: no such luck", "--probe-image"},
		{"an answer in spite of an error", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("west", true, "")}, Err: errNo}, OK, "a pod of east connects", ""},
		{"no answer", Seen[[]evidence.Dial]{}, Unknown, "from east it was not dialled", "look again"},
		{"an answer about another", Seen[[]evidence.Dial]{Value: []evidence.Dial{dial("north", true, "")}}, Unknown, "from east it was not dialled", "look again"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := sound()
			f.Dialled = map[string]Seen[[]evidence.Dial]{"east": tc.east, "west": {Value: []evidence.Dial{dial("east", true, "")}}}
			rows := Rows(f)
			of := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Name != name })
			if len(of) != 2 || of[0].Cluster != "east" || of[0].Verdict != OK || of[1].Cluster != "west" {
				t.Fatalf("%+v", of)
			}
			if r := of[1]; r.Verdict != tc.want || !strings.Contains(r.Seen, tc.seen) || !strings.Contains(r.Do, tc.do) || (r.Do == "") != (tc.want == OK) {
				t.Errorf("%+v, want %s with %q and %q", r, tc.want, tc.seen, tc.do)
			}
			if code, want := ExitCode(rows), map[Verdict]int{OK: 0, Failed: exitcode.Failed, Unknown: exitcode.CouldNotTell}[tc.want]; code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
}

// TestNoProbeNoRow: without a probe nothing is said of it, and of three clusters one that is refused counts more than one that is mum.
func TestNoProbeNoRow(t *testing.T) {
	f := sound()
	rowOf := func() (found []Row) {
		for _, r := range Rows(f) {
			if strings.HasPrefix(r.Name, "API server from") && r.Cluster == "west" {
				found = append(found, r)
			}
		}
		return found
	}
	if rows := rowOf(); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
	north := f.Clusters[0]
	north.Name = "north"
	f.Clusters = append(f.Clusters, north)
	f.Dialled = map[string]Seen[[]evidence.Dial]{"east": {Err: errNo}, "north": {Value: []evidence.Dial{{To: "west", Address: "a:1", Error: "refused"}}}}
	if rows := rowOf(); len(rows) != 1 || rows[0].Verdict != Failed || !strings.Contains(rows[0].Seen, "no such luck") {
		t.Errorf("%+v", rows)
	}
}
