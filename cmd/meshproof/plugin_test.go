package main

import (
	"bufio"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// pluginScript is what the plugin's container runs, with its working directory in dir.
func pluginScript(t *testing.T, dir string) string {
	t.Helper()
	var plugin struct {
		Spec corev1.Container `json:"spec"`
	}
	if err := yaml.Unmarshal(example(t, "sonobuoy.yaml"), &plugin); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(plugin.Spec.Args[0], "/work/report", dir)
}

// TestThePluginEndsWithAResult has other programs stand in for the suite: whatever becomes of a run, Sonobuoy is told of a file
// that is there.
func TestThePluginEndsWithAResult(t *testing.T) {
	const report = "<testsuites></testsuites>"
	for name, tc := range map[string]struct {
		program string
		stop    bool
		want    string
	}{
		"it ends":        {"echo ready; echo '" + report + "' >$DIR/junit.xml; exit 1", false, report},
		"it is refused":  {"echo ready; exit 2", false, "exit code 2 and no report"},
		"it is to stop":  {"sleep 60 >/dev/null 2>&1 & trap \"kill $!; echo '" + report + "' >$DIR/junit.xml; exit 143\" TERM; echo ready; wait", true, report},
		"it just breaks": {"echo ready; kill -KILL $$", false, "exit code 137 and no report"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "meshproof"), []byte("#!/bin/bash\n"+tc.program+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "bash", "-c", pluginScript(t, dir))
			cmd.Env = append(os.Environ(), "DIR="+dir, "SONOBUOY_RESULTS_DIR="+dir+"/results", "PATH="+dir+":"+os.Getenv("PATH"))
			if err := os.Mkdir(dir+"/results", 0o755); err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
				t.Fatalf("it began with %q: %v", line, err)
			}
			if tc.stop {
				if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			ended := cmd.Wait()
			done, err := os.ReadFile(dir + "/results/done")
			if err != nil {
				t.Fatalf("%v; it ended with %v", err, ended)
			}
			result, err := os.ReadFile(string(done))
			if err != nil || xml.Unmarshal(result, new(struct{})) != nil || !strings.Contains(string(result), tc.want) {
				t.Errorf("%v: the result is %q, want %q", err, result, tc.want)
			}
		})
	}
}
