package kindcluster

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/ledger"
)

// remover gives a remover of the rig's ledger.
func (r rig) remover() *remover { return &remover{ledger: r.Ledger, docker: r.docker} }

var (
	labelled = []rule{
		{words: "ps --all --quiet --filter name=^/?mp-a-registry$ --filter label=meshproof.run=a", out: "c1\n"},
		{words: "network ls --quiet --filter name=^/?mp-a$ --filter label=meshproof.run=a", out: "n1\n"},
	}
	sample = ledger.Entry{Kind: "namespace", Name: "sample", Cluster: "east"}
)

func created(t *testing.T, rules ...rule) rig {
	t.Helper()
	r := newRig(t, rules...)
	r.RegistryImage, r.Layout = "", ""
	if _, err := r.create(t.Context()); err != nil {
		t.Fatal(err)
	}
	registry := r.entry(kindRegistry, registryName(r.RunID))
	for _, err := range []error{r.Ledger.Intend(registry), r.Ledger.Intend(sample), r.Ledger.Made(sample)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.docker.calls = nil
	return r
}

func TestRemove(t *testing.T) {
	r := created(t, labelled...)
	if err := r.remover().remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.remaining(); len(got) > 0 {
		t.Errorf("left in the ledger: %q", got)
	}
	if got := r.docker.called("rm "); len(got) != 3 || got[2] != "rm --force --volumes c1" {
		t.Errorf("containers: %q", got)
	}
	calls := r.docker.calls
	if last := calls[len(calls)-1]; last != "network rm n1" {
		t.Errorf("the network was not last: %q", calls)
	}
	if _, err := os.Stat(r.kubeconfig("east")); !os.IsNotExist(err) {
		t.Errorf("a kubeconfig is left: %v", err)
	}
	r.docker.calls = nil
	if err := r.remover().remove(t.Context()); err != nil || len(r.docker.calls) > 0 {
		t.Errorf("a second removal: %v, %q", err, r.docker.calls)
	}
}

// Without the run's label it is somebody else's, whatever its name.
func TestRemoveLeavesWhatIsNotMarked(t *testing.T) {
	r := created(t, rule{words: "ps --all --quiet --filter name=^/?mp-a-registry$ --filter label=", out: ""})
	if err := r.remover().remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := slices.Concat(r.docker.called("network rm"), r.docker.called("rm --force --volumes c")); len(got) > 0 {
		t.Errorf("removed %q", got)
	}
}

func TestRemoveSaysWhatIsLeft(t *testing.T) {
	r := created(t, append([]rule{
		{words: "rm --force --volumes mp-a-west", err: "Error response from daemon: device or resource busy"},
		{words: "network rm n1", err: "error while removing network: network mp-a has active endpoints"},
	}, labelled...)...)
	err := r.remover().remove(t.Context())
	for _, want := range []string{"kind cluster mp-a-west", "device or resource busy", "docker network mp-a", "active endpoints"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if want := []string{"made docker network mp-a", "made kind cluster mp-a-west"}; !slices.Equal(r.remaining(), want) {
		t.Errorf("left: got %q, want %q", r.remaining(), want)
	}
}

func TestRemoveWithoutAnEngine(t *testing.T) {
	r := created(t, rule{words: "version", err: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock"})
	err := r.remover().remove(t.Context())
	for _, want := range []string{"docker network mp-a, kind cluster mp-a-", "Cannot connect", "start it (scripts/engine)"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if len(r.docker.calls) != 1 || len(r.remaining()) != 5 {
		t.Errorf("calls %q, left %q", r.docker.calls, r.remaining())
	}
}

func TestRemoveTakesWhatWasOnlyIntended(t *testing.T) {
	r := newRig(t, labelled...)
	for _, e := range []ledger.Entry{r.entry(kindNetwork, "mp-a"), r.entry(kindCluster, "mp-a-east")} {
		if err := r.Ledger.Intend(e); err != nil {
			t.Fatal(err)
		}
	}
	r.kind.made = []string{"mp-a-east"} // half of it
	if err := r.remover().remove(t.Context()); err != nil || len(r.remaining()) > 0 {
		t.Errorf("got %v, left %q", err, r.remaining())
	}
	if got := r.docker.called("rm --force --volumes mp-a-east-control-plane"); len(got) != 1 {
		t.Errorf("calls %q", r.docker.calls)
	}
}
