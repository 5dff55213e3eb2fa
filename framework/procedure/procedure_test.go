package procedure

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/shell"
)

func TestSetUpCallsAndCleanUp(t *testing.T) {
	r := newRig(t, nil)
	steps, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields("S1 S10 S11.1 S11.2 S12.1 S12.1.check S12.1.wait S12.2 S12.2.check S12.2.wait S13 S13.1.check S13.1.wait " +
		"S13.2.check S13.2.wait S2 S3 S4 S5 S6.1 S6.1.wait S6.2 S6.2.wait S7.1 S7.2 S8.1 S8.2 S9.1 S9.2")
	if got := ids(steps); !slices.Equal(got, want) {
		t.Errorf("steps %q\nwant  %q", got, want)
	}
	if !slices.IsSortedFunc(steps, func(a, b evidence.Step) int { return a.Started.Compare(b.Started) }) {
		t.Error("the steps are not in the order in which they started")
	}
	if len(r.notified) != len(steps) {
		t.Errorf("OnStep was called for %d of %d steps", len(r.notified), len(steps))
	}
	call, err := r.p.Calls(t.Context(), "west")
	if err != nil || call.ID != "S14.2" || call.Cluster != "west" || call.Stdout == "" {
		t.Errorf("calls: %+v, %v", call, err)
	}
	r.answer["kubectl delete ns"] = func(context.Context, shell.Command) (shell.Result, error) {
		for _, s := range r.servers {
			s.Fail("GET", namespacePath, 404)
		}
		return shell.Result{}, nil
	}
	steps, err = r.p.CleanUp(t.Context())
	if want := []string{"S15.1", "S15.1.wait", "S15.2", "S15.2.wait"}; err != nil || !slices.Equal(ids(steps), want) {
		t.Errorf("clean-up: %q, %v; want %q", ids(steps), err, want)
	}
}

func TestCommandsAreTheGuidesInItsDirectoryAndEnvironment(t *testing.T) {
	t.Setenv("KUBECONFIG", "/somebody/else")
	t.Setenv("CLUSTER_NAME", "leaks into asmcli")
	r := newRig(t, nil)
	steps, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gateway := r.script("--cluster ${CLUSTER_2}")
	if gateway.Dir != r.p.o.Release.Path || !strings.HasPrefix(gateway.Args[2], "set -eo pipefail\n") {
		t.Errorf("S6.2 is not run with pipefail in the release directory: %+v", gateway)
	}
	for _, want := range []string{
		"MESH_ID=proj-123", "CLUSTER_2=cn-fleet-global-west", "CTX_1=ctx-east", "SAMPLES_DIR=/samples-dir",
		"KUBECONFIG=" + r.p.files.merged, "HOME=" + r.p.files.home,
	} {
		if !slices.Contains(gateway.Env, want) {
			t.Errorf("the environment lacks %s: %q", want, gateway.Env)
		}
	}
	for _, line := range gateway.Env {
		if strings.HasPrefix(line, "CLUSTER_NAME=") || line == "KUBECONFIG=/somebody/else" {
			t.Errorf("the caller's %s reached the command", line)
		}
		if path, ok := strings.CutPrefix(line, "PATH="); ok && !strings.HasPrefix(path, r.p.files.bin+":") {
			t.Errorf("kubectl's directory is not first in %s", line)
		}
	}
	for _, s := range steps {
		if s.ID == "S2" && (s.Command != `export MESH_ID="proj-${PROJECT_NUMBER}"` || s.Stdout != "MESH_ID=proj-123\n") {
			t.Errorf("S2 does not show the guide's command and what it exported: %+v", s)
		}
		if s.ID == "S6.2" && (len(s.Deviations) != 2 || s.Deviations[0].Finding != "F1" || s.Deviations[1].Finding != "F2" || s.Cluster != "west") {
			t.Errorf("S6.2 does not list its deviations: %+v", s)
		}
		if strings.Contains(s.Command+s.Stdout+s.Stderr, "secret-") && !strings.Contains(s.Command, "create-remote-secret") {
			t.Errorf("step %s holds a credential", s.ID)
		}
	}
}

func TestAFailedStepStopsTheProcedure(t *testing.T) {
	r := newRig(t, nil)
	r.answer["--cluster ${CLUSTER_2}"] = func(context.Context, shell.Command) (shell.Result, error) {
		r.servers["west"].Close()
		return shell.Result{ExitCode: 1, Stderr: "resources not ready"}, errors.New("exit status 1: resources not ready")
	}
	steps, err := r.p.SetUp(t.Context())
	if err == nil || !strings.Contains(err.Error(), "step S6.2 (Install the east-west gateway) on cluster west: exit status 1: resources not ready") {
		t.Errorf("error %v", err)
	}
	got := ids(steps)
	if slices.Contains(got, "S7.2") || slices.Contains(got, "S8.1") || !slices.Contains(got, "S7.1") {
		t.Errorf("steps %q: want S7.1, which does not need west, and nothing after S7", got)
	}
	for _, s := range steps {
		if s.ID != "S6.2" {
			continue
		}
		if s.ExitCode != 1 || s.Stderr != "resources not ready" || s.Error == "" || !s.Reachable["east"] || s.Reachable["west"] {
			t.Errorf("failed step %+v: want its code, output, error, and east reachable but west not", s)
		}
	}
}

func TestAStepHasADeadlineThatIsNamed(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Gateway = time.Millisecond })
	r.answer["gen-eastwest-gateway.sh"] = func(ctx context.Context, _ shell.Command) (shell.Result, error) {
		<-ctx.Done()
		return shell.Result{ExitCode: -1}, context.Cause(ctx)
	}
	steps, err := r.p.SetUp(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the step's limit of 1ms has passed") {
		t.Errorf("error %v", err)
	}
	if last := steps[len(steps)-1]; last.ExitCode != -1 {
		t.Errorf("last step %+v", last)
	}
}

func TestAnInterruptionEndsTheProcedureAtOnce(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	r.answer["get-contexts"] = func(context.Context, shell.Command) (shell.Result, error) {
		cancel(errors.New("interrupted by ctrl-c"))
		return shell.Result{ExitCode: -1}, context.Cause(ctx)
	}
	steps, err := r.p.SetUp(ctx)
	if err == nil || !strings.Contains(err.Error(), "interrupted by ctrl-c") || len(steps) != 4 || steps[3].Reachable != nil || steps[3].ExitCode != -1 {
		t.Errorf("%d steps, %v: want the 4 until S4, without asking the API servers", len(steps), err)
	}
}

func TestStepsRefuseWhatTheMeshDoesNotHave(t *testing.T) {
	for _, tc := range []struct {
		name, part, stdout, want string
	}{
		{"no revision", "-l app=istiod", "", "install the control plane first"},
		{"two revisions", "-l app=istiod", "a istio.io/rev=asm-1\nb istio.io/rev=asm-2\n", "asm-1, asm-2"},
		{"another revision", "-l app=istiod", "app=istiod,istio.io/rev=asm-9,istio=istiod\n", "give --revision asm-9"},
		{"a context is missing", "get-contexts", "NAME\nctx-east\n", "lack ctx-west"},
		{"no project number", "PROJECT_NUMBER=123", "PROJECT_NUMBER=\n", "not a number"},
		{"another mesh", "MESH_ID=", "MESH_ID=proj-9\n", `"proj-9", but the mesh was installed with "proj-123"`},
		{"not exported", "CTX_1=", "CTX_1=ctx-east\n", "CTX_2 was not exported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.answer[tc.part] = func(context.Context, shell.Command) (shell.Result, error) {
				return shell.Result{Stdout: tc.stdout}, nil
			}
			if _, err := r.p.SetUp(t.Context()); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

func TestAPodWithoutSidecarEndsTheWait(t *testing.T) {
	r := newRig(t, nil)
	r.answer["sleep.yaml"] = func(context.Context, shell.Command) (shell.Result, error) {
		for _, s := range r.servers {
			s.Put(t, podsPath+"sleep", "{metadata: {name: sleep, labels: {app: sleep}}, spec: {containers: [{name: sleep}]}, status: {phase: Running, containerStatuses: [{name: sleep, ready: true}]}}")
		}
		return shell.Result{}, nil
	}
	_, err := r.p.SetUp(t.Context())
	if err == nil || !strings.Contains(err.Error(), "pod sleep has no sidecar") {
		t.Errorf("error %v", err)
	}
}

func TestNothingIsDoneOnWhicheverClusterIsCurrent(t *testing.T) {
	r := newRig(t, nil)
	if _, err := r.p.Calls(t.Context(), "east"); !errors.Is(err, errNotSetUp) {
		t.Errorf("calls before S5: %v", err)
	}
	if _, err := r.p.CleanUp(t.Context()); !errors.Is(err, errNotSetUp) {
		t.Errorf("clean-up before S5: %v", err)
	}
	if len(r.commands) != 0 {
		t.Errorf("commands were run: %v", r.commands)
	}
	if _, err := r.p.Calls(t.Context(), "north"); err == nil || !strings.Contains(err.Error(), "no such cluster") {
		t.Errorf("calls from a cluster that is not there: %v", err)
	}
}

func TestKubeconfigsArePrivateAndKeepTheClustersApart(t *testing.T) {
	r := newRig(t, func(o *Options) {
		// Two files that use the same words for everything, and one that has another context besides.
		for i, c := range o.Set {
			text, err := os.ReadFile(c.Kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			same := strings.NewReplacer("ctx-"+c.Name, "admin@one two", "name: "+c.Name, "name: same", "cluster: "+c.Name+",", "cluster: same,").Replace(string(text))
			path := filepath.Join(t.TempDir(), "same.yaml")
			if err := os.WriteFile(path, []byte(same), 0o600); err != nil {
				t.Fatal(err)
			}
			if o.Set[i], err = cluster.Open(c.Name, c.Network, path, ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	merged, err := clientcmd.LoadFromFile(r.p.files.merged)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.p.files.contexts; !slices.Equal(got, []string{"admin@one-two", "admin@one-two-west"}) || merged.CurrentContext != got[0] {
		t.Errorf("contexts %q, current %q", got, merged.CurrentContext)
	}
	for i, c := range r.set {
		context := merged.Contexts[r.p.files.contexts[i]]
		if merged.Clusters[context.Cluster].Server != c.Server() || merged.AuthInfos[context.AuthInfo].Token != "secret-"+c.Name {
			t.Errorf("context %s does not lead to %s with its own user", r.p.files.contexts[i], c.Name)
		}
		own, err := clientcmd.LoadFromFile(r.p.files.own[i])
		if err != nil || len(own.Contexts) != 1 || own.CurrentContext != "admin@one two" {
			t.Errorf("own kubeconfig of %s: %+v, %v", c.Name, own, err)
		}
	}
	for _, path := range append(r.p.files.own, r.p.files.merged) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	r := newRig(t, nil)
	for _, tc := range []struct {
		name, want string
		change     func(*Options)
	}{
		{"one cluster", "the guide is about 2", func(o *Options) { o.Set = o.Set[:1] }},
		{"another order", "the intent says west", func(o *Options) {
			o.Intent.Clusters = []intent.Cluster{o.Intent.Clusters[1], o.Intent.Clusters[0]}
		}},
		{"a CA that the guide does not have", "no such CA", func(o *Options) { o.Intent.CA = "vault" }},
	} {
		o := r.p.o
		tc.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
