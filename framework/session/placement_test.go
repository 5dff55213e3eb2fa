package session

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlacementInAFixture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"auths":{"registry.example":{"auth":"dTpw","email":"x@example"}},"credsStore":"desktop","HttpHeaders":{"X":"secret"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Placement{PullSecret: file, Tolerations: []string{"dedicated=mesh:NoSchedule", "spot"}, NodeSelector: []string{"kubernetes.io/arch=arm64"}}
	data, err := p.fill(map[string]string{"ProbeImage": "x"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := base64.StdEncoding.DecodeString(data["PullConfig"])
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range [][2]string{
		{data["ProbeImage"], "x"}, {data["PullSecrets"], `[{"name":"meshproof-pull"}]`}, {data["NodeSelector"], `{"kubernetes.io/arch":"arm64"}`},
		{data["Tolerations"], `[{"key":"dedicated","operator":"Equal","value":"mesh","effect":"NoSchedule"},{"key":"spot","operator":"Exists"}]`},
		{string(config), `{"auths":{"registry.example":{"auth":"dTpw"}}}`},
	} {
		if tc[0] != tc[1] {
			t.Errorf("%s\nwant %s", tc[0], tc[1])
		}
	}
	if data, err := (Placement{}).fill(map[string]string{}); err != nil || data["PullSecrets"] != "[]" || data["Tolerations"] != "[]" || data["NodeSelector"] != "{}" || data["PullConfig"] != "" {
		t.Errorf("nothing asked for: %v, error %v", data, err)
	}
}

func TestPullSecretsThatNoNodeCouldUse(t *testing.T) {
	const secret = "dTpwYXNzd29yZA"
	for name, tc := range map[string]struct{ content, says string }{
		"no JSON":    {"auths: " + secret, "no JSON of that form"},
		"no auths":   {`{"other":"` + secret + `"}`, "no auths"},
		"a helper's": {`{"auths":{"registry.example":{}},"credsStore":"` + secret + `"}`, "for registry.example it names no credentials"},
		"a number":   {`{"auths":{"registry.example":{"auth":5}},"x":"` + secret + `"}`, "no JSON of that form"},
	} {
		file := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (Placement{PullSecret: file}).check(); err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v, want ...%s... and no secret", name, err, tc.says)
		}
	}
}
