package suite

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/report"
)

// kept are the ids of the claims that a filter lets through, in the order of the list.
func kept(left map[string]string) []string {
	var ids []string
	for _, c := range claim.All() {
		if _, out := left[c.ID]; !out {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func TestFilter(t *testing.T) {
	finished := finishedRun(t, map[string]claim.Verdict{"split-balanced": claim.Failed, "common-root": claim.Inconclusive, "gateway-address": claim.Skipped, "istiod-log": claim.Skipped})
	for name, tc := range map[string]struct {
		filter Filter
		want   []string // of the claims that are left
		reason map[string]string
	}{
		"one claim":        {Filter{Focus: "^split-balanced$"}, []string{"split-balanced"}, map[string]string{"sidecars": "--focus ^split-balanced$"}},
		"a part of an id":  {Filter{Focus: "^split-"}, []string{"split-replies", "split-accounted", "split-balanced"}, nil},
		"without one":      {Filter{Focus: "^split-", Skip: "balanced"}, []string{"split-replies", "split-accounted"}, map[string]string{"split-balanced": "--skip balanced", "sidecars": "--focus ^split-"}},
		"an area":          {Filter{Labels: "gateway && core"}, []string{"gateway-available", "gateway-address", "gateway-listener", "gateway-exposes", "gateway-reached"}, nil},
		"an id as a label": {Filter{Labels: "common-root"}, []string{"common-root"}, nil},
		"a report":         {Filter{Rerun: finished}, []string{"gateway-address", "common-root", "split-balanced"}, map[string]string{"istiod-log": "--rerun-failed " + finished}},
		"a report in part": {Filter{Rerun: finished, Skip: "root|gateway"}, []string{"split-balanced"}, map[string]string{"common-root": "--skip root|gateway"}},
	} {
		t.Run(name, func(t *testing.T) {
			left, err := tc.filter.LeftOut()
			if err != nil || !slices.Equal(kept(left), tc.want) {
				t.Errorf("%v: left %q, want %q", err, kept(left), tc.want)
			}
			for id, why := range tc.reason {
				if left[id] != why {
					t.Errorf("%s is left out by %q, want %q", id, left[id], why)
				}
			}
		})
	}
	if left, err := (Filter{}).LeftOut(); err != nil || len(left) != 0 {
		t.Errorf("no filter leaves out %v, %v", slices.Collect(maps.Keys(left)), err)
	}
	left, err := Filter{Labels: "!disruptive"}.LeftOut()
	if err != nil || len(left) != len(claim.Disruptions())+len(claim.Injections()) {
		t.Errorf("%v: %d claims are disruptive", err, len(left))
	}
}

func TestFilterRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		filter Filter
		says   []string
	}{
		"no expression":              {Filter{Focus: "("}, []string{`--focus "("`, "give a regular expression"}},
		"nothing of that name":       {Filter{Focus: "gatway"}, []string{"--focus gatway", "no claim", "meshproof claims"}},
		"nothing of that name again": {Filter{Skip: "gatway"}, []string{"--skip gatway", "no claim"}},
		"no labels":                  {Filter{Labels: "core &&"}, []string{`--label-filter "core &&"`, "Unexpected EOF", "core && !disruptive"}},
		"an unknown label":           {Filter{Labels: "cor"}, []string{"--label-filter cor", "no claim"}},
		"nothing left":               {Filter{Focus: "split", Skip: "."}, []string{"--focus split with --skip .", "--list"}},
		"no report":                  {Filter{Rerun: "testdata"}, []string{"--rerun-failed", "testdata", "give a report directory"}},
		"a report that passed":       {Filter{Rerun: finishedRun(t, nil)}, []string{"nothing failed there", "nothing to do again"}},
	} {
		left, err := tc.filter.LeftOut()
		if err == nil || left != nil {
			t.Errorf("%s: it is taken", name)
			continue
		}
		for _, want := range tc.says {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: %q does not say %q, or is coloured", name, err, want)
			}
		}
	}
}

// finishedRun writes the report of a run in which these claims came out so, and all others passed.
func finishedRun(t *testing.T, verdicts map[string]claim.Verdict) string {
	t.Helper()
	dir := t.TempDir()
	f := report.Judge(evidence.Run{})
	for i, one := range f.Findings {
		f.Findings[i].Verdict = claim.Passed
		if v, is := verdicts[one.Claim]; is {
			f.Findings[i].Verdict = v
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, report.EvidenceDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := report.Write(dir, f, evidence.Run{}, report.Extra{}); err != nil {
		t.Fatal(err)
	}
	return dir
}
