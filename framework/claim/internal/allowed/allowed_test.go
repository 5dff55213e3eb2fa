package allowed

import (
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

func TestDecode(t *testing.T) {
	const whole = "id: a\n  level: warn\n  message: m\n  reason: r\n  source: s\n"
	for name, tc := range map[string]struct{ text, want string }{
		"whole":           {"- " + whole, ""},
		"unknown key":     {"- " + whole + "  colour: red\n", "colour"},
		"no reason":       {"- " + strings.Replace(whole, "  reason: r\n", "", 1), "a reason"},
		"twice":           {"- " + whole + "- " + whole, "an id of its own"},
		"a panic":         {"- " + strings.Replace(whole, "warn", "panic", 1), "never allowed"},
		"no expression":   {"- " + strings.Replace(whole, "message: m", "message: '('", 1), "missing closing"},
		"not even a list": {"{}", "read the list"},
	} {
		switch _, err := decode([]byte(tc.text)); {
		case tc.want == "" && err != nil, tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: error %v, want ...%s...", name, err, tc.want)
		}
	}
	if all, err := Istiod(); err != nil || len(all) == 0 {
		t.Errorf("the data: %d entries, error %v", len(all), err)
	}
}

func TestFind(t *testing.T) {
	entries, err := decode([]byte("- {id: a, level: warn, scope: x, message: 'a|bc', reason: r, source: s}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		level, scope, message string
		want                  bool
	}{
		{"warn", "x", "a", true}, {"warn", "x", "bc", true}, {"warn", "x", "ab", false}, {"warn", "x", "a and more", false},
		{"error", "x", "a", false}, {"warn", "", "a", false},
	} {
		if e, is := Find(entries, evidence.LoggedLine{Level: tc.level, Scope: tc.scope, Message: tc.message}); is != tc.want || is && e.ID != "a" {
			t.Errorf("%+v: found %t", tc, is)
		}
	}
}

// Lines that istiods of meshes logged that passed.
func TestKnownLines(t *testing.T) {
	entries, err := Istiod()
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{
		"error handling istio-validator-asm-1232-2-istio-system, retrying (retry count: 1): webhook is not ready, retry",
		"error handling istiod-default-validator, retrying (retry count: 2): webhook is not ready, retry",
	} {
		if _, is := Find(entries, evidence.LoggedLine{Level: "error", Scope: "controllers", Message: message}); !is {
			t.Errorf("not known: %s", message)
		}
	}
}
