package procedure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
)

// TestOwned: whose an object is, by its label first, then by its UID; who has only a copy of the ledger takes nothing for granted.
func TestOwned(t *testing.T) {
	for name, tc := range map[string]struct {
		labels, uids  string
		local, remote bool
	}{
		"it has the run's label":                 {"{meshproof.dev/run: r1}", "", true, true},
		"it has the run's label and UID":         {"{meshproof.dev/run: r1}", "uid-a uid-it", true, true},
		"it has the run's label and another UID": {"{meshproof.dev/run: r1}", "uid-of-another", true, false},
		"it has the UID":                         {"{}", "uid-a uid-it", true, false},
		"it has another UID":                     {"{}", "uid-of-another", false, false},
		"it has another run's label":             {"{meshproof.dev/run: r2}", "uid-it", false, false},
		"it was not marked":                      {"{}", "", true, false},
	} {
		now := time.Now()
		for _, remote := range []bool{false, true} {
			n := &notes{all: []ledger.Entry{{Kind: "Namespace", Name: "sample", Cluster: "east", Run: "r1", UIDs: tc.uids, Time: now}}}
			r := suppliedRig(t, n)
			r.servers["east"].Put(t, namespacePath, "{metadata: {name: sample, uid: uid-it, labels: "+tc.labels+"}}")
			undo, want := Undo(t.Context(), r.set, n, DefaultLimits(), unsaid), tc.local
			if remote {
				n.lines = nil
				r.servers["east"].Put(t, namespacePath, "{metadata: {name: sample, uid: uid-it, labels: "+tc.labels+"}}")
				undo, want = UndoMarked(t.Context(), r.set, n, time.Minute, unsaid, "sample"), tc.remote
			}
			gone := r.servers["east"].Get(namespacePath) == nil
			if gone != want || (undo == nil) != want || n.has("removed Namespace sample on cluster east") != want {
				t.Errorf("%s, remote %t: gone %t, %v, %q", name, remote, gone, undo, n.lines)
			}
			if !want && !strings.Contains(undo.Error(), "Namespace sample on cluster east is not known to be the one that run r1 made") {
				t.Errorf("%s: %v", name, undo)
			}
		}
	}
}

// TestANameAloneIsNoProof: what a killed run did not come to mark is its own only when it was made while the step could have made it.
func TestANameAloneIsNoProof(t *testing.T) {
	began := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	limits := Limits{Gone: time.Minute, Gateway: 6 * time.Minute, Join: 5 * time.Minute}
	for name, tc := range map[string]struct {
		state ledger.State
		made  time.Duration
		want  bool
	}{
		"at once":                            {ledger.Intended, 0, true},
		"by a clock that is behind":          {ledger.Intended, -2 * time.Minute, true},
		"before the run":                     {ledger.Intended, -3 * time.Minute, false},
		"as late as the step can":            {ledger.Intended, 7 * time.Minute, true},
		"after the step":                     {ledger.Intended, 9 * time.Minute, false},
		"days later":                         {ledger.Intended, 72 * time.Hour, false},
		"the step ended, and there was none": {ledger.Made, time.Minute, false},
	} {
		n := &notes{all: []ledger.Entry{{Kind: "Namespace", Name: "sample", Cluster: "east", Run: "r1", State: tc.state, Time: began}}}
		r := suppliedRig(t, n)
		r.servers["east"].Put(t, namespacePath, "{metadata: {name: sample, creationTimestamp: '"+began.Add(tc.made).Format(time.RFC3339)+"'}}")
		err := Undo(t.Context(), r.set, n, limits, unsaid)
		if gone := r.servers["east"].Get(namespacePath) == nil; gone != tc.want || (err == nil) != tc.want || len(n.lines) == 1 != tc.want {
			t.Errorf("%s: gone %t, %v, %q", name, gone, err, n.lines)
		}
	}
}

// TestWhatIsMadeAnewAtHome: what a repair made anew and nobody marked is the run's where the run made istio-system, from any machine;
// where somebody else made that, or it has another run's label, it stays.
func TestWhatIsMadeAnewAtHome(t *testing.T) {
	const secret, began = secretsPath + remotePrefix + "west", "2026-11-25T08:00:00Z"
	for name, tc := range map[string]struct {
		home, object string
		want         bool
	}{
		"in a home of the run's":        {"meshproof.dev/run: r1", "creationTimestamp: '2026-11-25T08:20:00Z'", true},
		"at the same moment":            {"meshproof.dev/run: r1", "creationTimestamp: '" + began + "'", true},
		"before the home":               {"meshproof.dev/run: r1", "creationTimestamp: '2026-11-25T07:59:59Z'", false},
		"with the label of another run": {"meshproof.dev/run: r1", "creationTimestamp: '2026-11-25T08:20:00Z', labels: {meshproof.dev/run: r2}", false},
		"in a home of another run":      {"meshproof.dev/run: r2", "creationTimestamp: '2026-11-25T08:20:00Z'", false},
		"in somebody's istio-system":    {"", "creationTimestamp: '2026-11-25T08:20:00Z'", false},
	} {
		for _, remote := range []bool{false, true} {
			n := &notes{all: []ledger.Entry{{Kind: "Gateway", Namespace: istioSystem, Name: crossNetwork, Cluster: "east", Run: "r1", State: ledger.Made, UIDs: "uid-before"},
				{Kind: "Secret", Namespace: istioSystem, Name: remotePrefix + "west", Cluster: "east", Run: "r1", State: ledger.Made, UIDs: "uid-before"}}}
			r := suppliedRig(t, n)
			r.servers["east"].Put(t, homePath, "{metadata: {name: istio-system, creationTimestamp: '"+began+"', labels: {"+tc.home+"}}}")
			r.servers["east"].Put(t, gatewayPath, "{metadata: {name: cross-network-gateway, namespace: istio-system, uid: uid-anew, "+tc.object+"}}")
			r.servers["east"].Put(t, secret, "{metadata: {name: istio-remote-secret-west, namespace: istio-system, uid: uid-anew, "+tc.object+"}}")
			undo := func() error { return Undo(t.Context(), r.set, n, DefaultLimits(), unsaid) }
			if remote {
				undo = func() error { return UndoMarked(t.Context(), r.set, n, time.Minute, unsaid) }
			}
			err, gone := undo(), r.servers["east"].Get(gatewayPath) == nil
			if gone != tc.want || gone != (r.servers["east"].Get(secret) == nil) || (err == nil) != tc.want || len(n.lines) == 2 != tc.want {
				t.Errorf("%s, remote %t: gone %t, %v, %q", name, remote, gone, err, n.lines)
			}
		}
	}
}

func TestNoCopyNamesWhatNoRunMakes(t *testing.T) {
	for _, e := range []ledger.Entry{
		{Kind: "Namespace", Name: "ours"}, {Kind: "Namespace", Name: "production"}, {Kind: "Namespace", Name: "kube-system"}, {Kind: "Secret", Namespace: "istio-system", Name: "cacerts"},
		{Kind: "Secret", Namespace: "web", Name: "istio-remote-secret-x"}, {Kind: "Gateway", Namespace: "istio-system", Name: "front"},
		{Kind: "IstioOperator", Namespace: "istio-system", Name: "other"}, {Kind: "IstioOperator", Namespace: "web", Name: "control-plane"}, {Kind: "Volcano", Name: "x"},
	} {
		e.Cluster, e.Run = "east", "r1"
		n := &notes{all: []ledger.Entry{{Kind: "Namespace", Name: "probe", Cluster: "east", Run: "r1"}, e}}
		r := suppliedRig(t, n)
		err := UndoMarked(t.Context(), r.set, n, time.Minute, unsaid, "sample", "probe")
		if err == nil || !strings.Contains(err.Error(), "remove "+e.String()+": no run makes that") || len(n.lines) != 0 {
			t.Errorf("%s: %v, %q", e, err, n.lines)
		}
	}
}

// TestWhatIsMadeIsMarked: after each step its objects have the run's label, and the ledger their UIDs; what is made anew is
// marked again.
func TestWhatIsMadeIsMarked(t *testing.T) {
	n := &book{}
	r := suppliedRig(t, &n.notes)
	r.p.o.Ledger = n
	for _, s := range r.servers { // as S6 and S7 would
		s.Put(t, deploymentPath, "{metadata: {name: istio-eastwestgateway}}")
		s.Put(t, gatewayPath, "{metadata: {name: cross-network-gateway}}")
	}
	makes := []ledger.Entry{entry("Gateway", r.set[0], istioSystem, crossNetwork), entry("Secret", r.set[0], istioSystem, "not-there")}
	if err := r.p.mark(t.Context(), makes); err != nil {
		t.Fatal(err)
	}
	gateway := r.servers["east"].Get(gatewayPath)
	if gateway.GetLabels()[manifest.RunLabel] != "r1" || gateway.GetName() != crossNetwork {
		t.Errorf("%v", gateway)
	}
	if r.servers["west"].Get(gatewayPath).GetLabels()[manifest.RunLabel] != "" || r.servers["east"].Get(deploymentPath).GetLabels()[manifest.RunLabel] != "" {
		t.Error("something else was marked too")
	}
	want := []string{string(gateway.GetUID()), ""}
	if !slices.Equal(n.uids, want) {
		t.Errorf("noted %q, want %q", n.uids, want)
	}
	n.all = []ledger.Entry{{Kind: "Gateway", Cluster: "east", Namespace: istioSystem, Name: crossNetwork, Run: "r1", State: ledger.Made, UIDs: want[0]}}
	r.servers["east"].Remove(gatewayPath)
	r.servers["east"].Put(t, gatewayPath, "{metadata: {name: cross-network-gateway}}")
	if err := MarkAgain(t.Context(), r.set, n); err != nil {
		t.Fatal(err)
	}
	anew := r.servers["east"].Get(gatewayPath)
	if anew.GetUID() == gateway.GetUID() || anew.GetLabels()[manifest.RunLabel] != "r1" || n.uids[len(n.uids)-1] != string(anew.GetUID()) {
		t.Errorf("%v, noted %q", anew, n.uids)
	}
}

// book keeps the UIDs that it is told of.
type book struct {
	notes
	uids []string
}

func (b *book) Made(e ledger.Entry) error {
	b.uids = append(b.uids, e.UIDs)
	return b.notes.Made(e)
}
