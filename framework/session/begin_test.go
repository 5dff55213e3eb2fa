package session

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/report"
)

const systemPath = "/api/v1/namespaces/istio-system"

// meshes gives two clusters that hold a control plane each, and the options of a run on them.
func meshes(t *testing.T) (*apitest.Farm, Options) {
	t.Helper()
	t.Setenv(report.SummaryVariable, "") // the page of the CI job that runs the tests is no place for their runs
	farm, dir := apitest.NewFarm(t, "east", "west"), t.TempDir()
	o := Options{RunID: "r1", Revision: "r", Samples: 600, Alpha: 1e-8, StateDir: dir, ReportDir: filepath.Join(dir, "report"), Tell: silent{}}
	o.Limits = DefaultLimits()
	o.Limits.Verify.Quiet = 1 // the mesh is looked at once
	for i, name := range []string{"east", "west"} {
		put := func(path, text string) { farm.Server(name).Put(t, path, text) }
		put("/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-"+name+"}}")
		put(systemPath, "{metadata: {name: istio-system, labels: {topology.istio.io/network: "+name+"}}}")
		put("/apis/apps/v1/namespaces/istio-system/deployments/istiod-r", `{metadata: {name: istiod-r}, spec: {template: {spec: {containers: [
{name: discovery, image: "example.com/pilot:1.31.0", env: [{name: CLUSTER_ID, value: cn-fleet-global-`+name+`}]}]}}}}`)
		put(systemPath+"/pods/istiod", "{metadata: {name: istiod, namespace: istio-system, labels: {app: istiod, istio.io/rev: r}}}")
		put(systemPath+"/configmaps/istio-r", "{metadata: {name: istio-r}, data: {mesh: '{defaultConfig: {meshId: proj-123}}'}}")
		path := filepath.Join(dir, name+".yaml")
		write(t, path, farm.Kubeconfig(name, name))
		o.Targets = append(o.Targets, Target{Kubeconfigs: []string{path}, Name: []string{"one", "two"}[i]})
	}
	return farm, o
}

// TestReadOnlyWritesNothing is a whole run: it sends nothing but reads and reviews of access, takes what is there as it is,
// skips what it cannot tell, and is no pass.
func TestReadOnlyWritesNothing(t *testing.T) {
	for name, namespace := range map[string]string{"with the sample": "sample", "with the sample elsewhere": "ours", "without": ""} {
		farm, o := meshes(t)
		o.ReadOnly, o.Namespace = true, namespace
		sample := namespace != ""
		if sample {
			farm.Server("west").Put(t, "/api/v1/namespaces/"+namespace, "{metadata: {name: "+namespace+"}}")
			farm.Server("west").Put(t, "/api/v1/namespaces/"+namespace+"/pods/sleep", "{metadata: {name: sleep, labels: {app: sleep}}}")
		}
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Run(t.Context())
		if err != nil || out.Findings.ExitCode == 0 || len(out.Left) != 0 {
			t.Fatalf("%s: %v, %+v", name, err, out)
		}
		for _, cluster := range []string{"east", "west"} {
			writes := slices.DeleteFunc(farm.Server(cluster).Calls(), func(c string) bool { return strings.HasSuffix(c, "accessreviews") })
			if len(writes) != 0 {
				t.Errorf("%s: %s was written to: %q", name, cluster, writes)
			}
		}
		run, err := evidence.Load(filepath.Join(o.ReportDir, "evidence"))
		if err != nil || !run.Intent.ReadOnly || run.Intent.NoSample == sample {
			t.Fatalf("%s: %v, intent %+v", name, err, run.Intent)
		}
		if at := slices.IndexFunc(run.Steps, func(s evidence.Step) bool { return s.ID == "S6.2" }); at < 0 || run.Steps[at].Skipped != "--read-only" || run.Steps[at].Cluster != "two" {
			t.Errorf("%s: the steps do not say that S6.2 was left out: %+v", name, run.Steps)
		}
		for _, f := range out.Findings.Findings {
			if f.Claim == "split-balanced" && (f.Verdict != claim.Skipped || f.Level != claim.Core) || f.Claim == "one-revision" && f.Verdict != claim.Passed {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if left, err := filepath.Glob(filepath.Join(o.StateDir, "runs", "*")); err != nil || len(left) != 0 {
			t.Errorf("%s: left %q, %v", name, left, err)
		}
	}
}

// TestOneRunAtATime: while a run holds the clusters, another is refused with the holder's name and has changed nothing; when the
// first has ended, the leases are gone.
func TestOneRunAtATime(t *testing.T) {
	const path = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshproof"
	farm, o := meshes(t)
	first, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := first.limited(t.Context())
	defer cancel()
	if err := errors.Join(first.Check(ctx), first.takeLeases(ctx)); err != nil {
		t.Fatal(err)
	}
	o.RunID, o.ReportDir = "r2", o.ReportDir+"2"
	second, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var usage *UsageError
	for name, try := range map[string]func(context.Context) error{"the look": second.Check, "the attempt": second.takeLeases} {
		err := try(t.Context())
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "run r1 of ") || !strings.Contains(err.Error(), "since ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := second.discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, cluster := range []string{"east", "west"} {
		if farm.Server(cluster).Get(path) == nil {
			t.Errorf("%s: the second run gave the first one's lease back", cluster)
		}
	}
	if err := first.remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, cluster := range []string{"east", "west"} {
		if left := farm.Server(cluster).Get(path); left != nil {
			t.Errorf("%s: left %v", cluster, left)
		}
	}
}
