package session

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// TestASilentServerEndsARemoval: an API server that takes every request and answers none is named, in time; the other cluster is freed
// before, unless all of the time is gone.
func TestASilentServerEndsARemoval(t *testing.T) {
	for name, tc := range map[string]struct {
		older        bool
		step, remove time.Duration
		says         string
		freed        bool
	}{
		"it is asked which cluster it is": {step: 3 * time.Second, remove: time.Hour, says: "a look at the given clusters took longer than 3s", freed: true},
		"it is asked for its lease":       {older: true, step: 3 * time.Second, remove: time.Hour, says: "took longer than 3s", freed: true},
		"it holds up the removal":         {older: true, step: time.Hour, remove: time.Second, says: "the removal took longer than 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			farm, o := killed(t)
			if tc.older {
				forgetUIDs(t, o)
			}
			silent, err := os.ReadFile(apitest.Silent(t).Cluster(t, "two").Kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			write(t, o.Targets[1].Kubeconfigs[0], strings.ReplaceAll(string(silent), "ctx-two", "west"))
			limits := DefaultLimits()
			limits.Step, limits.Remove = tc.step, tc.remove
			err = down(t.Context(), o.StateDir, o.RunID, limits, unsaid)
			if err == nil || !strings.Contains(err.Error(), "cluster two") || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
			if freed := farm.Server("east").Get(samplePath) == nil; tc.freed && !freed {
				t.Error("the cluster that answers was not freed")
			}
		})
	}
}

// forgetUIDs makes the saved clusters those of an older version.
func forgetUIDs(t *testing.T, o Options) {
	t.Helper()
	file := filepath.Join(o.dir(), targetsFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, regexp.MustCompile(`,"UID":"uid[^"]*"|,"TimeoutMultiplier":[0-9.]*`).ReplaceAllString(string(text), ""))
}

func TestASilentServerEndsARemovalFromElsewhere(t *testing.T) {
	c := apitest.Silent(t).Cluster(t, "two")
	limits := DefaultLimits()
	limits.Remove = time.Second
	there := &Elsewhere{set: cluster.Set{c}, copies: map[string][]*mirror.Copy{"two": {{Run: "r1"}}}, limits: limits}
	err := there.Remove(t.Context(), "r1", "", unsaid)
	if err == nil || !strings.Contains(err.Error(), "cluster two") || !strings.Contains(err.Error(), "the removal took longer than 1s") {
		t.Errorf("%v", err)
	}
}

// TestARemovalHasTheRunsTime: waits that the run was given are those of its removal by another process.
func TestARemovalHasTheRunsTime(t *testing.T) {
	for factor, want := range map[float64]time.Duration{0: 6 * time.Minute, 2.5: 15 * time.Minute} { // 0 = an older version's
		if got := (saved{TimeoutMultiplier: factor}).stretch(DefaultLimits()); got.Remove != want || got.Procedure != DefaultLimits().times(max(factor, 1)).Procedure {
			t.Errorf("%g: %s", factor, got.Remove)
		}
	}
	_, o := killed(t)
	all, err := readSaved(o.dir())
	if err != nil || all.TimeoutMultiplier != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}
