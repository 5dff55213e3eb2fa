package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/report"
	"github.com/meshproof/meshproof/framework/report/schematest"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/suite"
)

const eventSchema = "../../docs/schema/event-v1.json"

// events runs the command line, sees that its standard output is nothing but events, and gives them with the exit code.
func (w *world) events(schema, args string) ([]progress.Event, int) {
	w.t.Helper()
	c := runCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(strings.Fields("--output json " + args))
	code := codeOf(c.ExecuteContext(context.Background()))
	return parsed(w.t, schema, out.String()), code
}

func parsed(t *testing.T, schema, out string) []progress.Event {
	t.Helper()
	var all []progress.Event
	for line := range strings.Lines(out) {
		if err := schematest.Check(t, schema, []byte(line)); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		var e progress.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// The last event is the verdict, with the process's exit code, whatever happened.
func TestEventsEndWithTheVerdict(t *testing.T) {
	schema, err := filepath.Abs(eventSchema) // a world is another directory
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args, says string
		spoil      func(*world)
		code       int
	}{
		"a dry run":                {"--dry-run " + both, "the input is sound", nil, 0},
		"a quiet dry run":          {"--quiet --dry-run " + both, "the input is sound", nil, 0},
		"a topology that is gone":  {"--dry-run --topology none.yaml", "none.yaml", nil, exitcode.Usage},
		"one cluster":              {"--kubeconfig east.yaml", "give --kubeconfig twice", nil, exitcode.Usage},
		"a run that is refused":    {both, "Namespace sample", put("/api/v1/namespaces/sample", "{metadata: {name: sample}}"), exitcode.Usage},
		"a server that is away":    {"--dry-run " + both, "gone.example.com", func(w *world) { w.edit("west.yaml", "https://west.example.com", "https://gone.example.com") }, exitcode.CouldNotTell},
		"options that are refused": {"--samples 3 " + both, "use at least 28", nil, exitcode.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if tc.spoil != nil {
				tc.spoil(w)
			}
			all, code := w.events(schema, tc.args)
			if len(all) == 0 || code != tc.code {
				t.Fatalf("%d events, exit code %d, want %d", len(all), code, tc.code)
			}
			last := all[len(all)-1]
			if last.Event != progress.Verdict || last.ExitCode == nil || *last.ExitCode != code || !strings.Contains(last.Reason+last.Error, tc.says) {
				t.Errorf("the last event is %+v", last)
			}
			if quiet := strings.Contains(tc.args, "--quiet"); quiet != (len(all) == 1) && code == 0 {
				t.Errorf("%d events", len(all))
			}
		})
	}
}

func TestUnknownOutputIsRefused(t *testing.T) {
	w := newWorld(t)
	if out, code, err := w.dryRun(both + " --output xml"); code != exitcode.Usage || out != "" || !strings.Contains(err.Error(), "use text, json") {
		t.Errorf("exit code %d, %v, printed %q", code, err, out)
	}
}

func TestTheEndOfARunAsEvents(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(context.Background())
	cancel(errSignal{os.Interrupt})
	found := report.Findings{Verdict: claim.Failed, Reason: "it does not", ExitCode: 1,
		Findings: []claim.Finding{{Claim: "c", Level: claim.Core, Subject: "mesh", Verdict: claim.Failed, Reason: "so"}}}
	outcome := session.Outcome{Findings: found, ReportDir: "reports/r", Left: []string{"a cluster"}, Stays: []string{"the cache"}}
	for name, tc := range map[string]struct {
		ctx  context.Context
		env  *suite.Env
		code int
		why  string
	}{
		"failed":             {context.Background(), &suite.Env{Outcome: outcome}, 1, ""},
		"failed on the way":  {context.Background(), &suite.Env{Outcome: outcome, Err: errors.New("no engine")}, 1, "no engine"},
		"interrupted":        {interrupted, &suite.Env{Outcome: outcome}, 130, ""},
		"without an outcome": {context.Background(), &suite.Env{Err: errors.New("disk full")}, exitcode.CouldNotTell, "disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			teller := progress.NewTeller(progress.NewLines(&out, false))
			err := tellEnd(tc.ctx, teller, tc.env, conclude(tc.env))
			teller.Close()
			all := parsed(t, eventSchema, out.String())
			last := all[len(all)-1]
			if err == nil || *last.ExitCode != tc.code || last.Error != tc.why || last.Report != tc.env.Outcome.ReportDir {
				t.Errorf("error %v, last event %+v", err, last)
			}
			if tc.env.Outcome.ReportDir != "" && (len(all) != 4 || all[0].Claim != "c" || all[1].What != "left: a cluster" || all[2].What != "stays for the next run: the cache") {
				t.Errorf("%+v", all)
			}
		})
	}
}

func TestTheEndOfARunAsText(t *testing.T) {
	var out bytes.Buffer
	env := &suite.Env{Outcome: session.Outcome{ReportDir: "reports/r", Left: []string{"a cluster"}, Findings: report.Findings{Verdict: claim.Passed, Reason: "it\nconforms",
		Findings: []claim.Finding{{Claim: "c", Subject: "mesh", Verdict: claim.Passed, Reason: "so"}}}}}
	printEnd(&out, env)
	if want := "passed       c (mesh): so\nleft: a cluster\nverdict: passed: it conforms; report: reports/r\n"; out.String() != want || conclude(env) != nil {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	failed := *env
	failed.Outcome.Findings.Verdict = claim.Failed
	out.Reset()
	printEnd(&out, &failed)
	for _, want := range []string{"next: read reports/r/report.html", "--rerun-failed reports/r, with the same flags", "\nverdict: failed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("a run that failed ends with %q, without %q", out.String(), want)
		}
	}
	const saved = "what was saved at the failure is in "
	if strings.Contains(out.String(), saved) {
		t.Errorf("a run without diagnostics names them: %q", out.String())
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, session.DiagnosticsDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if told := next(dir); !strings.Contains(told, saved+filepath.Join(dir, session.DiagnosticsDir)+"; ") {
		t.Errorf("a run with diagnostics says %q", told)
	}
	env.Err = errors.New("the removal went wrong")
	if code := codeFor(conclude(env)); code != exitcode.CouldNotTell {
		t.Errorf("a passed run that went wrong ends with %d", code)
	}
}

// TestWhatIsOpenIsToldLast: a terminal shows the end, and of many findings with one reason the reason.
func TestWhatIsOpenIsToldLast(t *testing.T) {
	var out bytes.Buffer
	finding := func(id string, v claim.Verdict, reason string) claim.Finding {
		return claim.Finding{Claim: id, Subject: "mesh", Verdict: v, Reason: reason}
	}
	tell(&out, []claim.Finding{
		finding("a", claim.Failed, "no"), finding("b", claim.Inconclusive, "the run stopped at S6, and more"), finding("c", claim.Skipped, "not asked"),
		finding("d", claim.Skipped, claim.NotDone+"x to the mesh"), finding("e", claim.Inconclusive, "unseen"), finding("f", claim.Passed, "so"),
		finding("g", claim.Skipped, claim.NotDone+"y to the mesh"), finding("h", claim.Failed, claim.NotDone+"z"), finding("i", claim.Inconclusive, "the run stopped at S6, again"),
		finding("j", claim.Inconclusive, "the run stopped at S5"),
	})
	const want = `passed       f (mesh): so
skipped      c (mesh): not asked
skipped      2 more: the run did not do to the mesh what they are about (--disruptive, --disruption)
inconclusive e (mesh): unseen
inconclusive 1 more: the run stopped at S5
inconclusive 2 more: the run stopped at S6
failed       a (mesh): no
failed       h (mesh): this run did not do z
`
	if out.String() != want {
		t.Errorf("told\n%swant\n%s", out.String(), want)
	}
}

// What main says while a command runs must not tear the picture.
func TestMainSpeaksThroughTheDisplay(t *testing.T) {
	v := &voice{}
	var out bytes.Buffer
	err := shown(withVoice(context.Background(), v), progress.Options{Out: &out, JSON: true}, func(*progress.Teller) error {
		v.speak(errSignal{syscall.SIGTERM}.Error())
		return nil
	})
	all := parsed(t, eventSchema, out.String())
	if err != nil || len(all) != 1 || all[0].What != "interrupted by SIGTERM" || v.say != nil {
		t.Errorf("%v: %+v", err, all)
	}
}
