package manifest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const two = `
apiVersion: v1
kind: Namespace
metadata: {name: probe, labels: {istio-injection: disabled}}
---
# nothing here
---
apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: probe}
spec: {containers: []}
`

func TestApplyMarksAndDeleteTakesAway(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	if err := Apply(t.Context(), c, []byte(two), Owner("run-1")); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/api/v1/namespaces/probe", "/api/v1/namespaces/probe/pods/probe"}
	if got := s.Paths(); !slices.Equal(got, paths) {
		t.Fatalf("objects %q, want %q", got, paths)
	}
	for _, p := range paths {
		if got := s.Get(p).GetLabels()[RunLabel]; got != "run-1" {
			t.Errorf("%s has %s=%q", p, RunLabel, got)
		}
	}
	if s.Get(paths[0]).GetLabels()["istio-injection"] != "disabled" {
		t.Error("the manifest's own label was lost")
	}
	pod := Ref{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: "probe", Name: "probe"}
	namespace := Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: "probe"}
	odd := Ref{Kind: schema.GroupKind{Group: "example.org", Kind: "Odd"}, Name: "x"}
	for r, want := range map[Ref]bool{pod: true, namespace: true, odd: false, {Kind: pod.Kind, Namespace: "probe", Name: "y"}: false} {
		if got, err := Exists(t.Context(), c, r); err != nil || got != want {
			t.Errorf("%s exists: %v, %v; want %v", r, got, err, want)
		}
	}
	for range 2 { // the second time nothing is there
		if err := Delete(t.Context(), c, time.Minute, pod, namespace, odd); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Paths(); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

// TestNothingWaitsLongerThanItsContext: an API server that takes a connection and never answers holds nobody.
func TestNothingWaitsLongerThanItsContext(t *testing.T) {
	c := apitest.Silent(t).Cluster(t, "east")
	given := errors.New("given up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(given)
	r := Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: "sample"}
	_, find := Find(ctx, c, r)
	_, label := Label(ctx, c, r, nil)
	_, labelled := Labelled(ctx, c, "n", "a=b", r.Kind)
	for name, err := range map[string]error{"Find": find, "Label": label, "Labelled": labelled, "Delete": Delete(ctx, c, time.Hour, r), "Apply": Apply(ctx, c, []byte(two), nil)} {
		if !errors.Is(err, given) || !strings.Contains(err.Error(), "cluster east") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAKindIsLookedUpOnceMore: what a cluster did not have when it was asked first may have been installed since.
func TestAKindIsLookedUpOnceMore(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	odd := Ref{Kind: schema.GroupKind{Group: "example.org", Kind: "Odd"}, Name: "x"}
	if there, err := Exists(t.Context(), c, odd); err != nil || there {
		t.Fatal(there, err)
	}
	s.Know("example.org/v1", "odds", odd.Kind.Kind)
	s.Put(t, "/apis/example.org/v1/odds/x", "{metadata: {name: x}}")
	if there, err := Exists(t.Context(), c, odd); err != nil || !there {
		t.Error(there, err)
	}
}

func TestLabelled(t *testing.T) {
	s := apitest.New(t)
	s.Put(t, "/apis/apps/v1/namespaces/n/deployments/a", "{metadata: {name: a, labels: {owner: us}}}")
	s.Put(t, "/apis/apps/v1/namespaces/n/deployments/b", "{metadata: {name: b, labels: {owner: them}}}")
	s.Put(t, "/api/v1/namespaces/n/services/c", "{metadata: {name: c, labels: {owner: us}}}")
	s.Put(t, "/api/v1/namespaces/other/services/d", "{metadata: {name: d, labels: {owner: us}}}")
	got, err := Labelled(t.Context(), s.Cluster(t, "east"), "n", "owner=us",
		schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "example.org", Kind: "Odd"}, schema.GroupKind{Kind: "Service"})
	if err != nil || len(got) != 2 || got[0].String() != "Deployment n/a" || got[1].String() != "Service n/c" {
		t.Errorf("%v, %v", got, err)
	}
	s.Fail(http.MethodGet, "/api/v1/namespaces/n/services", http.StatusForbidden)
	if _, err := Labelled(t.Context(), s.Cluster(t, "east"), "n", "owner=us", schema.GroupKind{Kind: "Service"}); err == nil {
		t.Error("a list that was refused counts as an empty one")
	}
}

func TestApplySaysWhatAndWhere(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		fail       string
		want       []string
	}{
		{"forbidden", two, "/api/v1/namespaces/probe/pods/probe", []string{"apply Pod probe/probe on cluster east", "Forbidden"}},
		{"unknown kind", "{apiVersion: example.org/v1, kind: Odd, metadata: {name: x}}", "", []string{"apply Odd x on cluster east", "example.org/v1"}},
		{"no namespace", "{apiVersion: v1, kind: Pod, metadata: {name: x}}", "", []string{"apply Pod x on cluster east", "set metadata.namespace"}},
		{"no name", two + "---\n{apiVersion: v1, kind: Pod}", "", []string{"document 4", "metadata.name"}},
		{"no YAML", "{", "", []string{"document 1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := apitest.New(t)
			if tc.fail != "" {
				s.Fail(http.MethodPatch, tc.fail, http.StatusForbidden)
			}
			err := Apply(t.Context(), s.Cluster(t, "east"), []byte(tc.text), nil)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestDeleteReportsWhatStays(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	if err := Apply(t.Context(), c, []byte(two), nil); err != nil {
		t.Fatal(err)
	}
	s.Fail(http.MethodDelete, "/api/v1/namespaces/probe/pods/probe", http.StatusForbidden)
	err := Delete(t.Context(), c, time.Minute, Ref{Kind: schema.GroupKind{Kind: "Pod"}, Namespace: "probe", Name: "probe"}, Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: "probe"})
	if err == nil || !strings.Contains(err.Error(), "delete Pod probe/probe on cluster east") {
		t.Errorf("error %v", err)
	}
	if s.Get("/api/v1/namespaces/probe") != nil {
		t.Error("one object that cannot be deleted kept the other")
	}
}

// TestDeleteMeansOneObject: with a UID, another object that has taken the name stays.
func TestDeleteMeansOneObject(t *testing.T) {
	const path = "/api/v1/namespaces/sample"
	for uid, stays := range map[types.UID]bool{"uid-1": false, "uid-2": true, "": false} {
		s := apitest.New(t)
		s.Put(t, path, "{metadata: {name: sample, uid: uid-1}}")
		err := Delete(t.Context(), s.Cluster(t, "east"), time.Minute, Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: "sample", UID: uid})
		if there := s.Get(path) != nil; err != nil || there != stays {
			t.Errorf("UID %q: there %t, %v", uid, there, err)
		}
	}
}

func TestLabelTouchesNothingElse(t *testing.T) {
	s := apitest.New(t)
	s.Put(t, "/api/v1/namespaces/sample", "{metadata: {name: sample, uid: uid-1, labels: {team: a}}, spec: {finalizers: [x]}}")
	c, ref := s.Cluster(t, "east"), Ref{Kind: schema.GroupKind{Kind: "Namespace"}, Name: "sample"}
	uid, err := Label(t.Context(), c, ref, Owner("r1"))
	o := s.Get("/api/v1/namespaces/sample")
	if err != nil || uid != "uid-1" || o.GetLabels()["team"] != "a" || o.GetLabels()[RunLabel] != "r1" || o.Object["spec"] == nil {
		t.Errorf("%q, %v, %v", uid, err, o)
	}
	ref.Name = "other"
	if uid, err := Label(t.Context(), c, ref, Owner("r1")); err != nil || uid != "" || s.Get("/api/v1/namespaces/other") != nil {
		t.Errorf("%q, %v: what is not there is made", uid, err)
	}
}

// TestAnInterruptionCutsNoNamespaceShort: the server would make it all the same, after whoever removes what was made has looked.
func TestAnInterruptionCutsNoNamespaceShort(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	ctx, interrupt := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	s.During(http.MethodPost, "/api/v1/namespaces", func() { interrupt(why) })
	if err := MakeNamespace(ctx, c, "probe", "run-1", nil); err != nil || s.Get("/api/v1/namespaces/probe") == nil {
		t.Errorf("interrupted while it is made: %v", err)
	}
	if err := MakeNamespace(ctx, c, "later", "run-1", nil); !errors.Is(err, why) || s.Get("/api/v1/namespaces/later") != nil {
		t.Errorf("interrupted before: %v", err)
	}
}
