package progress

import (
	"context"
	"errors"
	"reflect"
	"testing"
)

func TestEventsCountAndNameWhatIsLeft(t *testing.T) {
	var got []Event
	r := New(func(e Event) { e.Elapsed = 0; got = append(got, e) })
	r.Expect("one", "two", "there already")
	r.Skip("there already")
	if err := r.Do(t.Context(), "one", func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := r.Do(t.Context(), "unexpected", func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the work's error", err)
	}
	want := []Event{
		{Item: "one", State: Started, Number: 1, Total: 2, Remaining: []string{"two"}},
		{Item: "one", State: Done, Number: 1, Total: 2, Remaining: []string{"two"}},
		{Item: "unexpected", State: Started, Number: 2, Total: 3, Remaining: []string{"two"}},
		{Item: "unexpected", State: Failed, Number: 2, Total: 3, Remaining: []string{"two"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestNobodyNeedsToListen(t *testing.T) {
	if err := New(nil).Do(t.Context(), "one", func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}
