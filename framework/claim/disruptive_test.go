package claim

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/meshproof/meshproof/framework/evidence"
)

// disruptive is the sealed evidence of a run on two kind clusters in which everything was done to the mesh, 75 MB of it in one
// archive, made anew by `scripts/record disruptive`.
const disruptive = "testdata/disruptive.tar.zst"

var loadDisruptive = sync.OnceValues(func() (run evidence.Run, err error) {
	dir, err := os.MkdirTemp("", "meshproof-disruptive-")
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := unpack(disruptive, dir); err != nil {
		return run, err
	}
	return evidence.Load(dir)
})

// unpack puts the files of an archive into a folder.
func unpack(archive, dir string) error {
	packed, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer packed.Close()
	unpacked, err := zstd.NewReader(packed)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for t := tar.NewReader(unpacked); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		if err := errors.Join(root.MkdirAll(filepath.Dir(h.Name), 0o755), root.WriteFile(h.Name, content, 0o644)); err != nil {
			return err
		}
	}
}

// recordedDisruptive gives the recorded run. Its steps and what was seen in these epochs are its own, for a test to spoil; the rest is every test's.
func recordedDisruptive(t *testing.T, epochs ...string) evidence.Run {
	t.Helper()
	run, err := loadDisruptive()
	if err != nil {
		t.Fatal(err)
	}
	run.Steps, run.Epochs = slices.Clone(run.Steps), maps.Clone(run.Epochs)
	for _, name := range epochs {
		epoch, there := run.Epochs[name]
		if !there {
			t.Fatalf("the recorded run has no epoch %s", name)
		}
		epoch.Clusters = maps.Clone(epoch.Clusters)
		for cluster, seen := range epoch.Clusters {
			epoch.Clusters[cluster] = apart(t, seen)
		}
		run.Epochs[name] = epoch
	}
	return run
}

// apart gives a copy of what was seen of a cluster. The proxies' and istiods' pages are large: each is to be replaced, not changed.
func apart(t *testing.T, c *evidence.Cluster) *evidence.Cluster {
	t.Helper()
	small := *c
	small.Proxies, small.Istiods = nil, nil
	text, err := json.Marshal(small)
	if err != nil {
		t.Fatal(err)
	}
	var own evidence.Cluster
	if err := json.Unmarshal(text, &own); err != nil {
		t.Fatal(err)
	}
	own.Proxies, own.Istiods = slices.Clone(c.Proxies), slices.Clone(c.Istiods)
	for i, replica := range own.Istiods {
		own.Istiods[i].Pages = maps.Clone(replica.Pages)
	}
	return &own
}

func TestRecordedDisruptiveRunPasses(t *testing.T) {
	run := recordedDisruptive(t)
	all := Judge(run)
	if code := ExitCode(all); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	done := 0
	for _, f := range all {
		saw(run, f)
		if f.Level == Core && f.Verdict != Passed {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
		if f.Level == Core && (f.Area == Denial || f.Area == Recovery) {
			done++
		}
	}
	if want := 2*len(denialRules()) + len(disruptions()) + 2*len(injections()); done != want {
		t.Errorf("%d findings of denials and recoveries, want %d: was everything done to the mesh?", done, want)
	}
}
