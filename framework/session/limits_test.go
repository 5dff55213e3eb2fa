package session

import (
	"reflect"
	"testing"
	"time"
)

// durations gives the address of every duration within a struct.
func durations(v reflect.Value) []*time.Duration {
	var all []*time.Duration
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *time.Duration:
			all = append(all, f)
		default:
			all = append(all, durations(v.Field(i))...)
		}
	}
	return all
}

func TestEveryWaitHasANameADefaultAndASentence(t *testing.T) {
	l := DefaultLimits()
	fields, names := map[*time.Duration]int{}, map[string]bool{}
	for _, d := range durations(reflect.ValueOf(&l).Elem()) {
		fields[d] = 0
	}
	for _, n := range l.table() {
		if _, known := fields[n.limit]; !known || names[n.name] || n.name == "" || n.sentence == "" || *n.limit <= 0 {
			t.Errorf("%q, %s: %q: a field of Limits: %t; named twice: %t", n.name, *n.limit, n.sentence, known, names[n.name])
		}
		names[n.name] = true
		fields[n.limit]++
	}
	for d, rows := range fields {
		if rows != 1 {
			t.Errorf("a limit of %s is in %d rows of the table, want 1", *d, rows)
		}
	}
}

func TestOneFactorStretchesEveryWait(t *testing.T) {
	dir := t.TempDir()
	o := Options{Revision: "r", Fleet: "f", ProjectNumber: "1", Samples: 600, Alpha: 1e-8, StateDir: dir, ReportDir: dir + "/report", TimeoutMultiplier: 2.5, Tell: silent{}}
	s, err := begin(o)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range s.limits.Waits() {
		if want := DefaultLimits().Waits()[i]; w.Name != want.Name || w.Limit != want.Limit*5/2 {
			t.Errorf("%s is %s, want 2.5 times %s", w.Name, w.Limit, want.Limit)
		}
	}
	if got := s.provingLimits(); got.Converge != 112500*time.Millisecond || got.Quiet != 12500*time.Millisecond || got.Withdraw != 150*time.Second {
		t.Errorf("a broken mesh is given %+v", got)
	}
	if got := s.verifyOptions().Limits; got != s.limits.Verify {
		t.Errorf("the mesh is given %+v", got)
	}
	if got := s.verifyOptions().Collect.Request; got != 25*time.Second {
		t.Errorf("a look gives each request %s", got)
	}
	if s.Options().Limits != DefaultLimits() {
		t.Error("a run that is made again from these options would stretch its waits twice")
	}
}
