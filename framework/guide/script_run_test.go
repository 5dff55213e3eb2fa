package guide_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
)

// stage makes a working directory in which every program of the guide writes down what it was called with.
func stage(t *testing.T) (dir string, calls func() string) {
	t.Helper()
	dir = t.TempDir()
	log := filepath.Join(dir, "calls")
	for _, name := range []string{"bin/kubectl", "bin/gcloud", "istioctl", "asmcli", "asm/istio/expansion/gen-eastwest-gateway.sh", "asm/istio/expansion/expose-services.yaml"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		program := "#!/usr/bin/env bash\necho \"" + filepath.Base(name) + " $*\" >> '" + log + "'\ncat > /dev/null\necho 123\n"
		if err := os.WriteFile(file, []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func() string {
		text, err := os.ReadFile(log)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(text)
	}
}

// values are those of every placeholder.
func values(change ...string) []string {
	return append([]string{"FLEET_PROJECT_ID=fleet", "CLUSTER_NAME_1=east", "CLUSTER_NAME_2=west", "CLUSTER1_CONTEXT_NAME=ctx-east",
		"CLUSTER2_CONTEXT_NAME=ctx-west", "PATH_TO_KUBECONFIG_1=/k/east", "PATH_TO_KUBECONFIG_2=/k/west", "NETWORK_1=network1",
		"NETWORK_2=network2", "REVISION=asm-1232-2", "SAMPLES_DIR=/istio"}, change...)
}

// run gives the output and exit code of a script for EKS with Istio CA.
func run(t *testing.T, mode intent.Mode, dir string, env []string) (string, int) {
	t.Helper()
	m, err := guide.LoadMatrix()
	if err != nil {
		t.Fatal(err)
	}
	cell, err := m.Cell("attached-eks", "istio-ca")
	if err != nil {
		t.Fatal(err)
	}
	script, err := guide.Script(m, cell, mode)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	bash := exec.CommandContext(t.Context(), "bash", "script")
	bash.Dir = dir
	bash.Env = append([]string{"PATH=" + filepath.Join(dir, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH")}, env...)
	out, err := bash.CombinedOutput()
	if bash.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), bash.ProcessState.ExitCode()
}

func TestAScriptRunsAsItIs(t *testing.T) {
	for _, tc := range []struct {
		mode intent.Mode
		want []string
		out  []string
	}{
		{intent.Literal, []string{
			"gcloud projects describe fleet --format=value(projectNumber)\n",
			"--mesh proj-123 --cluster cn-fleet-global-west --network default --revision asm-1232-2\n",
			"istioctl --kubeconfig=/k/east install -y --set spec.values.global.pilotCertProvider=istiod -f -\n",
			"asmcli create-mesh fleet /k/east /k/west\n",
			"kubectl label --context=ctx-west namespace sample istio-injection- istio.io/rev=asm-1232-2 --overwrite\n",
			"kubectl create --context=ctx-west -f /istio/samples/helloworld/helloworld.yaml -l version=v2 -n sample\n",
			"kubectl delete ns sample --context ctx-west\n",
		}, []string{"== S6.1: Install the east-west gateway\n", "The pods of Sleep must be 2/2 running"}},
		{intent.Corrected, []string{
			"--network network2 --revision asm-1232-2\n",
			"istioctl --kubeconfig=/k/east install -y --set values.global.pilotCertProvider=istiod -f -\n",
			"kubectl --kubeconfig=/k/west -n istio-system get service istio-eastwestgateway",
			"kubectl rollout status --context=ctx-east -n sample deployment/helloworld-v1 --timeout=3m\n",
			"kubectl delete ns sample --context ctx-west\n",
		}, []string{"== S6.2.after: Wait for the gateway's address\n"}},
	} {
		t.Run(string(tc.mode), func(t *testing.T) {
			dir, calls := stage(t)
			out, code := run(t, tc.mode, dir, values())
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			for _, want := range tc.want {
				if !strings.Contains(calls(), want) {
					t.Errorf("nothing was called as %q:\n%s", want, calls())
				}
			}
			for _, want := range tc.out {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestAScriptRefusesBeforeItDoesAnything(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, dir string) []string
		want  string
	}{
		{"nothing given", func(*testing.T, string) []string { return nil }, "no value for FLEET_PROJECT_ID CLUSTER_NAME_1 CLUSTER_NAME_2"},
		{"one left empty", func(*testing.T, string) []string { return values("SAMPLES_DIR=") }, "no value for SAMPLES_DIR: fill them in at the top of this script"},
		{"two words", func(*testing.T, string) []string { return values("PATH_TO_KUBECONFIG_2=/my files/west") }, "PATH_TO_KUBECONFIG_2 is not one plain word: /my files/west"},
		{"a command in a value", func(*testing.T, string) []string { return values("REVISION=x;id") }, "REVISION is not one plain word"},
		{"one network", func(*testing.T, string) []string { return values("NETWORK_2=network1") }, "NETWORK_2 and NETWORK_1 are both network1"},
		{"another directory", func(t *testing.T, dir string) []string {
			if err := os.Remove(filepath.Join(dir, "asmcli")); err != nil {
				t.Fatal(err)
			}
			return values()
		}, "asmcli is not here: change to the directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, calls := stage(t)
			out, code := run(t, intent.Corrected, dir, tc.spoil(t, dir))
			if code != 2 || !strings.Contains(out, tc.want) || calls() != "" {
				t.Errorf("exit code %d, output %q, calls %q; want 2, %q and none", code, out, calls(), tc.want)
			}
		})
	}
}

func TestTheCorrectedScriptEndsWhenGcloudGivesNoNumber(t *testing.T) {
	dir, calls := stage(t)
	if err := os.WriteFile(filepath.Join(dir, "bin/gcloud"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, code := run(t, intent.Corrected, dir, values())
	if code != 1 || !strings.Contains(out, "gcloud gave no project number") || calls() != "" {
		t.Errorf("exit code %d, output %q, calls %q; want 1, the reason, and none", code, out, calls())
	}
}
