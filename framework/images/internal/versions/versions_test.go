package versions

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"whole":       {`modules: {a: {path: x/a, version: v1, sum: "h1:s="}}` + "\nimages: {i: host/i:1}", ""},
		"unknown key": {`module: {}`, "unknown field"},
		"no sum":      {`modules: {a: {path: x/a, version: v1}}`, "module a"},
		"wrong sum":   {`modules: {a: {path: x/a, version: v1, sum: s}}`, "module a"},
		"short sha":   {`envoy: {sha256: {amd64: abc}}`, "amd64"},
		"no tag":      {`images: {i: "localhost:5000/i"}`, "no tag"},
		"no YAML":     {`{`, "versions.yaml"},
	} {
		_, err := Parse([]byte(c.text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
