package html

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func TestRowsMarkWhatDiffers(t *testing.T) {
	differs := func(run evidence.Run) (names []string) {
		for _, r := range fingerprints(run) {
			if r.Odd != "" {
				names = append(names, r.Name)
			}
		}
		return names
	}
	if got := differs(load(t)); len(got) > 0 {
		t.Errorf("the healthy mesh differs in %v", got)
	}
	run := differentRoots(t)
	run.Cluster(evidence.Joined, "west").Kubernetes.Version = "v1.36.0"
	if got := differs(run); !slices.Equal(got, []string{"Root (SHA-256)"}) { // of Kubernetes each may have its own release
		t.Errorf("the mesh differs in %v", got)
	}
	if rows := fingerprints(run); rows[0].Name != "Root (SHA-256)" || rows[1].Name != "Kubernetes" || rows[2].Name != "istiod" {
		t.Errorf("rows %s, %s, %s come first: want those that differ, and the rest in its order", rows[0].Name, rows[1].Name, rows[2].Name)
	}
	other := &run.Cluster(evidence.Joined, "east").Proxies[0]
	other.RootSHA256, other.Roots = "another", []string{"another"}
	if text := rootOf(run.Intent, run.Cluster(evidence.Joined, "east")).Text; !strings.Contains(text, "1 of its proxies trust another") {
		t.Errorf("a proxy that trusts another root is not told: %q", text)
	}
}

func TestRowsShowWhatIsAlikeOnce(t *testing.T) {
	run := load(t)
	for _, r := range fingerprints(run) {
		if want := map[bool]string{true: "on both"}[r.Name != "Network" && r.Name != "Gateway" && r.Name != "Cluster ID" && r.Name != "API server"]; r.Same != want {
			t.Errorf("row %s: same %q, want %q", r.Name, r.Same, want)
		}
	}
	first, _, _ := strings.Cut(render(t, judged(run)), "<nav aria-label")
	if text := parse(t, first).text; !strings.Contains(text, "v1.37.2 on both") || strings.Count(text, "v1.37.2") != 1 {
		t.Error("the page does not show the version of both clusters once")
	}
	a, b := cell{Text: "a"}, cell{Text: "b"}
	for _, tc := range []struct {
		cells []cell
		want  string
	}{{nil, ""}, {[]cell{a}, ""}, {[]cell{a, b}, ""}, {[]cell{a, a}, "on both"}, {[]cell{a, a, a}, "on all 3"}, {[]cell{a, a, b}, ""}} {
		if got := same(tc.cells); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.cells, got, tc.want)
		}
	}
}

// TestAnchorsBesideTheRootAreNoOtherRoot: the row and the cause different-roots say the same.
func TestAnchorsBesideTheRootAreNoOtherRoot(t *testing.T) {
	run := load(t)
	for _, in := range run.Intent.Clusters {
		c := run.Cluster(evidence.Joined, in.Name)
		c.Kubernetes.MeshRoots = []string{c.Kubernetes.MeshRoot}
		for i := range c.Proxies {
			c.Proxies[i].RootSHA256, c.Proxies[i].Roots = "with anchors", []string{c.Kubernetes.MeshRoot, "anchor"}
		}
	}
	row := func() row {
		rows := fingerprints(run)
		return rows[slices.IndexFunc(rows, func(r row) bool { return r.Name == "Root (SHA-256)" })]
	}
	if r := row(); r.Odd != "" || r.Same == "" || strings.Contains(r.Cells[0].Text, "trust another") {
		t.Errorf("anchors on all clusters are shown as %+v", r)
	}
	east := run.Cluster(evidence.Joined, "east")
	for i := range east.Proxies {
		east.Proxies[i].RootSHA256, east.Proxies[i].Roots = east.Kubernetes.MeshRoot, east.Kubernetes.MeshRoots
	}
	if r := row(); r.Odd == "" || strings.Contains(r.Cells[0].Text+r.Cells[1].Text, "trust another") {
		t.Errorf("anchors on west alone are shown as %+v", r)
	}
}

func TestTheRootOfAFleetIsThatOfItsProxies(t *testing.T) {
	run := load(t)
	run.Intent.CA, run.Intent.EmulatedCA = intent.MeshCA, true
	for _, in := range run.Intent.Clusters {
		run.Cluster(evidence.Joined, in.Name).Kubernetes.MeshRoot = "istiod's own on " + in.Name
	}
	for _, r := range fingerprints(run) {
		if r.Name == "Root (SHA-256)" && (r.Odd != "" || r.Same == "" || strings.Contains(r.Cells[0].Text, "trust another")) {
			t.Errorf("roots that istiod publishes for its own API are shown as the mesh's: %+v", r)
		}
	}
}

func TestASharedNetworkIsShownInEveryCluster(t *testing.T) {
	run := load(t)
	for i := range run.Intent.Clusters {
		run.Intent.Clusters[i].Network = "default"
	}
	if first := fingerprints(run)[0]; first.Name != "Network" || first.Odd != "shared" || first.Same != "" {
		t.Errorf("first comes %+v, want the network that the clusters share, in each of them", first)
	}
}

func TestTheOddClusterIsNamedWhereItCanBeTold(t *testing.T) {
	clusters := []intent.Cluster{{Name: "east"}, {Name: "west"}, {Name: "north"}}
	for name, tc := range map[string]struct {
		values []string
		tie    tie
		want   string
		off    []bool
	}{
		"alike":                    {[]string{"a", "a", "a"}, alike, "", []bool{false, false, false}},
		"one is odd":               {[]string{"a", "b", "a"}, alike, "west differs", []bool{false, true, false}},
		"none is like another":     {[]string{"a", "b", "c"}, alike, "differs", []bool{true, true, true}},
		"two, which tells nothing": {[]string{"a", "b"}, alike, "differs", []bool{true, true}},
		"one was not seen":         {[]string{"a", "", "a"}, alike, "", []bool{false, false, false}},
		"each its own":             {[]string{"a", "b", "c"}, own, "", []bool{false, false, false}},
		"two share one":            {[]string{"a", "b", "a"}, own, "shared", []bool{true, false, true}},
		"two were not seen":        {[]string{"a", "", ""}, own, "", []bool{false, false, false}},
		"two left that differ":     {[]string{"a", "", "b"}, alike, "differs", []bool{true, false, true}},
		"either is as good":        {[]string{"a", "b", "a"}, free, "", []bool{false, false, false}},
	} {
		var r row
		for _, v := range tc.values {
			r.Cells = append(r.Cells, cell{Text: "…", Full: v})
			if v == "" {
				r.Cells[len(r.Cells)-1].Text = ""
			}
		}
		r.compare(clusters, tc.tie)
		var off []bool
		for _, c := range r.Cells {
			off = append(off, c.Off)
		}
		if r.Odd != tc.want || !slices.Equal(off, tc.off) {
			t.Errorf("%s: %q, off %v, want %q and %v", name, r.Odd, off, tc.want, tc.off)
		}
	}
}
