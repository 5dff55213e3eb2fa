package asmtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Files in which the stand-ins keep what they saw, and the one that says which fleet the clusters are of.
const (
	callsFile, environmentFile, secretsFile = "calls.log", "environment.log", "secrets.log"
	fleetFile                               = "fleet"
)

// standIn is one call of a stand-in.
type standIn struct{ name, dir string }

// act notes the call and does what the program would, as far as create-mesh needs it. It gives the exit code.
func (s standIn) act(args []string) int {
	s.note(callsFile, strings.Join(append([]string{s.name}, args...), " "))
	s.note(environmentFile, s.name+": "+strings.Join(variables(), " "))
	switch {
	case s.name == "asmcli" && slices.Equal(args, []string{"--version"}):
		fmt.Fprintln(os.Stdout, "1.28.2-asm.4+config1")
	case s.name == "asmcli" && len(args) > 0 && args[0] == "create-mesh":
		return s.createMesh(args[1:])
	case s.name == "gcloud":
		return s.gcloud(strings.Join(args, " "))
	case s.name == "istioctl" && slices.Contains(args, "create-remote-secret"):
		fmt.Fprint(os.Stdout, last(args, "--name"), " of ", filepath.Base(last(args, "--kubeconfig")))
	case s.name == "kubectl":
		return s.kubectl(args)
	default:
		return unknown
	}
	return 0
}

// unknown is the exit code of a call that no stand-in answers.
const unknown = 97

func (s standIn) note(file, line string) {
	f, err := os.OpenFile(filepath.Join(s.dir, file), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(unknown)
	}
	_ = f.Close()
}

// variables are the names of the environment, but for those that a shell sets by itself.
func variables() []string {
	var all []string
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_"}, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// last gives the value of a flag that asmcli gives twice: as with the real programs, the last one counts.
func last(args []string, flag string) string {
	value := ""
	for i, a := range args {
		if after, is := strings.CutPrefix(a, flag+"="); is {
			value = after
		}
		if a == flag && i+1 < len(args) {
			value = args[i+1]
		}
	}
	return value
}

// gcloud answers what asmcli asks of it. It leaves its standard input alone.
func (s standIn) gcloud(args string) int {
	switch {
	case strings.HasPrefix(args, "projects describe "):
		fmt.Fprintln(os.Stdout, Number)
	case strings.HasPrefix(args, "container hub memberships list"):
		fmt.Fprintln(os.Stdout, "[]")
	case strings.HasPrefix(args, "container hub memberships register"):
	default:
		return unknown
	}
	return 0
}

func (s standIn) kubectl(args []string) int {
	kubeconfig := last(args, "--kubeconfig")
	switch {
	case slices.Contains(args, "current-context"):
		text, err := os.ReadFile(kubeconfig)
		if err != nil {
			return 1
		}
		_, context, _ := strings.Cut(string(text), "current-context: ")
		context, _, _ = strings.Cut(context, "\n")
		fmt.Fprintln(os.Stdout, context)
	case slices.Contains(args, "memberships.hub.gke.io"):
		text, err := os.ReadFile(filepath.Join(s.dir, fleetFile))
		if err != nil {
			return 1
		}
		fmt.Fprint(os.Stdout, string(text))
	case slices.Contains(args, "apply"):
		secret, err := io.ReadAll(os.Stdin)
		if err != nil || len(secret) == 0 {
			return 1
		}
		name, from, _ := strings.Cut(string(secret), " of ")
		s.note(secretsFile, made(filepath.Base(kubeconfig), name, from))
	default:
		return unknown
	}
	return 0
}

// output is what a program prints, as $(...) gives it, and whether it ended well.
func output(name string, args ...string) (string, bool) {
	c := exec.Command(name, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err == nil
}

// createMesh does what asmcli's commands/create-mesh.sh does with kubeconfigs, in its order and with its exit codes.
func (s standIn) createMesh(args []string) int {
	fleet := args[0]
	var kubeconfigs []string
	for _, a := range args[1:] {
		if strings.HasPrefix(a, "-") {
			break
		}
		kubeconfigs = append(kubeconfigs, a)
	}
	if number, _ := output("gcloud", "projects", "describe", fleet, "--format=value(projectNumber)"); number == "" {
		return 1
	}
	for _, k := range kubeconfigs {
		member, registered := output("kubectl", "--kubeconfig", k, "get", "memberships.hub.gke.io", "membership")
		if !registered {
			fmt.Fprintln(os.Stderr, "Couldn't verify cluster registration!")
			if _, ok := output("gcloud", "container", "hub", "memberships", "register", "1", "--project="+fleet, "--kubeconfig="+k); !ok {
				return 1
			}
			continue
		}
		if output("gcloud", "container", "hub", "memberships", "list", "--project", fleet, "--format=json"); member != fleet {
			fmt.Fprintf(os.Stderr, "Cluster is registered in the project %s but the required Fleet project is %s.\n", member, fleet)
			return 2
		}
	}
	return s.secrets(kubeconfigs, filepath.Join(last(args, "--output_dir"), "istioctl"))
}

// secrets makes one for every ordered pair. asmcli gives flags twice, of which the second counts.
func (s standIn) secrets(kubeconfigs []string, istioctl string) int {
	for _, from := range kubeconfigs {
		for _, to := range kubeconfigs {
			if from == to {
				continue
			}
			own, _ := output("kubectl", "--kubeconfig", from, "config", "current-context")
			other, _ := output("kubectl", "--kubeconfig", to, "config", "current-context")
			secret, ok := output(istioctl, "--kubeconfig", to, "--context", other, "create-remote-secret",
				"--kubeconfig="+from, "--context="+own, "--name="+Sanitized(own))
			apply := exec.Command("kubectl", "--kubeconfig", to, "--context", other, "apply", "--kubeconfig="+to, "--context="+other, "-f", "-")
			apply.Stdin = strings.NewReader(secret)
			if !ok || apply.Run() != nil {
				return 1
			}
		}
	}
	return 0
}

// Sanitized is what asmcli makes of a context.
func Sanitized(context string) string {
	return strings.NewReplacer("_", "-", ".", "-", "@", "-", ":", "-").Replace(context)
}
