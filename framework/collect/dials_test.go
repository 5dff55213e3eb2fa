package collect

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
)

// TestServerTargets: what is dialled is the address that S8 takes from the kubeconfig, with its port or that of its scheme.
func TestServerTargets(t *testing.T) {
	for server, want := range map[string]string{
		"https://east.example.com":               "east.example.com:443",
		"https://10.0.0.1:6443/":                 "10.0.0.1:6443",
		"https://[fd00::1]:6443":                 "[fd00::1]:6443",
		"https://[fd00::1]":                      "[fd00::1]:443",
		"http://east.example.com":                "east.example.com:80",
		"https://front.example.com/k8s/clusters": "front.example.com:443",
		"10.0.0.1:6443":                          "10.0.0.1:6443",
	} {
		file := filepath.Join(t.TempDir(), "east.yaml")
		text := `{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: "` + server + `"}}], users: [{name: a, user: {token: b}}], contexts: [{name: a, context: {cluster: a, user: a}}]}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := cluster.Open("east", "", file, "")
		if err != nil {
			t.Fatalf("%s: %v", server, err)
		}
		targets, err := ServerTargets(cluster.Set{c})
		if err != nil || len(targets) != 1 || targets[0] != (Target{To: "east", Address: want}) {
			t.Errorf("%s: %v, %v, want %s", server, targets, err, want)
		}
	}
}
