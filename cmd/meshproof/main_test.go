package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/session"
)

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want int
	}{
		{"passed", nil, 0},
		{"failed", exitError(1), 1},
		{"usage", &session.UsageError{Err: errors.New("--keep")}, 2},
		{"environment", errors.New("no engine"), 3},
		{"ctrl-c", errSignal{os.Interrupt}, 130},
		{"sigterm", errSignal{syscall.SIGTERM}, 143},
		{"the terminal closed", errSignal{syscall.SIGHUP}, 143},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := codeOf(tc.err); got != tc.want {
				t.Errorf("exit code %d, want %d", got, tc.want)
			}
		})
	}
}

// TestBadInputIsRefusedBeforeAnythingIsMade runs real command lines; each must end as a usage error and leave no file.
func TestBadInputIsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ args, want string }{
		{"run --kubeconfig a.yaml", "give --kubeconfig twice"},
		{"run --kubeconfig none.yaml --kubeconfig a.yaml", "none.yaml"},
		{"run --kubeconfig a.yaml --kubeconfig a.yaml --context one", "one for each"},
		{"run --output xml", "use text, json"},
		{"run --list --focus (", "regular expression"},
		{"run --list --skip nothing-of-that-name", "no claim"},
		{"run --expect F1", "give --mode literal"},
		{"run --keep sometimes", "never, on-failure or always"},
		{"run --samples 3", "samples 3"},
		{"run --alpha 2", "alpha"},
		{"run --samples 28 --alpha 1e-12", "use at least"},
		{"run --plant gremlins", "gremlins"},
		{"run --run-id Upper", "run id"},
		{"run --images cloud", "cloud"},
		{"frobnicate", "no command \"frobnicate\""},
		{"images nonsense", "no command \"nonsense\""},
		{"run --disruption nonsense", "there are: identity-denied"},
		{"run --disruptive=false --disruption service-deleted", "--disruptive allows"},
		{"run --kubeconfig a.yaml --kubeconfig a.yaml --disruptive --disruption different-roots", "is for kind clusters"},
		{"run extra", "extra"},
		{"run --no-such-flag", "no-such-flag"},
		{"down", "arg"},
		{"down nothing-of-that-name", "nothing-of-that-name"},
		{"down ../escape", "path"},
		{"judge none", "none"},
		{"guide", "use gke-vmware, gdcv-bare-metal"},
		{"guide --platform eks --ca istio-ca", "use gke-vmware, gdcv-bare-metal, gke-azure, gke-aws, attached-eks or attached-aks"},
		{"guide --platform gke-vmware --ca vault", "use mesh-ca, ca-service or istio-ca"},
		{"guide --platform gke-aws --ca ca-service", "does not offer it there: use mesh-ca or istio-ca"},
		{"guide --platform gke-aws --ca mesh-ca --mode loose", "use literal or corrected"},
		{"guide --all --ca mesh-ca", "without --platform and --ca"},
		{"guide dif page.txt", "dif"},
		{"guide diff", "arg"},
		{"version extra", "extra"},
		{"version --output xml", "use text, json"},
		{"claims --output html", "use text, json, markdown"},
		{"causes extra", "extra"},
		{"report dif a b", "no command \"dif\""},
		{"report diff none", "arg"},
		{"report diff none none", "none"},
		{"report merge", "arg"},
		{"report merge none", "give a report directory"},
		{"claim", "no claim is given"},
		{"claim nonsense", "there is no claim \"nonsense\""},
		{"claim gateway-addr", `did you mean "gateway-address"?`},
		{"config print --timeout-multiplier=-0", "--timeout-multiplier 0: leave it out"},
		{"run --timeout-multiplier 0", "--timeout-multiplier 0: leave it out"},
		{"run --smples 3", `unknown flag: --smples: did you mean "--samples"?`},
		{"cleanp", `there is no command "cleanp": did you mean "cleanup"?`},
		{"claim gateway-address --from none", "none"},
		{"claim split-balanced --from a --patient", "a is judged without a cluster"},
		{"config prnt", "no command \"prnt\""},
		{"config print extra", "extra"},
		{"config list --output html", "use text, json, markdown"},
		{"config print --samples few", `--samples "few": it takes a whole number`},
		{"completion tcsh", "no command \"tcsh\""},
		{"completion bash extra", "extra"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			c := root()
			c.SetArgs(strings.Fields(tc.args))
			err := c.ExecuteContext(context.Background())
			if codeOf(err) != exitcode.Usage || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v (exit %d), want a usage error that says %q", err, codeOf(err), tc.want)
			}
		})
	}
	left, err := os.ReadDir(".")
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v, want a.yaml alone", left, err)
	}
}
