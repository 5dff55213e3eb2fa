package session

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

// soon is a limit that nothing has to keep: what is looked at is that it ends what would go on for ever.
const soon = 100 * time.Millisecond

// silenced has the second cluster's kubeconfig lead to a server that answers nothing.
func silenced(t *testing.T, o Options) *apitest.Server {
	t.Helper()
	s := apitest.Silent(t)
	text, err := os.ReadFile(s.Cluster(t, "two").Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	write(t, o.Targets[1].Kubeconfigs[0], strings.ReplaceAll(string(text), "ctx-two", "west"))
	return s
}

// TestASilentServerEndsARemoval: an API server that takes every request and answers none is named, with the limit that has ended it.
func TestASilentServerEndsARemoval(t *testing.T) {
	for name, tc := range map[string]struct {
		older        bool
		step, remove time.Duration
		says         string
	}{
		"it is asked which cluster it is": {step: soon, remove: time.Hour, says: "a look at the given clusters took longer than 100ms"},
		"it is asked for its lease":       {older: true, step: soon, remove: time.Hour, says: "keeping other runs off the clusters took longer than 100ms"},
		"it holds up the removal":         {step: time.Hour, remove: soon, says: "the removal took longer than 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, o := killed(t)
			if tc.older {
				forgetUIDs(t, o)
			}
			silenced(t, o)
			limits := DefaultLimits()
			limits.Step, limits.Remove = tc.step, tc.remove
			err := down(t.Context(), o.StateDir, o.RunID, limits, unsaid)
			if err == nil || !strings.Contains(err.Error(), "cluster two") || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestTheRestIsFreedBesideASilentServer: a server that says nothing until the other's answer is under way, and then that it failed, keeps
// nothing on the other cluster.
func TestTheRestIsFreedBesideASilentServer(t *testing.T) {
	for name, tc := range map[string]struct {
		older      bool
		verb, path string
	}{
		"it is asked which cluster it is": {false, http.MethodGet, "/api/v1/namespaces/kube-system"},
		"it is asked for its lease":       {true, http.MethodPost, path.Dir(leasePath)},
	} {
		t.Run(name, func(t *testing.T) {
			farm, o := killed(t)
			if tc.older {
				forgetUIDs(t, o)
			}
			east := farm.Server("east")
			east.During(tc.verb, tc.path, silenced(t, o).Speak)
			err := down(t.Context(), o.StateDir, o.RunID, DefaultLimits(), unsaid)
			if err == nil || !strings.Contains(err.Error(), "cluster two") || strings.Contains(err.Error(), "cluster one") {
				t.Errorf("%v", err)
			}
			if east.Get(samplePath) != nil {
				t.Error("the cluster that answers was not freed")
			}
		})
	}
}

// TestWhatEndsTheHoldEndsNotTheRemoval: the limit of the question for leases is not the removal's.
func TestWhatEndsTheHoldEndsNotTheRemoval(t *testing.T) {
	limits := DefaultLimits()
	limits.Step = soon
	ctx, held, err := holdForRemoval(t.Context(), cluster.Set{apitest.Silent(t).Cluster(t, "two")}, lease.Here("r1"), limits, unsaid)
	if err == nil || ctx.Err() != nil || len(held.set) != 0 {
		t.Errorf("%v, %v, it holds %v", err, context.Cause(ctx), held.set)
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
	limits.Remove = soon
	there := &Elsewhere{set: cluster.Set{c}, copies: map[string][]*mirror.Copy{"two": {{Run: "r1"}}}, limits: limits}
	err := there.Remove(t.Context(), "r1", "", unsaid)
	if err == nil || !strings.Contains(err.Error(), "cluster two") || !strings.Contains(err.Error(), "the removal took longer than 100ms") {
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

// TestTheRemovalOfKindClustersHasTheRunsTime: a container engine that answers nothing is waited for as long as the run would have done, and
// as long as by default for a run of an older version, which has not said.
func TestTheRemovalOfKindClustersHasTheRunsTime(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\nexec tail -f /dev/null\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for older, says := range map[bool]string{false: "the removal took longer than 250ms", true: "the removal took longer than 100ms"} {
		s, err := New(Options{RunID: "r1", Revision: "r", Fleet: "fleet", ProjectNumber: "123", Samples: 600, Alpha: 1e-8, StateDir: t.TempDir(), TimeoutMultiplier: 2.5, Tell: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		s.images = &images.Set{} // no cluster can be made of it
		if err := s.makeClusters(t.Context()); err == nil {
			t.Fatal("clusters were made")
		}
		if err := errors.Join(s.ledger.Intend(ledger.Entry{Kind: "docker network", Name: "meshproof-r1"}), s.ledger.Close()); err != nil {
			t.Fatal(err)
		}
		if older {
			if err := os.RemoveAll(filepath.Join(s.Dir(), targetsFile)); err != nil {
				t.Fatal(err)
			}
		}
		limits := DefaultLimits()
		limits.Remove = soon
		err = down(t.Context(), s.o.StateDir, "r1", limits, unsaid)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "given cluster") {
			t.Errorf("older %t: %v", older, err)
		}
	}
}
