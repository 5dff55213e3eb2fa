package html

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func TestTexts(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{seconds(-1), "unknown"}, {seconds(0.00045), "0.5 ms"}, {seconds(0.38), "380 ms"}, {seconds(0.9996), "1.0 s"}, {seconds(4.27), "4.3 s"},
		{seconds(59.4), "59 s"}, {seconds(59.6), "1 min"}, {seconds(224), "3 min 44 s"},
		{percent(1, 3), "33.33%"}, {percent(1, 0), "0%"}, {share(0.5133), "51.3 %"},
		{sentence(" all hold"), "All hold."}, {sentence("Done."), "Done."}, {sentence("  "), ""}, {sentence("état"), "État."},
		{clip("short", 10).Head, "short"}, {clip("short", 10).All, ""},
		{clip("one two three four", 10).Head, "one"}, {clip("one two three four", 10).Tail, "four"}, {clip("one two three four", 10).All, "one two three four"},
		{clip("one\n\ntwo three four\n", 10).Head, "one;"}, {clip("a\nb\n", 10).Head, "a; b"}, {clip("one two\nthree four", 10).All, "one two\nthree four"},
		{grown(0), "+0"}, {grown(7), "+7"}, {grown(-1), "not known"},
		{short(strings.Repeat("a", 64)), "aaaaaaaaaaaaaaaa…"}, {short("abc"), "abc"},
		{plural(1, "pod"), "1 pod"}, {plural(0, "pod"), "0 pods"},
		{linkTo("evidence", "10-joined/east/a b#c.json").Href, "evidence/10-joined/east/a%20b%23c.json"}, {linkTo("evidence", "../x").Href, ""}, {linkTo("", "/etc").Href, ""},
		{fit("[2001:db8::1234:5678:9]:15443"), "[2001:db8::1234:5678:…"}, {clock(90), "1:30"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestWaysOfTheRecordedMesh(t *testing.T) {
	for name, tc := range map[string]struct {
		run   evidence.Run
		state state
	}{"healthy": {load(t), works}, "different roots": {differentRoots(t), broken}} {
		all := ways(tc.run)
		if len(all) != 4 {
			t.Fatalf("%s: %d ways, want each cluster's own and the one to the other", name, len(all))
		}
		for _, w := range all {
			want := tc.state
			if w.Local {
				want = works
			}
			if w.State != want || w.Bypass {
				t.Errorf("%s: the way from %s to %s is %s (bypass %t), want %s", name, w.From, w.To, w.State, w.Bypass, want)
			}
			if gateway := strings.HasSuffix(w.Known, ":15443"); gateway == w.Local {
				t.Errorf("%s: sleep on %s holds %s for %s", name, w.From, w.Known, w.To)
			}
		}
	}
}

// TestCallsThroughAHostNameGoByTheGateway: Envoy holds what istiod resolved a load balancer's host name to.
func TestCallsThroughAHostNameGoByTheGateway(t *testing.T) {
	run := load(t)
	for _, in := range run.Intent.Clusters {
		services := run.Cluster(evidence.Joined, in.Name).Kubernetes.Services
		for i, s := range services {
			if s.Labels[evidence.GatewayLabel] == evidence.GatewayValue {
				services[i].Addresses = []string{"gateway." + in.Name + ".example"}
			}
		}
	}
	for _, w := range ways(run) {
		if w.Bypass || w.State != works {
			t.Errorf("the way from %s to %s is %s (bypass %t)", w.From, w.To, w.State, w.Bypass)
		}
	}
}

func TestStateOfAWay(t *testing.T) {
	in := load(t).Intent
	reply := func(version string, n int) []evidence.Reply {
		return slices.Repeat([]evidence.Reply{{Version: version}}, n)
	}
	dial := func(connected bool) []evidence.Dial {
		return []evidence.Dial{{To: "west", Address: "10.0.0.1:15443", Connected: connected, Error: "refused"}}
	}
	for name, tc := range map[string]struct {
		seen  evidence.Cluster
		state state
		words string
	}{
		"nothing":                    {evidence.Cluster{}, unknown, "not measured"},
		"only a dial that failed":    {evidence.Cluster{Dials: dial(false)}, broken, "no TCP connection"},
		"only a dial":                {evidence.Cluster{Dials: dial(true)}, unknown, "TCP connects"},
		"all answered at home":       {evidence.Cluster{Dials: dial(true), Traffic: []evidence.Traffic{{Purpose: evidence.Split, Asked: 4, Replies: reply("v1", 4)}}}, broken, "0 of 4 calls"},
		"half came back":             {evidence.Cluster{Dials: dial(true), Traffic: []evidence.Traffic{{Purpose: evidence.Split, Asked: 4, Replies: reply("v2", 2)}}}, works, "2 of 4 calls"},
		"some, and the dial refused": {evidence.Cluster{Dials: dial(false), Traffic: []evidence.Traffic{{Purpose: evidence.Split, Asked: 4, Replies: reply("v2", 1)}}}, partly, "no TCP connection"},
		"no reply at all":            {evidence.Cluster{Traffic: []evidence.Traffic{{Purpose: evidence.Split, Asked: 4}}}, unknown, "not measured"},
	} {
		run := evidence.Run{Intent: in, Epochs: map[string]evidence.Epoch{evidence.Joined: {Clusters: map[string]*evidence.Cluster{"east": &tc.seen}}}}
		w := wayOf(run, in.Clusters[0], in.Clusters[1])
		if words := crossWords(w); w.State != tc.state || !slices.Contains(words, tc.words) {
			t.Errorf("%s: state %s, words %q, want %s and %q", name, w.State, words, tc.state, tc.words)
		}
	}
}

func TestRawAddressesGoRoundTheGateway(t *testing.T) {
	run := load(t)
	c := run.Cluster(evidence.Joined, "west") // east's calls know west by its gateway; take that address from the service
	for i := range c.Kubernetes.Services {
		c.Kubernetes.Services[i].Addresses = nil
	}
	w := wayOf(run, run.Intent.Clusters[0], run.Intent.Clusters[1])
	if !w.Bypass || !slices.Contains(crossWords(w), "round the gateway") {
		t.Errorf("way %+v: addresses that are none of the gateway's must show", w)
	}
	drawn := draw(run, [2]intent.Cluster{run.Intent.Clusters[0], run.Intent.Clusters[1]}, wide())
	if drawn.Lines[0].Path != lineOf(wide().sides[0].bypass, works).Path {
		t.Errorf("the first edge is %s, want the one round the gateway", drawn.Lines[0].Path)
	}
}

func TestDrawingsStayInTheirFrames(t *testing.T) {
	run := differentRoots(t)
	pair := [2]intent.Cluster{run.Intent.Clusters[0], run.Intent.Clusters[1]}
	for _, l := range []layout{wide(), tall()} {
		d := draw(run, pair, l)
		within := func(what string, x, y int) {
			if x < 0 || x > d.W || y < 0 || y > d.H {
				t.Errorf("%s: %s at %d,%d is outside of %d x %d", l.class, what, x, y, d.W, d.H)
			}
		}
		for i, n := range d.Nodes {
			within(n.Title, n.X, n.Y)
			within(n.Title, n.X+n.W, n.Y+n.H)
			for _, o := range d.Nodes[:i] {
				if n.X < o.X+o.W && o.X < n.X+n.W && n.Y < o.Y+o.H && o.Y < n.Y+n.H {
					t.Errorf("%s: %s lies on %s", l.class, n.Title, o.Title)
				}
			}
			for _, line := range n.Lines {
				within(line.Text, line.X, line.Y)
				if line.Y > n.Y+n.H {
					t.Errorf("%s: %q is below its node", l.class, line.Text)
				}
			}
		}
		for _, s := range l.sides {
			for _, path := range [][]point{s.cross, s.onward, s.local, s.bypass} {
				for i, p := range path {
					within("edge", p[0], p[1])
					if i > 0 && p[0] != path[i-1][0] && p[1] != path[i-1][1] {
						t.Errorf("%s: edge %v is not at right angles", l.class, path)
					}
				}
			}
		}
		for _, label := range d.Labels {
			within(label.Text, label.X, label.Y)
		}
		if len(d.Nodes) != 6 || len(d.Boxes) != 2 || len(d.Labels) < 6 {
			t.Errorf("%s: %d nodes, %d boxes, %d labels", l.class, len(d.Nodes), len(d.Boxes), len(d.Labels))
		}
	}
}

func TestTimeLine(t *testing.T) {
	at := func(s float64) time.Time {
		return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
	}
	run := evidence.Run{Intent: intent.Intent{Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}}, Steps: []evidence.Step{
		{ID: "S6.2", Cluster: "east", Title: "b", Started: at(5), Seconds: 10},
		{ID: "P1", Title: "a", Started: at(0), Seconds: 5},
		{ID: "S6.1.wait", Cluster: "east", Title: "wait until it is there", Started: at(8), Seconds: 2},
		{ID: "S7.1", Cluster: "east", Title: "c", Started: at(15), Seconds: 5, Error: "refused", Stderr: "no"},
	}}
	got := timesOf(run)
	if got.Total != "20 s" || len(got.Lanes) != 2 || got.Lanes[0].Name != "mesh" || got.Lanes[1].Name != "east" {
		t.Fatalf("total %s, lanes %+v: want 20 s, and a lane for the mesh and for east, where something was done", got.Total, got.Lanes)
	}
	east := got.Lanes[1].Blocks
	if east[0].Y != 0 || east[1].Y == 0 || east[2].Y != 0 {
		t.Errorf("blocks %+v: the wait overlaps the first step, and only that must lie below it", east)
	}
	if east[0].X != "25.00%" || east[0].W != "50.00%" {
		t.Errorf("block from %s, %s wide, want 25 %% and 50 %%", east[0].X, east[0].W)
	}
	if len(got.Failed) != 1 || got.Failed[0].Output != "no" || got.Steps[0].ID != "P1" {
		t.Errorf("failed %+v, first step %s", got.Failed, got.Steps[0].ID)
	}
	if len(got.Waits) != 1 || got.Waits[0].Title != "it is there" || got.Waits[0].Cells[0].Took != "2.0 s" {
		t.Errorf("waits %+v", got.Waits)
	}
}

func TestTicksAreFewAndOnTheLine(t *testing.T) {
	for _, total := range []float64{0.2, 1, 7, 59, 224, 3600, 100000} {
		all := ticks(total)
		if len(all) < 1 || len(all) > 7 {
			t.Errorf("%g s has %d ticks", total, len(all))
		}
		for _, tick := range all {
			if x, err := strconv.ParseFloat(strings.TrimSuffix(tick.X, "%"), 64); err != nil || x > 100 {
				t.Errorf("%g s has a tick at %s", total, tick.X)
			}
		}
	}
}

func TestSplitReadsTheSameFromAFile(t *testing.T) {
	run := load(t)
	f := claim.Finding{Claim: splitClaim, Subject: "east to west", Verdict: claim.Passed, Reason: "fine", Measured: map[string]any{
		"replies": map[string]int{"v1": 150, "v2": 450}, "band": []int{230, 370}, "interval95": []float64{0.2, 0.3}, "expectedShare": 0.5, "share": 0.25,
	}}
	fresh := splitOf(run, f, run.Intent.Clusters[0])
	f.Measured = map[string]any{
		"replies": map[string]any{"v1": 150.0, "v2": 450.0}, "band": []any{230.0, 370.0}, "interval95": []any{0.2, 0.3}, "expectedShare": 0.5, "share": 0.25,
	}
	if loaded := splitOf(run, f, run.Intent.Clusters[0]); !reflect.DeepEqual(loaded, fresh) {
		t.Errorf("judged %+v\nloaded %+v", fresh, loaded)
	}
	if fresh.N != 600 || fresh.Here != "25.00%" || fresh.BandX != "38.33%" || fresh.From != "20.00%" || fresh.Parts[1].X != "25.00%" || fresh.Parts[1].W != "75.00%" {
		t.Errorf("bar %+v", fresh)
	}
	west := splitOf(run, f, run.Intent.Clusters[1])
	if west.Parts[0].Label != "v2 here on west" || west.Parts[0].Class != fresh.Parts[1].Class {
		t.Errorf("parts %+v: v2 comes first from west, and has the colour that it has from east", west.Parts)
	}
	f.Measured = map[string]any{"replies": "none"}
	if odd := splitOf(run, f, run.Intent.Clusters[0]); odd.N != 0 || odd.Sentence != "Fine." {
		t.Errorf("numbers of an unknown shape give %+v, want the reason alone", odd)
	}
}

// The word for the expected share stands under its line, but for where it would stand on the bar's ends.
func TestTheExpectedShareIsReadable(t *testing.T) {
	for share, want := range map[float64]wordAt{
		0: {"0", "start", 14}, 0.25: {"0", "start", 14}, 1.0 / 3: {"33.33%", "middle", 90}, 0.5: {"50.00%", "middle", 90}, 1: {"100%", "end", 14},
	} {
		if got := expectedAt(share); *got != want {
			t.Errorf("share %g: %+v, want %+v", share, *got, want)
		}
	}
}

func TestHostCountsMarkWhatStartedAnew(t *testing.T) {
	counter := func(host string, requests int64) evidence.Counters {
		return evidence.Counters{Pod: "p", Cluster: "c", Address: host, RqTotal: requests}
	}
	all := hostCounts(evidence.Traffic{
		Before: []evidence.Counters{counter("a", 10), counter("b", 50)},
		After:  []evidence.Counters{counter("a", 310), counter("b", 3), counter("new", 7)},
	})
	if all[0].Requests != 300 || all[0].Restarted || !all[1].Restarted || !all[2].Restarted {
		t.Errorf("counts %+v: a grew by 300; b fell and new was not there before, which must be marked", all)
	}
}

func TestDeviationsAreToldOnce(t *testing.T) {
	change := func(run string) []evidence.Deviation {
		return []evidence.Deviation{{Printed: "--network default", Run: run, Reason: "F1 forces it", Finding: "F1"}}
	}
	all := deviations([]evidence.Step{
		{ID: "S6.2", Deviations: change("--network network2")}, {ID: "S6.1", Deviations: change("--network network1")}, {ID: "S9.1", Deviations: change("--network network1")},
	})
	if len(all) != 1 || len(all[0].Runs) != 2 || all[0].Runs[0].Steps != "S6.1, S9.1" || all[0].Runs[1].Run != "--network network2" {
		t.Errorf("deviations %+v: want one, with what each step ran", all)
	}
}

func TestPairsOfMoreThanTwoClusters(t *testing.T) {
	run := differentRoots(t)
	if got := pairs(run); got != nil {
		t.Errorf("a matrix of two clusters: %v", got)
	}
	run.Intent.Clusters = append(run.Intent.Clusters, intent.Cluster{Name: "north", Version: "v3"})
	rows := pairs(run)
	if len(rows) != 3 || len(rows[0].To) != 3 {
		t.Fatalf("rows %+v: want three of three", rows)
	}
	for _, want := range []struct {
		from, to int
		state    state
	}{{0, 0, works}, {0, 1, broken}, {0, 2, broken}, {2, 0, unknown}} {
		if got := rows[want.from].To[want.to]; got.State != want.state {
			t.Errorf("%s to %s is %s, want %s", got.From, got.To, got.State, want.state)
		}
	}
}
