package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

type silent struct{}

func (silent) Note(string)                               {}
func (silent) Doing(string, string)                      {}
func (silent) Done(string, string, time.Duration, error) {}
func (silent) Progress(Progress)                         {}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestMergedKubeconfigsAreKeptApart has a login plugin, a path relative to its kubeconfig, and a context that both files
// give: the first one counts.
func TestMergedKubeconfigsAreKeptApart(t *testing.T) {
	farm, dir := apitest.NewFarm(t, "east", "west"), t.TempDir()
	east, west := filepath.Join(dir, "east.yaml"), filepath.Join(dir, "west.yaml")
	token := "{token: " + apitest.Canary + "-east}"
	write(t, east, strings.Replace(farm.Kubeconfig("east", "shared"), token,
		"{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never}}", 1))
	write(t, west, strings.Replace(farm.Kubeconfig("west", "shared"), `contexts: [`, `contexts: [{name: west, context: {cluster: west, user: west}}, `, 1))
	write(t, filepath.Join(dir, "login"), "#!/bin/sh\necho ran >>"+filepath.Join(dir, "ran")+
		"\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'\n")
	given := Given{Contexts: []string{"shared", "west"}, Environment: east + ":" + filepath.Join(dir, "nowhere") + ":" + west}
	targets, err := given.Targets()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Targets: targets, RunID: "r1", Revision: "r", Samples: 600, Alpha: 1e-8, StateDir: dir, ReportDir: filepath.Join(dir, "report"), Tell: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"east", "west"} {
		farm.Server(name).Put(t, "/api/v1/namespaces/kube-system", "{metadata: {name: kube-system}}")
	}
	if err := s.keepTargets(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"https://east.example.com", "https://west.example.com"} {
		c := s.Clusters()[i]
		if c.Server() != want || filepath.Dir(c.Kubeconfig) != s.Dir() || c.Context != given.Contexts[i] {
			t.Errorf("cluster %d is %s by context %s of %s", i+1, c.Server(), c.Context, c.Kubeconfig)
		}
		if info, err := os.Stat(c.Kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v: it holds credentials", info, err)
		}
		if err := c.Ready(t.Context(), time.Minute); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err != nil {
		t.Error("the login plugin was not run: ", err)
	}
}

func TestDistinctServers(t *testing.T) {
	farm, dir := apitest.NewFarm(t, "east", "west"), t.TempDir()
	open := func(name, from, to string) *cluster.Cluster {
		path := filepath.Join(dir, "kubeconfig")
		text := farm.Kubeconfig("east", "x")
		if from != "" && !strings.Contains(text, from) {
			t.Fatalf("no %s in %s", from, text)
		}
		write(t, path, strings.Replace(text, from, to, 1))
		c, err := cluster.Open(name, "", path, "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := open("one", "", "")
	for _, tc := range []struct {
		name, from, to string
		same           bool
	}{
		{"the same", "", "", true},
		{"another spelling", "https://east.example.com", "https://EAST.example.com:443/", true},
		{"another user", "canary", "other", true},
		{"another host", "https://east", "https://west", false},
		{"another port", "east.example.com", "east.example.com:6443", false},
		{"another path, as a broker's", "east.example.com", "east.example.com/k8s/clusters/2", false},
		{"another name in TLS", "cluster: {server", "cluster: {tls-server-name: two, server", false},
		{"another authority", "certificate-authority-data: " + farm.CA, "insecure-skip-tls-verify: true", false},
	} {
		err := cluster.Set{first, open("two", tc.from, tc.to)}.DistinctServers()
		if (err != nil) != tc.same {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}
