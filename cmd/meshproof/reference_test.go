package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/cause"
)

func TestClaimsAndCausesAreListed(t *testing.T) {
	var claims []string
	for _, c := range claim.All() {
		claims = append(claims, c.ID)
	}
	for _, tc := range []struct {
		command, page string
		ids           []string
	}{
		{"claims", "../../docs/requirements.md", claims},
		{"causes", "../../docs/troubleshooting.md", cause.IDs()},
	} {
		t.Run(tc.command, func(t *testing.T) {
			text, code := execute(t, tc.command)
			lines := strings.Split(strings.TrimSpace(text), "\n")
			if code != 0 || len(lines) != len(tc.ids)+1 {
				t.Fatalf("exit code %d and %d lines, want 0 and a head with %d lines", code, len(lines), len(tc.ids))
			}
			for i, id := range tc.ids {
				if !strings.HasPrefix(lines[i+1], id+" ") {
					t.Errorf("line %d is %q, not about %s", i+1, lines[i+1], id)
				}
			}
			body, code := execute(t, tc.command, "--output", "json")
			var listed []struct{ ID, Sentence string }
			if err := json.Unmarshal([]byte(body), &listed); err != nil || code != 0 || len(listed) != len(tc.ids) {
				t.Fatalf("exit code %d, %v, %d of %d in the JSON", code, err, len(listed), len(tc.ids))
			}
			for i, l := range listed {
				if l.ID != tc.ids[i] || l.Sentence == "" {
					t.Errorf("the JSON has %+v for %s", l, tc.ids[i])
				}
			}
			page, err := os.ReadFile(tc.page)
			if got, code := execute(t, tc.command, "--output", "markdown"); err != nil || code != 0 || got != string(page) {
				t.Errorf("exit code %d, %v: --output markdown is not %s", code, err, tc.page)
			}
		})
	}
}
