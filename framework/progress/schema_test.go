package progress

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/report/schematest"
)

const schemaFile = "../../docs/schema/event-v1.json"

func TestEventsAreOfTheSchema(t *testing.T) {
	kinds := map[Kind]bool{}
	for _, e := range slices.Concat(recorded(t), judged(), results(t)) {
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.Check(t, schemaFile, body); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		kinds[e.Event] = true
	}
	if len(kinds) != 15 {
		t.Errorf("%d kinds of events were checked, want 15", len(kinds))
	}
}

// judged are events of the end of a run.
func judged() []Event {
	code := 2
	return []Event{
		{Event: Finding, Claim: "split-balanced", Level: "core", Subject: "east to west", Verdict: "passed", Reason: "it is"},
		{Event: Verdict, ExitCode: &code, Error: "there is no such file: give another"},
	}
}

func TestTheEventSchemaRefuses(t *testing.T) {
	const time = `"time":"2026-01-02T03:04:05.000Z"`
	for name, event := range map[string]struct{ good, bad string }{
		"an unknown key":           {`"event":"note","what":"x"`, `"event":"note","what":"x","why":"y"`},
		"an unknown event":         {`"event":"note","what":"x"`, `"event":"remark","what":"x"`},
		"a note of nothing":        {`"event":"note","what":"x"`, `"event":"note","what":""`},
		"another kind's key":       {`"event":"doing","what":"x"`, `"event":"doing","what":"x","seconds":1`},
		"a done without time":      {`"event":"done","what":"x","seconds":0`, `"event":"done","what":"x"`},
		"a sample of text":         {`"event":"sample","cluster":"c","what":"x","asked":1,"answered":{"v1":1}`, `"event":"sample","cluster":"c","what":"x","asked":1,"answered":{"v1":"1"}`},
		"an unknown verdict":       {`"event":"verdict","exitCode":1,"verdict":"failed"`, `"event":"verdict","exitCode":1,"verdict":"bad"`},
		"a verdict without code":   {`"event":"verdict","exitCode":1`, `"event":"verdict"`},
		"a proof of nothing":       {`"event":"proof","fault":"f","expected":{"verdict":"failed","cause":"c"},"named":true,"seconds":1`, `"event":"proof","fault":"f","named":true,"seconds":1`},
		"a round without number":   {`"event":"round","what":"judgement","number":1,"seconds":1`, `"event":"round","what":"judgement","seconds":1`},
		"a bound above all":        {`"event":"end","exitCode":0,"judgements":{"failed":0,"of":1,"bound":0.5}`, `"event":"end","exitCode":0,"judgements":{"failed":0,"of":1,"bound":50}`},
		"an end without code":      {`"event":"end","exitCode":3`, `"event":"end"`},
		"another command's result": {`"event":"removed","run":"r"`, `"event":"removed","run":"r","alive":true`},
		"an unknown exit code":     {`"event":"verdict","exitCode":1`, `"event":"verdict","exitCode":7`},
		"a cause without remedy": {`"event":"finding","claim":"c","level":"core","subject":"s","verdict":"failed","reason":"r","cause":{"id":"i","sentence":"s","remedy":"r"}`,
			`"event":"finding","claim":"c","level":"core","subject":"s","verdict":"failed","reason":"r","cause":{"id":"i","sentence":"s"}`},
	} {
		if err := schematest.Check(t, schemaFile, []byte("{"+time+","+event.good+"}")); err != nil {
			t.Errorf("%s: the valid twin is refused: %v", name, err)
		}
		if schematest.Check(t, schemaFile, []byte("{"+time+","+event.bad+"}")) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
	for _, bad := range []string{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000+01:00", "now"} {
		if schematest.Check(t, schemaFile, []byte(`{"time":"`+bad+`","event":"note","what":"x"}`)) == nil {
			t.Errorf("the schema takes the time %q", bad)
		}
	}
}

// A field that is new in the code, and not in the schema, would make every reader refuse the event.
func TestTheEventSchemaKnowsEveryField(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for f := range reflect.TypeFor[Event]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, name)
		if schema.Properties[name] == nil {
			t.Errorf("the schema has no %q", name)
		}
	}
	for name := range schema.Properties {
		if !slices.Contains(fields, name) {
			t.Errorf("an event has no %q", name)
		}
	}
}
