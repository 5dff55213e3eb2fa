package session

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// TestDownTakesItsTracesAway: of a run that was killed on given clusters, its things go, and its copies and leases with them;
// nothing else does.
func TestDownTakesItsTracesAway(t *testing.T) {
	farm, o := meshes(t)
	before := slices.Concat(farm.Server("east").Paths(), farm.Server("west").Paths())
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := s.limited(t.Context())
	defer cancel()
	if err := errors.Join(s.Check(ctx), s.takeLeases(ctx), s.keepTargets(ctx)); err != nil {
		t.Fatal(err)
	}
	s.mirror = mirror.New(s.ledger, s.set, o.RunID, "ann@here")
	for _, c := range s.Clusters() {
		e := ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: c.Name, Run: o.RunID}
		if err := s.book().Intend(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"east", "west"} {
		if farm.Server(name).Get(systemPath+"/configmaps/meshproof-run-r1") == nil {
			t.Errorf("%s holds no copy of the ledger", name)
		}
		farm.Server(name).Put(t, "/api/v1/namespaces/sample", "{metadata: {name: sample}}")
	}
	if err := s.ledger.Close(); err != nil { // as the kernel does for a killed process
		t.Fatal(err)
	}
	if err := Down(t.Context(), o.StateDir, o.RunID, unsaid); err != nil {
		t.Fatal(err)
	}
	if after := slices.Concat(farm.Server("east").Paths(), farm.Server("west").Paths()); !slices.Equal(before, after) {
		t.Errorf("before %q, after %q", before, after)
	}
	if err := s.releaseLeases(t.Context()); err != nil { // ends the renewal
		t.Error(err)
	}
}

// TestDownKeepsOffWhereAnotherRunWorks: what is on the other cluster goes, and the rest once that run has ended.
func TestDownKeepsOffWhereAnotherRunWorks(t *testing.T) {
	farm, o := meshes(t)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := s.limited(t.Context())
	defer cancel()
	if err := errors.Join(s.Check(ctx), s.keepTargets(ctx)); err != nil {
		t.Fatal(err)
	}
	s.mirror = mirror.New(s.ledger, s.set, o.RunID, "ann@here")
	const sample = "/api/v1/namespaces/sample"
	for i, name := range []string{"east", "west"} {
		if err := s.book().Intend(ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: s.Clusters()[i].Name, Run: o.RunID}); err != nil {
			t.Fatal(err)
		}
		farm.Server(name).Put(t, sample, "{metadata: {name: sample, labels: {meshproof.dev/run: r1}}}")
	}
	other, _, err := lease.Take(t.Context(), s.set[1], lease.Here("r9"), func(err error) { t.Error(err) })
	if err := errors.Join(err, s.ledger.Close()); err != nil {
		t.Fatal(err)
	}
	err = Down(t.Context(), o.StateDir, o.RunID, unsaid)
	if !errors.Is(err, lease.ErrHeld) || farm.Server("east").Get(sample) != nil || farm.Server("west").Get(sample) == nil {
		t.Errorf("while another run works: %v", err)
	}
	if strings.Contains(err.Error(), "for good") {
		t.Errorf("a cluster that answered is said to be gone: %v", err)
	}
	if calls := farm.Server("east").Calls(); !slices.Contains(calls, "POST "+path.Dir(leasePath)) || farm.Server("east").Get(leasePath) != nil {
		t.Errorf("the removal did not hold a lease, or has left it: %q", calls)
	}
	if err := errors.Join(other.Release(t.Context()), Down(t.Context(), o.StateDir, o.RunID, unsaid)); err != nil || farm.Server("west").Get(sample) != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// killed gives the options of a run that was killed on given clusters, and had made the sample's namespace on both.
func killed(t *testing.T) (*apitest.Farm, Options) {
	t.Helper()
	farm, o := meshes(t)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := s.limited(t.Context())
	defer cancel()
	if err := errors.Join(s.Check(ctx), s.remember(ctx)); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"east", "west"} {
		if err := s.book().Intend(ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: s.Clusters()[i].Name, Run: o.RunID}); err != nil {
			t.Fatal(err)
		}
		farm.Server(name).Put(t, samplePath, "{metadata: {name: sample, labels: {meshproof.dev/run: r1}}}")
	}
	if err := s.ledger.Close(); err != nil { // as the kernel does for a killed process
		t.Fatal(err)
	}
	return farm, o
}

const samplePath = "/api/v1/namespaces/sample"

// TestDownOfClustersThatAreGone: with the cluster its kubeconfig went, and nobody can mend that. The other cluster is freed.
func TestDownOfClustersThatAreGone(t *testing.T) {
	farm, o := killed(t)
	if err := os.Remove(o.Targets[1].Kubeconfigs[0]); err != nil {
		t.Fatal(err)
	}
	err := Down(t.Context(), o.StateDir, o.RunID, unsaid)
	if err == nil || !strings.Contains(err.Error(), "gone for good, remove "+o.dir()) || !strings.Contains(err.Error(), "of cluster two") {
		t.Errorf("it does not say how to end with the run: %v", err)
	}
	if farm.Server("east").Get(samplePath) != nil || farm.Server("west").Get(samplePath) == nil {
		t.Error("the cluster that is there was not freed")
	}
}

// TestDownOfAnotherCluster: where a kubeconfig leads to another cluster now, nothing is taken for removed, and nothing of that is touched.
// The files of older runs do not say which cluster it was.
func TestDownOfAnotherCluster(t *testing.T) {
	for _, older := range []bool{false, true} {
		farm, o := killed(t)
		west := farm.Server("west")
		if older {
			forgetUIDs(t, o)
		}
		west.Put(t, "/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-north}}")
		before := len(west.Calls())
		err := Down(t.Context(), o.StateDir, o.RunID, unsaid)
		if older {
			if err != nil || west.Get(samplePath) != nil {
				t.Errorf("a run of an older version cannot be removed: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), o.Targets[1].Kubeconfigs[0]+" (context west) leads to another cluster now") || len(west.Calls()) != before {
			t.Errorf("%v; it wrote %q", err, west.Calls()[before:])
		}
		if farm.Server("east").Get(samplePath) != nil {
			t.Error("the cluster that is the same was not freed")
		}
		west.Put(t, "/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-west}}")
		if err := Down(t.Context(), o.StateDir, o.RunID, unsaid); err != nil || west.Get(samplePath) != nil {
			t.Errorf("once it leads there again: %v", err)
		}
	}
}

// TestANamespaceOfAnotherStays: the suite does not take over, or note as its own, what somebody has made since Check looked.
func TestANamespaceOfAnotherStays(t *testing.T) {
	for label, own := range map[string]bool{"r1": true, "r2": false} {
		farm, o := meshes(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		const probe = "/api/v1/namespaces/meshproof"
		farm.Server("east").Put(t, probe, "{metadata: {name: meshproof, labels: {meshproof.dev/run: "+label+"}}}")
		err = s.deployOwn(t.Context(), s.set[0])
		label := farm.Server("east").Get(probe).GetLabels()["meshproof.dev/run"]
		if errors.Is(err, manifest.ErrForeign) == own || (err == nil) != own || (len(s.ledger.Remaining()) > 0) != own || (label == "r1") != own {
			t.Errorf("its own %t: %v, label %s, noted %v", own, err, label, s.ledger.Remaining())
		}
	}
}

// TestNoCopyOutlivesTheLedger: a run that was killed after the file said that all is gone leaves no copy behind, however it is ended.
func TestNoCopyOutlivesTheLedger(t *testing.T) {
	for name, end := range map[string]func(*Session, Options) error{
		"down": func(s *Session, o Options) error {
			return errors.Join(s.releaseLeases(t.Context()), s.ledger.Close(), Down(t.Context(), o.StateDir, o.RunID, unsaid))
		},
		"the run itself": func(s *Session, _ Options) error { return s.Abandon(t.Context()) },
	} {
		farm, o := meshes(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := s.limited(t.Context())
		defer cancel()
		if err := errors.Join(s.Check(ctx), s.takeLeases(ctx), s.keepTargets(ctx)); err != nil {
			t.Fatal(err)
		}
		s.mirror = mirror.New(s.ledger, s.set, o.RunID, "ann@here")
		e := ledger.Entry{Kind: "Namespace", Name: "sample", Cluster: "one", Run: o.RunID}
		if err := errors.Join(s.book().Intend(e), s.ledger.Removed(e), end(s, o)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if farm.Server("east").Get(systemPath+"/configmaps/meshproof-run-r1") != nil {
			t.Errorf("%s: the copy of the ledger is left", name)
		}
	}
}
