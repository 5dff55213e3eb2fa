package html

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
	"github.com/meshproof/meshproof/framework/evidence"
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
	verdict, reason := claim.Conclude(found, run.Intent.Expect...)
	return Page{RunID: run.Intent.RunID, Verdict: verdict, Reason: reason, Findings: found, Run: run, EvidenceDir: "evidence"}
}

// differentRoots is the recorded run as different roots leave it: each side hears only itself, and says 200 all the same.
func differentRoots(t *testing.T) evidence.Run {
	t.Helper()
	run := load(t)
	for i, in := range run.Intent.Clusters {
		c := run.Cluster(evidence.Joined, in.Name)
		root := strings.Repeat(string('a'+rune(i)), 64)
		c.Kubernetes.MeshRoot, c.Kubernetes.MeshRoots = root, []string{root}
		for p := range c.Proxies {
			c.Proxies[p].RootSHA256, c.Proxies[p].Roots = root, []string{root}
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
