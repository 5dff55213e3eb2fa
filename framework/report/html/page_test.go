package html

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

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

// TestTheHeadlineSaysNoMoreThanTheReason: where claims were left out, or findings about the guide expected, nothing is said of the mesh.
func TestTheHeadlineSaysNoMoreThanTheReason(t *testing.T) {
	whole := load(t)
	part, expecting := whole, whole
	part.Intent.LeftOut = map[string]string{"split-balanced": "--skip"}
	expecting.Intent.Expect = []string{"F1"}
	for name, tc := range map[string]struct {
		run       evidence.Run
		want, not string
	}{
		"whole":     {whole, "The mesh conforms", "What was asked for"},
		"part":      {part, "What was asked for holds", "The mesh conforms"},
		"expecting": {expecting, "Expected of the guide's printed text, and not found", "The mesh does not conform"},
	} {
		head, _, _ := strings.Cut(render(t, judged(tc.run)), `<nav aria-label`)
		if text := parse(t, head).text; strings.Contains(text, "left out, or of extended claims, which decide nothing") != (name == "part") {
			t.Errorf("%s: what decides nothing: %s", name, text[:min(len(text), 300)])
		}
		if text := parse(t, head).text; !strings.Contains(text, tc.want) || strings.Contains(text, tc.not) {
			t.Errorf("%s: the first screen must say %q and not %q: %s", name, tc.want, tc.not, text[:min(len(text), 300)])
		}
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
			if says, _, _ := strings.Cut(p.Reason, ": "); !strings.Contains(text, upperFirst(says)) || p.Verdict == claim.Passed {
				t.Errorf("the page of a run of which little is known has the verdict %s, and does not say %q", p.Verdict, upperFirst(says))
			}
			if len(run.Steps) == 1 && !strings.Contains(text, steps[0].Error) {
				t.Errorf("the page does not say why the run stopped")
			}
		})
	}
}

// On a phone a row becomes a block, and each of its cells stands under the name that its column has elsewhere.
func TestCellsOfStackedTablesNameTheirColumn(t *testing.T) {
	run := differentRoots(t)
	run.Intent.Clusters = append(run.Intent.Clusters, intent.Cluster{Name: "north", Version: "v3"})
	var columns []string
	cells, at := 0, 0
	for _, n := range parse(t, render(t, judged(run))).elements {
		switch {
		case n.Data == "table":
			columns = nil
		case n.Data == "th" && attr(n, "scope") == "col":
			columns = append(columns, strings.TrimPrefix(n.FirstChild.Data, "answered by "))
		case n.Data == "th" && attr(n, "scope") == "row":
			at = 0
		case n.Data == "td" && strings.Contains(attr(n.Parent.Parent.Parent, "class"), "stack"):
			cells++
			if at++; at >= len(columns) || attr(n, "data-of") != columns[at] {
				t.Errorf("cell %d of %q is named %q", at, columns, attr(n, "data-of"))
			}
		case strings.Contains(attr(n, "class"), "scroll"):
			t.Errorf("%s scrolls sideways", n.Data)
		}
	}
	if cells < 50 {
		t.Errorf("%d cells, want those of the ways, the counters and the pods", cells)
	}
}

func TestASplitOfWhichNothingIsKnownIsNotDrawn(t *testing.T) {
	run := load(t)
	if page := render(t, judged(run)); !strings.Contains(page, `id="split"`) {
		t.Error("the page of a whole run lacks the split")
	}
	run.Epochs = nil
	if page := render(t, judged(run)); strings.Contains(page, `id="split"`) || !strings.Contains(page, "claim-"+splitClaim) {
		t.Error("the page of a run without a call must tell of the split among the claims alone")
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
}
