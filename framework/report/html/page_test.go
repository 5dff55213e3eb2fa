package html

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// recorded is the sealed evidence of a run on two kind clusters.
const recorded = "../../claim/testdata/healthy"

func load(t *testing.T) evidence.Run {
	t.Helper()
	run, err := evidence.Load(recorded)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// judged is the page of a run as the report makes it.
func judged(run evidence.Run) Page {
	found := cause.Apply(run, claim.Judge(run))
	verdict, reason := claim.Conclude(found)
	return Page{RunID: run.Intent.RunID, Verdict: verdict, Reason: reason, Findings: found, Run: run, EvidenceDir: "evidence"}
}

// differentRoots is the recorded run as different roots leave it: each side hears only itself, and says 200 all the same.
func differentRoots(t *testing.T) evidence.Run {
	t.Helper()
	run := load(t)
	for i, in := range run.Intent.Clusters {
		c := run.Cluster(evidence.Joined, in.Name)
		root := strings.Repeat(string('a'+rune(i)), 64)
		c.Kubernetes.MeshRoot = root
		for p := range c.Proxies {
			c.Proxies[p].RootSHA256 = root
		}
		for n := range c.Traffic {
			crossed := 0
			for r := range c.Traffic[n].Replies {
				if reply := &c.Traffic[n].Replies[r]; reply.Version != in.Version {
					reply.Version = in.Version
					crossed++
				}
			}
			for a := range c.Traffic[n].After {
				if after := &c.Traffic[n].After[a]; after.Role == evidence.RoleSleep && strings.HasSuffix(after.Address, ":15443") {
					after.RqError += int64(crossed)
					after.CxConnectFail += int64(crossed)
				}
			}
		}
	}
	return run
}

func render(t *testing.T, p Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := Render(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// document is a page taken apart.
type document struct {
	elements []*html.Node
	text     string
}

func parse(t *testing.T, page string) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	var text strings.Builder
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			d.elements = append(d.elements, n)
		case html.TextNode:
			text.WriteString(n.Data)
		}
	}
	d.text = strings.Join(strings.Fields(text.String()), " ")
	return d
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// mustBeAlone fails when the page would fetch, run or lead to anything but files beside it.
func mustBeAlone(t *testing.T, page string) {
	t.Helper()
	for _, n := range parse(t, page).elements {
		switch n.Data {
		case "script", "link", "img", "image", "iframe", "object", "embed", "base", "form", "foreignobject", "use", "audio", "video", "source":
			t.Errorf("the page has an element %s", n.Data)
		case "style":
			if text := n.FirstChild.Data; strings.Contains(text, "url(") || strings.Contains(text, "@import") {
				t.Error("the style refers to something outside of the page")
			}
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "srcset", a.Key == "style", a.Key == "action":
				t.Errorf("element %s has the attribute %s", n.Data, a.Key)
			case a.Key == "href" && (strings.HasPrefix(value, "//") || strings.HasPrefix(value, "/") || strings.Contains(strings.SplitN(value, "/", 2)[0], ":")):
				t.Errorf("element %s refers to %q, which is not beside the page", n.Data, a.Val)
			}
		}
	}
}

// mustBeWellFormed fails when an element is not closed where it should be: parsers mend that in silence.
func mustBeWellFormed(t *testing.T, page string) {
	t.Helper()
	void := map[string]bool{"meta": true, "br": true, "!doctype": true}
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := tokens.Next()
		name, _ := tokens.TagName()
		tag := string(name)
		switch kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("elements %v are not closed", open)
			}
			return
		case html.StartTagToken:
			if !void[tag] {
				open = append(open, tag)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tag {
				t.Fatalf("</%s> closes %v", tag, open)
			}
			open = open[:len(open)-1]
		default:
		}
	}
}

func TestPagesStandAlone(t *testing.T) {
	for name, p := range map[string]Page{"healthy": judged(load(t)), "different roots": judged(differentRoots(t)), "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			page := render(t, p)
			mustBeAlone(t, page)
			mustBeWellFormed(t, page)
			if len(page) > 2<<20 {
				t.Errorf("the page has %d bytes, more than 2 MiB", len(page))
			}
			if page != render(t, p) {
				t.Error("the same run gives two different pages")
			}
			ids := map[string]bool{}
			for _, n := range parse(t, page).elements {
				if id := attr(n, "id"); id != "" {
					if ids[id] {
						t.Errorf("the id %q is there twice", id)
					}
					ids[id] = true
				}
			}
			for _, n := range parse(t, page).elements {
				if anchor, local := strings.CutPrefix(attr(n, "href"), "#"); local && !ids[anchor] {
					t.Errorf("a link leads to %q, which is not on the page", anchor)
				}
			}
		})
	}
}

func TestEveryFindingIsOnThePage(t *testing.T) {
	for name, run := range map[string]evidence.Run{"healthy": load(t), "different roots": differentRoots(t)} {
		p := judged(run)
		page := parse(t, render(t, p))
		for _, f := range p.Findings {
			wanted := []string{f.Claim, f.Sentence, "Guide: " + f.Guide, f.Subject + " " + string(f.Verdict) + ": " + sentence(f.Reason)}
			if f.Cause != nil {
				wanted = append(wanted, f.Cause.ID, f.Cause.Sentence, f.Cause.Remedy)
			}
			for _, text := range append(wanted, f.Evidence...) {
				if !strings.Contains(page.text, strings.Join(strings.Fields(text), " ")) {
					t.Errorf("%s: %s (%s): the page lacks %q", name, f.Claim, f.Subject, text)
				}
			}
		}
		if p.Findings == nil {
			t.Errorf("%s: nothing was judged", name)
		}
	}
}

func TestLinksLeadToEvidence(t *testing.T) {
	links := 0
	for _, n := range parse(t, render(t, judged(load(t)))).elements {
		file, in := strings.CutPrefix(attr(n, "href"), "evidence/")
		if !in {
			continue
		}
		links++
		if _, err := os.Stat(filepath.Join(recorded, filepath.FromSlash(file))); err != nil {
			t.Errorf("a link leads to no file: %v", err)
		}
	}
	if links < 50 {
		t.Errorf("%d links to evidence, want one at least for each finding", links)
	}
}

func TestTheFirstScreenOfABrokenMesh(t *testing.T) {
	p := judged(differentRoots(t))
	page := render(t, p)
	head, _, _ := strings.Cut(page, `<nav aria-label`)
	text := parse(t, head).text
	for _, want := range []string{
		"The mesh does not conform", "different-roots", "What to do Put certificates of one common root", "v1.37.2", "asm-1232-2", "cluster.local",
		"aaaaaaaaaaaaaaaa…", "bbbbbbbbbbbbbbbb…", "differs", "kind, made by the run", "istio-ca", "corrected",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the first screen lacks %q", want)
		}
	}
	if !strings.Contains(text, strings.TrimPrefix(p.Reason, "the mesh does not conform: ")) {
		t.Errorf("the first screen lacks the reason %q", p.Reason)
	}
}

func TestRunsOfWhichLittleIsKnown(t *testing.T) {
	steps := []evidence.Step{{ID: "P3", Title: "create the kind clusters", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seconds: 3,
		Error: "create cluster west: no space left on device"}}
	in := load(t).Intent
	one := in
	one.Clusters = in.Clusters[:1]
	seen := func(c *evidence.Cluster) map[string]evidence.Epoch {
		return map[string]evidence.Epoch{evidence.Joined: {Clusters: map[string]*evidence.Cluster{"east": c}}}
	}
	for name, run := range map[string]evidence.Run{
		"stopped at once":         {Intent: in, Steps: steps},
		"no intent":               {Steps: steps},
		"no step":                 {Intent: in},
		"one cluster, no objects": {Intent: in, Steps: steps, Epochs: seen(&evidence.Cluster{})},
		"a nil cluster":           {Intent: in, Steps: steps, Epochs: seen(nil)},
		"an intent of one":        {Intent: one, Epochs: seen(&evidence.Cluster{Kubernetes: &evidence.Kubernetes{}})},
		"steps of no length":      {Intent: in, Steps: []evidence.Step{{ID: "S1"}, {ID: "S2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := judged(run)
			page := render(t, p)
			mustBeWellFormed(t, page)
			text := parse(t, page).text
			if !strings.Contains(text, "It could not be told") {
				t.Error("the page does not say that nothing could be told")
			}
			if len(run.Steps) == 1 && !strings.Contains(text, steps[0].Error) {
				t.Errorf("the page does not say why the run stopped")
			}
		})
	}
}

func TestHostileTextsAreNoMarkup(t *testing.T) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, `javascript:alert(1)`, `https://evil.example/x`,
		`//evil.example/x`, `../../etc/passwd`, `</style><script>alert(1)</script>`, `</title></svg><b>`, "{{.}}", "\x00\xff",
	} {
		p := judged(load(t))
		p.By, p.Diagnostics, p.StandIns, p.Left, p.Reproduce = "x", []string{"x"}, []string{"x"}, []string{"x"}, []string{"x"}
		fill(reflect.ValueOf(&p).Elem(), hostile)
		p.EvidenceDir = "evidence"
		page := render(t, p)
		mustBeAlone(t, page)
		mustBeWellFormed(t, page)
		if !strings.HasPrefix(hostile, "\x00") && !strings.Contains(parse(t, page).text, hostile) {
			t.Errorf("%q is not on the page as text", hostile)
		}
	}
}

// fill sets every text in a value, however deep, to one text; bodies of Envoy's and istiod's pages stay.
func fill(v reflect.Value, with string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(with)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), with)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			fill(v.Index(i), with)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), with)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			fill(value, with)
			v.SetMapIndex(key, value)
		}
	case reflect.Interface:
		if _, text := v.Interface().(string); text {
			v.Set(reflect.ValueOf(with))
		}
	default:
	}
}

func TestWhoRanItIsToldIfKnown(t *testing.T) {
	p := Page{By: "the nightly job", Where: "runner 7", Tool: "meshproof v1", Run: evidence.Run{Intent: intent.Intent{Samples: 600, Alpha: 1e-8, Planted: []string{"different-roots"}}}}
	text := parse(t, render(t, p)).text
	for _, want := range []string{"the nightly job", "runner 7", "meshproof v1", "meshproof run --samples 600 --alpha 1e-08 --plant different-roots", "this run planted different-roots"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	p.Reproduce = []string{"make conformance"}
	if text := parse(t, render(t, p)).text; !strings.Contains(text, "make conformance") || strings.Contains(text, "meshproof run") {
		t.Error("the commands that are given must stand for the derived one")
	}
}
