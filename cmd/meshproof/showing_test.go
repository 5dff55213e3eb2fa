package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/leak"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

// files makes files of runs that were killed before they made anything.
func files(ids ...string) func(*world) {
	return func(w *world) {
		for _, id := range ids {
			w.must(os.MkdirAll(filepath.Join(w.dir, "state", "meshproof", "runs", id), 0o700))
		}
	}
}

// With --output json a command prints nothing but events, an end the last of them, whatever happened.
func TestEventsEndWithTheEnd(t *testing.T) {
	schema, err := filepath.Abs(eventSchema) // a world is another directory
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args  string
		spoil func(*world)
		kinds string
		code  int
		says  string
	}{
		{"prove --only nothing", nil, "end", exitcode.Usage, "meshproof prove --list"},
		{"prove --run-id Upper", nil, "end", exitcode.Usage, "run id"},
		{"soak --n 0 --life-cycles 0", nil, "end", exitcode.Usage, "give numbers above 0"},
		{"soak --run-id Upper", nil, "end", exitcode.Usage, "run id"},
		{"up --run-id Upper", nil, "end", exitcode.Usage, "run id"},
		{"up " + both, nil, "end", exitcode.Usage, "give --from install"},
		{"up --from install --topology none.yaml", nil, "end", exitcode.Usage, "none.yaml"},
		{"down r1", nil, "doing done end", exitcode.Usage, "find run"},
		{"down r1 r2", files("r1", "r2"), "doing done removed doing done removed end", 0, ""},
		{"down --quiet r1", files("r1"), "removed end", 0, ""},
		{"cleanup", nil, "end", 0, ""},
		{"cleanup --dry-run", files("r1", "r2"), "left left end", 0, ""},
		{"cleanup --run-id r2", files("r1", "r2"), "left doing done removed end", 0, ""},
		{"cleanup --run-id r3", files("r1", "r2"), "end", exitcode.Usage, "r3"},
		{"cleanup --namespace other", files("r1"), "end", exitcode.Usage, "clusters that are given"},
		{"cleanup " + both, (*world).leave, "left left end", 0, ""},
		{"cleanup --run-id r1 " + both, (*world).leave, "left left removed end", 0, ""},
		{"cleanup --topology none.yaml", nil, "end", exitcode.Usage, "none.yaml"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			w := newWorld(t)
			if tc.spoil != nil {
				tc.spoil(w)
			}
			c := root()
			var out bytes.Buffer
			c.SetOut(&out)
			c.SetArgs(append(strings.Fields(tc.args), "--output", "json"))
			code := codeOf(c.ExecuteContext(context.Background()))
			var kinds []string
			all := parsed(t, schema, out.String())
			for _, e := range all {
				kinds = append(kinds, string(e.Event))
			}
			if got := strings.Join(kinds, " "); got != tc.kinds || code != tc.code {
				t.Fatalf("exit code %d, want %d; events %s, want %s", code, tc.code, got, tc.kinds)
			}
			last := all[len(all)-1]
			if last.ExitCode == nil || *last.ExitCode != code || !strings.Contains(last.Error, tc.says) || (last.Error == "") != (tc.says == "") {
				t.Errorf("the last event is %+v, want %q", last, tc.says)
			}
		})
	}
}

// acted has a command do the work, and gives what it printed.
func acted(t *testing.T, args string, work func(*progress.Teller, io.Writer) (progress.Result, error)) (string, error) {
	t.Helper()
	var shows showing
	c := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	c.RunE = func(c *cobra.Command, _ []string) error { return shows.acts(c, true, work) }
	shows.add(c)
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(strings.Fields(args))
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestTheEndOfAProof(t *testing.T) {
	declared := func(id string) fault.Fault { return fault.Fault{ID: id, Verdict: claim.Failed, Cause: "c"} }
	named := session.Proof{Fault: declared("f1"), Verdict: claim.Failed, Causes: []string{"c"}, Took: time.Second, Named: true}
	missed := session.Proof{Fault: declared("f2"), Verdict: claim.Passed, Took: time.Second}
	found := session.Search{Leaks: []leak.Leak{{File: "x", Secret: "s", Encoding: "hex"}}, Secrets: 2, Files: 3}
	for name, tc := range map[string]struct {
		proofs []session.Proof
		search session.Search
		err    error
		code   int
		text   string // the last line
		kinds  []progress.Kind
	}{
		"all named":          {[]session.Proof{named}, session.Search{Secrets: 2, Files: 3}, nil, 0, "prove: 1 of 1 named\n", []progress.Kind{progress.Proof, progress.End}},
		"one is not":         {[]session.Proof{named, missed}, session.Search{}, nil, 1, "prove: 1 of 2 named\n", []progress.Kind{progress.Proof, progress.Proof, progress.End}},
		"a leak":             {[]session.Proof{named}, found, nil, 1, "prove: 1 of 1 named\n", []progress.Kind{progress.Proof, progress.Leak, progress.End}},
		"the removal failed": {[]session.Proof{named}, session.Search{}, errors.New("no engine"), 3, "prove: 1 of 1 named\n", []progress.Kind{progress.Proof, progress.End}},
	} {
		t.Run(name, func(t *testing.T) {
			table := filepath.Join(t.TempDir(), "self-proof.md")
			prove := func(teller *progress.Teller, out io.Writer) (progress.Result, error) {
				p := &proving{t: teller, w: out, table: table}
				for _, one := range tc.proofs {
					p.faults = append(p.faults, one.Fault)
					p.add(one)
				}
				if p.search = tc.search; p.search.Files > 0 {
					p.tellSearch()
				}
				return p.end("reports/r", tc.err)
			}
			text, err := acted(t, "", prove)
			if code := codeFor(err); code != tc.code || !strings.HasSuffix(text, tc.text) {
				t.Errorf("exit code %d, want %d: %s", code, tc.code, text)
			}
			if page, _ := os.ReadFile(table); strings.Contains(string(page), "After every repair the mesh passed.") != (tc.err == nil) || tc.err != nil && !strings.Contains(string(page), tc.err.Error()) {
				t.Errorf("the table says:\n%s", page)
			}
			out, err := acted(t, "--output json", prove)
			all := parsed(t, eventSchema, out)
			var kinds []progress.Kind
			for _, e := range all {
				kinds = append(kinds, e.Event)
			}
			last := all[len(all)-1]
			if !slices.Equal(kinds, tc.kinds) || codeFor(err) != tc.code || *last.ExitCode != tc.code || (last.Error != "") != (tc.err != nil) {
				t.Errorf("%v: %v, the last %+v", err, kinds, last)
			}
			if last.Proved.Named != 1 || last.Proved.Of != len(tc.proofs) || last.Report != "reports/r" || (last.Search != nil) != (tc.search.Files > 0) {
				t.Errorf("the last event is %+v", last)
			}
		})
	}
}

func TestTheEndOfASoak(t *testing.T) {
	passed := session.Round{Number: 1, Verdict: claim.Passed, Reason: "so", Took: time.Second, Dir: "r/1"}
	failed := session.Round{Number: 2, Verdict: claim.Failed, Reason: "not so", Took: time.Second, Dir: "r/2"}
	for name, tc := range map[string]struct {
		judged []session.Round
		err    error
		code   int
		text   string
	}{
		"all passed":   {[]session.Round{passed}, nil, 0, "soak: 0 of 1 judgements and 0 of 0 life cycles failed (95% bounds: 95.0% and 100.0%)\n"},
		"one did not":  {[]session.Round{passed, failed}, nil, 1, "soak: 1 of 2 judgements and 0 of 0 life cycles failed (95% bounds: 97.5% and 100.0%)\n"},
		"no judgement": {nil, errors.New("no engine"), 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			soak := func(teller *progress.Teller, out io.Writer) (progress.Result, error) {
				k := newSoaking(teller, out)
				for _, r := range tc.judged {
					k.judged.add(r)
				}
				return k.end("reports/r", tc.err)
			}
			text, err := acted(t, "--quiet", soak)
			if code := codeFor(err); code != tc.code || !strings.HasSuffix(text, tc.text) {
				t.Errorf("exit code %d, want %d: %s", code, tc.code, text)
			}
			out, _ := acted(t, "--output json", soak)
			all := parsed(t, eventSchema, out)
			last := all[len(all)-1]
			if len(all) != len(tc.judged)+1 || *last.ExitCode != tc.code || last.LifeCycles != nil || (last.Judgements != nil) != (len(tc.judged) > 0) {
				t.Fatalf("%+v", all)
			}
			for i, r := range tc.judged {
				if e := all[i]; e.Verdict != r.Verdict || e.Number != i+1 || (e.Report == r.Dir) != (r.Verdict != claim.Passed) {
					t.Errorf("round %d is told as %+v", i+1, e)
				}
			}
			if j := last.Judgements; j != nil && (j.Of != len(tc.judged) || j.Bound < 0.9 || j.Bound > 1) {
				t.Errorf("the judgements are told as %+v", j)
			}
		})
	}
}

func TestThePageOfASoakHasItsCounts(t *testing.T) {
	teller := progress.Open(progress.Options{Quiet: true, Err: os.Stderr})
	defer teller.Close()
	k := newSoaking(teller, io.Discard)
	k.table = filepath.Join(t.TempDir(), "soak.md")
	for i, verdict := range []claim.Verdict{claim.Passed, claim.Passed, claim.Inconclusive} {
		k.judged.add(session.Round{Number: i + 1, Verdict: verdict, Took: time.Duration(i+1) * time.Second, Looked: time.Second / 2})
	}
	if _, err := k.end("reports/r", nil); codeFor(err) != exitcode.Failed {
		t.Errorf("error %v", err)
	}
	page, err := os.ReadFile(k.table)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| judgement | 3 | 1 | 86.5% | 1.0 | 2.0 | 3.0 |\n", "median 0.5 s, at most 0.5 s"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
	if strings.Contains(string(page), "life cycle |") {
		t.Errorf("life cycles that there were not: %s", page)
	}
}

func TestAnInterruptedCommandEndsWithItsCode(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errSignal{os.Interrupt})
	if code, why := ended(ctx, context.Canceled); code != exitcode.Interrupted || why == nil {
		t.Errorf("exit code %d, %v", code, why)
	}
}

func TestFaultsAreListed(t *testing.T) {
	for args, want := range map[string]string{"": "FAULT ", "--output json": `"id": "remote-secret-missing"`} {
		out, code := execute(t, append([]string{"prove", "--list"}, strings.Fields(args)...)...)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d: %s", args, code, out)
		}
	}
}
