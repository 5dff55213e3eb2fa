package kindcluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	kinderrors "sigs.k8s.io/kind/pkg/errors"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/meshproof/meshproof/framework/packed/packedtest"
	"github.com/meshproof/meshproof/framework/poll"
)

func TestCreate(t *testing.T) {
	r := newRig(t)
	made, err := r.create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 2 || made[0].Name != "east" || made[1].Name != "west" {
		t.Fatalf("made %+v", made)
	}
	east := made[0]
	if east.KindName != "mp-a-east" || east.Context != "kind-mp-a-east" || east.NodeIP != "172.29.1.2" || east.NodeName != "mp-a-east-control-plane" {
		t.Errorf("east is %+v", east)
	}
	if r.kind.network != "mp-a" || os.Getenv(networkVariable) != "" {
		t.Errorf("network for kind: %q, afterwards %q", r.kind.network, os.Getenv(networkVariable))
	}
	want := []string{"made docker network mp-a", "made kind cluster mp-a-east", "made kind cluster mp-a-west"}
	if got := r.remaining(); !slices.Equal(got, want) {
		t.Errorf("ledger: got %q, want %q", got, want)
	}
	config, err := clientcmd.LoadFromFile(east.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Clusters["kind-mp-a-east"].Server; got != "https://172.29.1.2:6443" || config.CurrentContext != east.Context {
		t.Errorf("server %q, context %q", got, config.CurrentContext)
	}
	if info, err := os.Stat(east.Kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v, %v", info.Mode(), err)
	}
}

func TestCreateRefusesTakenNames(t *testing.T) {
	for name, c := range map[string]struct {
		rule rule
		want string
	}{
		"network":  {rule{words: "network ls --format", out: "bridge\nmp-a\n"}, "docker network mp-a"},
		"cluster":  {rule{words: "ps", out: "other\nmp-a-west-control-plane\n"}, "kind cluster mp-a-west"},
		"registry": {rule{words: "ps", out: "mp-a-registry\n"}, "docker container mp-a-registry"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.rule)
			_, err := r.create(t.Context())
			if !errors.Is(err, ErrNameTaken) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if len(r.kind.made) > 0 || len(r.docker.called("network create")) > 0 || len(r.remaining()) > 0 {
				t.Errorf("something was changed: %q, %q, %q", r.kind.made, r.docker.calls, r.remaining())
			}
		})
	}
	t.Run("similar names are not taken", func(t *testing.T) {
		r := newRig(t, rule{words: "network ls --format", out: "mp-ab\nxmp-a\n"}, rule{words: "ps", out: "mp-a-western-control-plane\n"})
		if _, err := r.create(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Somebody can be faster between the look and the act. What is theirs must not stay in the ledger, or it would be removed.
func TestCreateDisownsWhatSomebodyElseMade(t *testing.T) {
	r := newRig(t, rule{words: "network create", err: "Error response from daemon: network with name mp-a already exists"})
	if _, err := r.create(t.Context()); !errors.Is(err, ErrNameTaken) || len(r.remaining()) > 0 {
		t.Errorf("network: got %v, ledger %q", err, r.remaining())
	}
	r = newRig(t)
	r.kind.creates["mp-a-east"] = func() error {
		return errors.New(`node(s) already exist for a cluster with the name "mp-a-east"`)
	}
	_, err := r.create(t.Context())
	if !errors.Is(err, ErrNameTaken) || slices.ContainsFunc(r.remaining(), func(s string) bool { return strings.Contains(s, "east") }) {
		t.Errorf("cluster: got %v, ledger %q", err, r.remaining())
	}
	if len(r.docker.called("rm")) > 0 && strings.Contains(strings.Join(r.docker.called("rm"), " "), "east") {
		t.Errorf("somebody's cluster was removed: %q", r.docker.calls)
	}
}

func TestCreateTriesAnotherNetwork(t *testing.T) {
	r := newRig(t, rule{words: "network create", err: "Error response from daemon: Pool overlaps with other one on this address space"})
	_, err := r.create(t.Context())
	if err == nil || len(r.docker.called("network create")) != networkTries {
		t.Errorf("got %v after %d tries", err, len(r.docker.called("network create")))
	}
	calls := r.docker.called("network create")
	if calls[0] == calls[1] {
		t.Errorf("the same network was asked for twice: %q", calls)
	}
}

// TestANetworkThatIsGoneTakesNothing: one that somebody removes between docker's list and the look at it, as old and new engines say that.
func TestANetworkThatIsGoneTakesNothing(t *testing.T) {
	for says, goes := range map[string]bool{
		"Error: No such network: 0f2":                            true,
		"Error response from daemon: network 0f2 not found":      true,
		"Error response from daemon: plugin \"weave\" not found": false,
		"Cannot connect to the Docker daemon":                    false,
		`exec: "docker": executable file not found in $PATH`:     false,
	} {
		r := newRig(t, rule{words: "network ls --quiet", out: "0f2\n1a3\n"}, rule{words: "network inspect --format", out: "172.31.44.0/24\n", err: says})
		_, err := r.create(t.Context())
		if (err == nil) != goes || !goes && !strings.Contains(err.Error(), "look at docker networks") {
			t.Errorf("%s: %v", says, err)
		}
		if made := r.docker.called("network create"); goes && (len(made) != 1 || strings.Contains(made[0], "172.31.44.0/24")) {
			t.Errorf("%s: what docker said of the others is lost: %q", says, made)
		}
	}
}

// TestWhatMakesSomethingIsNotCutOff: an interruption while docker makes something waits until it is made, so that the removal finds it;
// before that nothing is begun.
func TestWhatMakesSomethingIsNotCutOff(t *testing.T) {
	for words, entry := range map[string]string{"network create": "docker network mp-a", "run --detach": "docker container mp-a-registry"} {
		for _, before := range []bool{false, true} {
			ctx, cancel := context.WithCancelCause(t.Context())
			at := rule{words: words, at: func() { cancel(errors.New("ctrl-c")) }}
			if before { // what is asked last before the network is made, or what makes that
				at.words = map[bool]string{true: "network inspect bridge", false: "network create"}[words == "network create"]
			}
			r := newRig(t, at)
			r.RegistryImage, r.Layout = "registry:1", "/layouts/x"
			_, err := r.create(ctx)
			if err == nil || !strings.Contains(err.Error(), "ctrl-c") {
				t.Errorf("%s, before %t: %v", words, before, err)
			}
			if made := slices.Contains(r.remaining(), "made "+entry); made == before || before && len(r.docker.called(words)) != 0 {
				t.Errorf("%s, before %t: ledger %q, %q", words, before, r.remaining(), r.docker.called(words))
			}
		}
	}
}

func TestCreateStartsTheRegistry(t *testing.T) {
	r := newRig(t, rule{words: "run", err: `Unable to find image "registry:1" locally`})
	r.RegistryImage, r.Layout = "registry:1", "/layouts/x"
	_, err := r.create(t.Context())
	if err == nil || !strings.Contains(err.Error(), "registry:1") {
		t.Fatalf("got %v", err)
	}
	call := r.docker.called("run")[0]
	for _, want := range []string{"--name mp-a-registry", "--network mp-a", "--volume /layouts/x:/layout:ro", "--label meshproof.run=a"} {
		if !strings.Contains(call, want) {
			t.Errorf("%q is not in %q", want, call)
		}
	}
	ip := strings.Fields(call[strings.Index(call, "--ip "):])[1]
	hosts, err := os.ReadFile(filepath.Join(r.Dir, registryHosts, "_default", "hosts.toml"))
	if err != nil || !strings.Contains(string(hosts), `server = "http://`+ip+`:5000"`) {
		t.Errorf("hosts.toml: %v\n%s", err, hosts)
	}
	if !slices.Contains(r.remaining(), "intended docker container mp-a-registry") {
		t.Errorf("ledger %q", r.remaining())
	}
}

func TestCreateKeepsTheLogsOfAClusterThatDoesNotComeUp(t *testing.T) {
	r := newRig(t, rule{words: "ps --all --quiet --filter name=^/?mp-a-east-control-plane$", out: "c1\n"},
		rule{words: "exec mp-a-east-control-plane journalctl --no-pager --lines=5000 --unit=kubelet", out: "kubelet says no\n"},
		rule{words: "logs", err: "No such container"})
	r.kind.creates["mp-a-east"] = func() error {
		return kinderrors.Wrap(&exec.RunError{Command: []string{"kubeadm", "init"}, Output: []byte("I0101 a\nerror: couldn't initialize a Kubernetes cluster\n\tmain.go:1\n"),
			Inner: errors.New("exit status 1")}, "failed to init node with kubeadm")
	}
	_, err := r.create(t.Context())
	folder := filepath.Join(r.Dir, "diagnostics", "east")
	for _, want := range []string{"create cluster east (kind cluster mp-a-east)", "couldn't initialize a Kubernetes cluster", folder} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	for file, want := range map[string]string{"kubelet.log": "kubelet says no", "kind-command.log": "I0101 a", "console.log": "No such container"} {
		if content := packedtest.Read(t, filepath.Join(folder, file)); !strings.Contains(content, want) {
			t.Errorf("%s: %s", file, content)
		}
	}
	if !slices.Contains(r.remaining(), "intended kind cluster mp-a-east") {
		t.Errorf("ledger %q", r.remaining())
	}
}

func TestCreateWithoutANodeHasNoLogs(t *testing.T) {
	r := newRig(t)
	r.kind.creates["mp-a-west"] = func() error { return errors.New("failed to pull image: no space left on device") }
	_, err := r.create(t.Context())
	if err == nil || strings.Contains(err.Error(), "logs are in") || !strings.Contains(err.Error(), "docker system df") {
		t.Errorf("got %v", err)
	}
}

func TestCreateSaysWhatToDo(t *testing.T) {
	r := newRig(t, rule{words: "ps --all --quiet --filter name=^/?mp-a-west-control-plane$", out: "c1\n"},
		rule{words: "logs", out: "Failed to create control group inotify object: Too many open files\n"})
	r.Diagnostics = filepath.Join(r.Dir, "elsewhere")
	r.kind.creates["mp-a-west"] = func() error { return errors.New("could not find a log line") }
	_, err := r.create(t.Context())
	if err == nil || !strings.Contains(err.Error(), "fs.inotify.max_user_instances=512") {
		t.Errorf("got %v", err)
	}
	packedtest.Read(t, filepath.Join(r.Diagnostics, "west", "console.log"))
}

// kind cannot be cancelled: the node is removed under it, and Create does not return before kind has.
func TestCreateEndsWithItsContext(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	inKind, ended := make(chan struct{}), false
	r.kind.creates["mp-a-east"] = func() error {
		close(inKind)
		err := poll.Until(t.Context(), poll.Wait{What: "node removed", Where: "fake", Limit: time.Minute, Every: time.Millisecond},
			func(context.Context) (string, error) {
				if len(r.docker.called("rm --force --volumes mp-a-east-control-plane")) == 0 {
					return "", errors.New("it is there")
				}
				return "", nil
			})
		ended = true
		return errors.Join(err, errors.New("the container is gone"))
	}
	go func() { <-inKind; cancel() }()
	_, err := r.create(ctx)
	if !errors.Is(err, context.Canceled) || !ended {
		t.Errorf("got %v, kind has ended: %t", err, ended)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "diagnostics", "east")); err == nil {
		t.Error("a cancelled creation was diagnosed")
	}
}

func TestCreateSaysWhenTheDeadlinePassed(t *testing.T) {
	r := newRig(t)
	r.Deadline = time.Millisecond
	r.ready = func(ctx context.Context, _ Made, _ time.Duration) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	_, err := r.create(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not ready within 1ms") {
		t.Errorf("got %v", err)
	}
}

// The registry or a cluster that fails ends the others, and is what the error begins with.
func TestCreateStopsTheOthers(t *testing.T) {
	r := newRig(t)
	r.kind.creates["mp-a-west"] = func() error { return errors.New("no space left on device") }
	r.ready = func(ctx context.Context, _ Made, _ time.Duration) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	_, err := r.create(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "create cluster west (kind cluster mp-a-west): no space left") || !strings.Contains(err.Error(), "cluster west did not come up") {
		t.Errorf("got %v", err)
	}
}
