package evidence

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/whole"
)

func at(second int) time.Time { return time.Date(2026, 9, 1, 10, 0, second, 120_000_000, time.UTC) }

// fullRun is a run with every part filled.
func fullRun() Run {
	east := &Cluster{
		Kubernetes: &Kubernetes{At: at(1), Version: "v1.37.2", MeshRoots: []string{"ab"}, Pods: []Pod{{Object: Object{Namespace: "sample", Name: "sleep-1"}, Env: map[string]string{"ISTIO_META_NETWORK": "network1"}}}},
		Istiods:    []Istiod{{At: at(2), Pod: "istiod-a", Revision: "asm-1232-2", Pages: map[string]json.RawMessage{PageClusterz: json.RawMessage(`[{"id":"<c1> & co","secretName":"","syncStatus":"synced"}]`)}}},
		Proxies: []Proxy{
			{At: at(3), Namespace: "istio-system", Pod: "gw-1", Role: RoleGateway, Clusters: json.RawMessage(`{"cluster_statuses":[]}`)},
			{At: at(3), Namespace: "sample", Pod: "sleep-1", Role: RoleSleep, Clusters: json.RawMessage(`{}`), ConfigDump: json.RawMessage(`{"configs":[]}`), Certs: json.RawMessage(`{}`), RootSHA256: "ab", Roots: []string{"ab"}},
		},
		Logs:     []IstiodLog{{Pod: "istiod-a", Since: at(0), Read: 3, Lines: []LoggedLine{{Level: "warn", Scope: "kube", Message: "late", Count: 2, First: at(1), Last: at(2)}}}},
		Dials:    []Dial{{At: at(4), To: "west", Pod: "probe", Address: "10.0.0.1:15443", Connected: true, Seconds: 0.002}},
		Traffic:  []Traffic{{Purpose: GuideCalls, From: "east", Asked: 20, Started: at(5), Replies: []Reply{{Number: 1, Body: "Hello", Version: "v1"}}}, {Purpose: Split, From: "east", Asked: 1, Started: at(6), Replies: []Reply{{Number: 1, Code: 200, Seconds: 0.25}}}},
		Problems: []Problem{{What: "dials", Error: "the probe is gone", At: at(7)}},
	}
	return Run{
		Intent: intent.Intent{RunID: "r1", Samples: 600, Alpha: 1e-8, Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}},
		Steps:  []Step{{ID: "S6.1", Title: "gateway", Command: "a | b && c", Started: at(0), Seconds: 2.5}},
		Epochs: map[string]Epoch{
			Joined:  {Name: Joined, Clusters: map[string]*Cluster{"east": east, "west": {Dials: []Dial{}}}},
			Removed: {Name: Removed, Clusters: map[string]*Cluster{"east": {Kubernetes: &Kubernetes{At: at(9)}}}},
		},
	}
}

// write saves a run into a new folder, sealed if asked for.
func write(t *testing.T, run Run, seal bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "evidence")
	f, err := Create(dir)
	must(t, err)
	must(t, f.SaveIntent(run.Intent))
	must(t, f.SaveSteps(run.Steps))
	for epoch, e := range run.Epochs {
		for name, c := range e.Clusters {
			must(t, f.SaveCluster(epoch, name, c))
		}
	}
	if seal {
		must(t, f.Seal())
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// load loads a run, and leaves out where its pages are kept once decoded: that was never saved.
func load(t *testing.T, dir string) Run {
	t.Helper()
	run, err := Load(dir)
	must(t, err)
	for _, e := range run.Epochs {
		for _, c := range e.Clusters {
			for i, p := range c.Proxies {
				if p.decoded == nil {
					t.Errorf("proxy %s has nowhere to keep what is decoded", p.Pod)
				}
				c.Proxies[i].decoded = nil
			}
		}
	}
	return run
}

func TestRoundTrip(t *testing.T) {
	want := fullRun()
	dir := write(t, want, true)
	got := load(t, dir)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("loaded\n%+v\nwant\n%+v", got, want)
	}
	if again := load(t, dir); !reflect.DeepEqual(got, again) {
		t.Errorf("the second load gives\n%+v\nthe first\n%+v", again, got)
	}
	if c := got.Cluster(Joined, "east"); len(c.Proxy(RoleSleep)) != 1 || c.Proxy(RoleSleep)[0].Pod != "sleep-1" {
		t.Errorf("proxies of role sleep: %+v", c.Proxy(RoleSleep))
	}
	if _, ok := got.Cluster(Joined, "north").TrafficFor(Split); ok {
		t.Error("a cluster that is not there has traffic")
	}
}

func TestEqualRunsGiveEqualBytes(t *testing.T) {
	sums := func() string {
		content, err := os.ReadFile(filepath.Join(write(t, fullRun(), true), SumsFile))
		must(t, err)
		return string(content)
	}
	if a, b := sums(), sums(); a != b {
		t.Errorf("two saves of one run differ:\n%s\n%s", a, b)
	}
}

func TestDamage(t *testing.T) {
	sleep := FileOfProxy(Joined, "east", "sample", "sleep-1")
	edit := func(name string, change func([]byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			file := filepath.Join(dir, filepath.FromSlash(name))
			content, err := os.ReadFile(file)
			must(t, err)
			must(t, os.WriteFile(file, change(content), 0o644))
		}
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 0x20; return b }
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, tc := range []struct {
		name     string
		unsealed bool
		damage   func(t *testing.T, dir string)
		want     []string // "file: part of the reason", in order
	}{
		{"none", false, func(*testing.T, string) {}, nil},
		{"one bit", false, edit(sleep, flip), []string{sleep + ": changed"}},
		{"cut short", false, edit(sleep, half), []string{sleep + ": changed"}},
		{"missing", false, func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, sleep))) }, []string{sleep + ": missing"}},
		{"added later", false, func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, Joined, "west", "dials2.json"), []byte("[]"), 0o644))
		}, []string{Joined + "/west/dials2.json: not in the seal"}},
		{"intent missing", false, func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, IntentFile))) }, []string{IntentFile + ": missing"}},
		{"a link", false, func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, StepsFile)))
			must(t, os.Symlink("intent.json", filepath.Join(dir, StepsFile)))
		}, []string{StepsFile + ": missing", StepsFile + ": not a regular file"}},
		{"seal with a broken line", false, edit(SumsFile, func(b []byte) []byte { b[0] = 'x'; return b }),
			[]string{"10-joined/east/dials.json: not in the seal", SumsFile + ": line 1"}},
		{"unsealed", true, func(*testing.T, string) {}, []string{SumsFile + ": missing"}},
		{"unsealed and cut short", true, edit(sleep, half), []string{SumsFile + ": missing", sleep + ": cut short"}},
		{"unsealed and empty", true, edit(sleep, func([]byte) []byte { return nil }), []string{SumsFile + ": missing", sleep + ": cut short"}},
		{"unsealed, another shape", true, edit(StepsFile, func([]byte) []byte { return []byte(`{"id":1}`) }), []string{SumsFile + ": missing", StepsFile + ": not the JSON"}},
		{"unsealed, unknown key", true, edit(sleep, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"role"`, `"rule"`, 1)) }),
			[]string{SumsFile + ": missing", sleep + ": not the JSON"}},
		{"unsealed, doubled", true, edit(StepsFile, func(b []byte) []byte { return append(b, b...) }), []string{SumsFile + ": missing", StepsFile + ": not the JSON"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := write(t, fullRun(), !tc.unsealed)
			tc.damage(t, dir)
			run := load(t, dir)
			checkUnreadable(t, run.Unreadable, tc.want)
			for _, u := range run.Unreadable {
				if u.File == sleep && len(run.Cluster(Joined, "east").Proxy(RoleSleep)) > 0 {
					t.Error("the damaged proxy is in the run")
				}
			}
			if len(run.Cluster(Joined, "east").Proxy(RoleGateway)) != 1 {
				t.Error("the other proxy is not in the run")
			}
			if again := load(t, dir); !reflect.DeepEqual(run, again) {
				t.Error("the second load differs from the first")
			}
		})
	}
}

func checkUnreadable(t *testing.T, got []Unreadable, want []string) {
	t.Helper()
	var all []string
	for _, u := range got {
		all = append(all, u.File+": "+u.Reason)
	}
	if len(all) != len(want) {
		t.Fatalf("unreadable:\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
	}
	for _, w := range want {
		found := false
		for _, a := range all {
			found = found || strings.HasPrefix(a, w)
		}
		if !found {
			t.Errorf("unreadable:\n%s\nlacks %q", strings.Join(all, "\n"), w)
		}
	}
}

func TestLoadRefusesOtherFolders(t *testing.T) {
	other := t.TempDir()
	must(t, os.WriteFile(filepath.Join(other, "notes.txt"), []byte("x"), 0o644))
	for _, dir := range []string{other, filepath.Join(other, "missing"), filepath.Join(other, "notes.txt")} {
		if run, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("Load(%s) gives %v and error %v, want an error that names the folder", dir, run, err)
		}
	}
}

func TestSaveAgainReplaces(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	f, err := Create(dir)
	must(t, err)
	must(t, f.SaveIntent(intent.Intent{RunID: "r1"}))
	must(t, f.SaveCluster(Joined, "east", &Cluster{Proxies: []Proxy{{Namespace: "sample", Pod: "old"}}, Problems: []Problem{{What: "x"}}}))
	must(t, f.SaveCluster(Joined, "east", &Cluster{Proxies: []Proxy{{Namespace: "sample", Pod: "new"}}, Traffic: []Traffic{{Purpose: Split}}}))
	must(t, os.WriteFile(filepath.Join(dir, whole.Prefix+"1"), []byte("half"), 0o600)) // as a crash leaves it
	must(t, f.Seal())
	run := load(t, dir)
	c := run.Cluster(Joined, "east")
	if len(run.Unreadable) != 0 || len(c.Proxies) != 1 || c.Proxies[0].Pod != "new" || c.Problems != nil || len(c.Traffic) != 1 {
		t.Errorf("loaded %+v, unreadable %v", c, run.Unreadable)
	}
	if _, err := os.Stat(filepath.Join(dir, whole.Prefix+"1")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the half-written file is still there")
	}
	if err := f.SaveSteps(nil); !errors.Is(err, ErrSealed) {
		t.Errorf("saving after the seal gives %v, want %v", err, ErrSealed)
	}
}

func TestSaveRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	f, err := Create(dir)
	must(t, err)
	for name, err := range map[string]error{
		"a cluster name that leads out": f.SaveCluster(Joined, "../east", &Cluster{}),
		"an epoch without a number":     f.SaveCluster("joined", "east", &Cluster{}),
		"two parts with one file":       f.SaveCluster(Joined, "east", &Cluster{Proxies: []Proxy{{Namespace: "a", Pod: "b-c"}, {Namespace: "a-b", Pod: "c"}}}),
		"a page that is no JSON":        f.SaveCluster(Joined, "east", &Cluster{Proxies: []Proxy{{Namespace: "a", Pod: "b", Certs: json.RawMessage("<html>")}}}),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	must(t, f.SaveSteps(nil))
	if _, err := Create(dir); err == nil {
		t.Error("a folder that is in use is taken for another run")
	}
}
