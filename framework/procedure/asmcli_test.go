package procedure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/mesh/asm/asmtest"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/shell"
)

func TestMain(m *testing.M) { asmtest.Main(m) }

// toolsRig is a rig on supplied clusters whose S1 and S8 are done by stand-ins for the real tools.
func toolsRig(t *testing.T, n *notes) (*rig, *asmtest.Tools) {
	t.Helper()
	tools := asmtest.New(t)
	r := newRig(t, func(o *Options) {
		d, err := asm.Open(t.Context(), asm.Options{
			Asmcli: tools.Program("asmcli"), Gcloud: tools.Program("gcloud"), Dir: filepath.Join(tools.Dir, "run"), ReleaseDir: tools.Dir,
		}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Prepare(tools.Program("istioctl")); err != nil {
			t.Fatal(err)
		}
		o.Tools, o.Kubectl, o.Release.Path, o.Limits.Join = d, filepath.Join(tools.Bin, "kubectl"), tools.Dir, time.Minute
		o.Intent.Provision, o.Intent.Fleet, o.Intent.ProjectNumber, o.Intent.MeshID = intent.Supplied, asmtest.Fleet, asmtest.Number, intent.MeshID(asmtest.Number)
		for i, c := range o.Intent.Clusters {
			o.Intent.Clusters[i].ID = intent.ClusterID(asmtest.Fleet, c.Name)
		}
		o.Ledger = n
	})
	r.answer["create-mesh"] = shell.Run
	return r, tools
}

func named(t *testing.T, steps []evidence.Step, id string) evidence.Step {
	t.Helper()
	at := slices.IndexFunc(steps, func(s evidence.Step) bool { return s.ID == id })
	if at < 0 {
		t.Fatalf("no step %s: %q", id, ids(steps))
	}
	return steps[at]
}

func TestTheRealToolsPerformS1AndS8(t *testing.T) {
	t.Setenv("CLUSTER_NAME", "leaks into asmcli")
	n := &notes{}
	r, tools := toolsRig(t, n)
	steps, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := named(t, steps, "S1"); !strings.Contains(s.Command, "gcloud projects describe "+asmtest.Fleet) || len(s.Deviations) != 0 || s.Stdout != "PROJECT_NUMBER="+asmtest.Number+"\n" {
		t.Errorf("S1 is not the printed call of gcloud: %+v", s)
	}
	refusal, join := named(t, steps, evidence.StepOtherFleet), named(t, steps, "S8")
	if refusal.ExitCode != 2 || refusal.Error != "" || !strings.Contains(refusal.Command, evidence.OtherFleet) || refusal.Started.After(join.Started) {
		t.Errorf("the refused fleet comes to %+v", refusal)
	}
	for i := range r.set {
		if s := named(t, steps, fmt.Sprintf("%s.%d", evidence.StepOtherFleet, i+1)); s.Cluster != r.set[i].Name || !strings.Contains(s.Command, "--context=ctx-"+s.Cluster+" ") {
			t.Errorf("what the refused fleet left is not listed: %+v", s)
		}
	}
	if !strings.HasPrefix(join.Command, "./asmcli create-mesh \\\n    "+asmtest.Fleet) || len(join.Deviations) != 1 || join.ExitCode != 0 {
		t.Errorf("S8 is not the printed call of asmcli with one deviation: %+v", join)
	}
	want := asmtest.Pairs([]string{"kubeconfig-east", "kubeconfig-west"}, func(name string) string { return strings.Replace(name, "kubeconfig", "ctx", 1) })
	if got := tools.Secrets(); !slices.Equal(got, want) {
		t.Errorf("secrets %q, want %q", got, want)
	}
	if calls := tools.Calls(); slices.ContainsFunc(calls, func(c string) bool {
		return strings.HasPrefix(c, "gcloud ") && strings.Contains(c, evidence.OtherFleet)
	}) {
		t.Errorf("the given gcloud was asked for the fleet that is to be refused: %q", calls)
	}
	for _, line := range tools.Environment() {
		if strings.Contains(line, "CLUSTER_NAME") || strings.HasPrefix(line, "asmcli:") && strings.Contains(line, "MESH_ID") {
			t.Errorf("a variable reached a tool: %s", line)
		}
	}
	for _, what := range []string{"Secret istio-system/istio-remote-secret-ctx-east on cluster west", "Secret istio-system/istio-remote-secret-ctx-west on cluster east",
		"Secret istio-system/" + readerToken + " on cluster east", "Secret istio-system/" + readerToken + " on cluster west"} {
		if !n.before("intend "+what, "made "+what) {
			t.Errorf("%s was not noted before and after: %q", what, n.lines)
		}
	}
}

func TestARefusedFleetThatIsTakenIsNoReasonToStop(t *testing.T) {
	r, _ := toolsRig(t, &notes{})
	r.answer[evidence.OtherFleet] = func(context.Context, shell.Command) (shell.Result, error) { return shell.Result{}, nil }
	delete(r.answer, "create-mesh")
	steps, err := r.p.SetUp(t.Context())
	if err != nil || named(t, steps, evidence.StepOtherFleet).ExitCode != 0 {
		t.Errorf("%q, %v", ids(steps), err)
	}
}

func TestAFailedAsmcliStopsTheProcedure(t *testing.T) {
	n := &notes{}
	r, _ := toolsRig(t, n)
	r.answer["create-mesh"] = func(context.Context, shell.Command) (shell.Result, error) {
		return shell.Result{ExitCode: 1, Stderr: "Bearer ya29.secret"}, errors.New("exit status 1: Bearer ya29.secret")
	}
	steps, err := r.p.SetUp(t.Context())
	last := steps[len(steps)-1]
	if err == nil || last.ID != "S8" || last.ExitCode != 1 || !strings.Contains(err.Error(), "step S8 (Enable endpoint discovery): exit status 1") {
		t.Errorf("%+v, %v", last, err)
	}
	if strings.Contains(last.Stderr+last.Error+err.Error(), "ya29") {
		t.Errorf("a token was kept: %+v", last)
	}
	if what := "Secret istio-system/istio-remote-secret-ctx-east on cluster west"; !n.has("intend "+what) || n.has("made "+what) {
		t.Errorf("%q", n.lines)
	}
}

// builtInJoin is the built-in join of so many clusters, which the guide is not about, with stand-ins for istioctl and kubectl.
func builtInJoin(t *testing.T, tools *asmtest.Tools, names []string, change func(*intent.Cluster)) builtIn {
	t.Helper()
	o := Options{Intent: intent.Intent{Mode: intent.Corrected, Provision: intent.Kind, Fleet: "fleet"}, Release: &release.Dir{Path: tools.Dir},
		Kubectl: filepath.Join(tools.Bin, "kubectl"), Dir: filepath.Join(tools.Dir, "private"), Limits: Limits{Command: time.Minute}}
	for _, name := range names {
		o.Set = append(o.Set, apitest.New(t).Cluster(t, name))
		c := intent.Cluster{Name: name, ID: intent.ClusterID("fleet", name)}
		change(&c)
		o.Intent.Clusters = append(o.Intent.Clusters, c)
	}
	steps, err := guide.Steps(len(names))
	if err != nil {
		t.Fatal(err)
	}
	p := &Procedure{o: o, steps: steps, run: shell.Run, values: guide.Values{Fleet: "fleet"}}
	if p.files, err = prepareFiles(o); err != nil {
		t.Fatal(err)
	}
	if err := p.fillClusters(); err != nil {
		t.Fatal(err)
	}
	return builtIn{p}
}

func TestTheBuiltInJoinJoinsEachOrderedPairOnce(t *testing.T) {
	byContext, byID := func(*intent.Cluster) {}, func(c *intent.Cluster) { c.RemoteName = c.ID }
	for _, tc := range []struct {
		golden string
		n      int
		change func(*intent.Cluster)
		name   string
	}{
		{"join-2.golden", 2, byContext, "ctx-"}, {"join-3.golden", 3, byContext, "ctx-"}, {"join-4.golden", 4, byContext, "ctx-"},
		{"join-2-cluster-id.golden", 2, byID, "cn-fleet-global-"},
	} {
		t.Run(tc.golden, func(t *testing.T) {
			tools := asmtest.New(t)
			names := []string{"east", "west", "north", "south"}[:tc.n]
			b := builtInJoin(t, tools, names, tc.change)
			steps, err := b.Join(t.Context(), b.p.o.Set)
			if err != nil || len(steps) != tc.n*(tc.n-1) {
				t.Fatalf("%d steps, %v", len(steps), err)
			}
			var kubeconfigs []string
			for _, name := range names {
				kubeconfigs = append(kubeconfigs, "kubeconfig-"+name)
			}
			want := asmtest.Pairs(kubeconfigs, func(k string) string { return strings.Replace(k, "kubeconfig-", tc.name, 1) })
			if got := tools.Secrets(); !slices.Equal(got, want) {
				t.Errorf("secrets %q\nwant each ordered pair once and none to itself: %q", got, want)
			}
			calls := tools.Calls()
			slices.Sort(calls) // the pairs are made at once
			text, err := os.ReadFile(filepath.Join("testdata", tc.golden))
			if got := strings.Join(calls, "\n") + "\n"; err != nil || got != string(text) {
				t.Errorf("%v, calls:\n%s\nwant:\n%s", err, got, text)
			}
		})
	}
}
