package lease

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const path = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshproof"

var one, two = Holder{"r1", "ann@here", "n1"}, Holder{"r2", "bob@there", "n2"}

// twin has the name and the run id of one.
var twin = Holder{one.Run, one.Who, "n3"}

// hold puts a lease on the cluster as its holder has renewed it then.
func hold(t *testing.T, c *cluster.Cluster, h Holder, renewed time.Time) {
	t.Helper()
	if _, err := leases(c).Create(t.Context(), leaseOf(h, renewed), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, c *cluster.Cluster, h Holder) (string, error) {
	t.Helper()
	l, note, err := Take(t.Context(), c, h, func(err error) { t.Error(err) })
	if err == nil {
		t.Cleanup(func() { l.stop(); l.renewed.Wait() })
	}
	return note, err
}

func seen(t *testing.T, c *cluster.Cluster) *coordinationv1.Lease {
	t.Helper()
	l, err := get(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTake(t *testing.T) {
	now := time.Now()
	for name, tc := range map[string]struct {
		prepare func(*apitest.Server, *cluster.Cluster)
		refused []string
		note    string
	}{
		"nobody has it": {func(*apitest.Server, *cluster.Cluster) {}, nil, ""},
		"another has it": {func(_ *apitest.Server, c *cluster.Cluster) { hold(t, c, two, now) },
			[]string{"cluster east", "run r2 of bob@there", "since " + now.UTC().Format(time.RFC3339), "if it was killed, wait until 3m0s have passed since then, and remove", "meshproof cleanup"}, ""},
		"another had it": {func(_ *apitest.Server, c *cluster.Cluster) { hold(t, c, two, now.Add(-duration-time.Second)) }, nil,
			"the lease of run r2 of bob@there (n2) is over"},
		"another may still have it":                   {func(_ *apitest.Server, c *cluster.Cluster) { hold(t, c, two, now.Add(-duration+time.Minute)) }, []string{"run r2"}, ""},
		"it is his own":                               {func(_ *apitest.Server, c *cluster.Cluster) { hold(t, c, one, now) }, nil, ""},
		"another has it who says the same of himself": {func(_ *apitest.Server, c *cluster.Cluster) { hold(t, c, twin, now) }, []string{"run r1 of ann@here"}, ""},
		"another was quicker": {func(s *apitest.Server, c *cluster.Cluster) {
			s.Fail(http.MethodPost, strings.TrimSuffix(path, "/meshproof"), http.StatusConflict)
		}, []string{"cluster east", "quicker"}, ""},
		"he may not": {func(s *apitest.Server, c *cluster.Cluster) {
			s.Fail(http.MethodGet, path, http.StatusForbidden)
		}, []string{"read Lease istio-system/meshproof on cluster east", "meshproof rbac"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := apitest.New(t)
			c := s.Cluster(t, "east")
			tc.prepare(s, c)
			note, err := take(t, c, one)
			if (err != nil) != (tc.refused != nil) || !strings.Contains(note, tc.note) || (note == "") != (tc.note == "") {
				t.Fatalf("note %q, %v", note, err)
			}
			for _, want := range tc.refused {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
			if err != nil {
				return
			}
			l := seen(t, c)
			if holderOf(l) != one.identity() || l.Labels[manifest.RunLabel] != "r1" || over(l, time.Now()) || !over(l, time.Now().Add(duration+time.Second)) {
				t.Errorf("%+v", l)
			}
			if err := Look(t.Context(), c, two); !errors.Is(err, ErrHeld) {
				t.Errorf("for another it looks free: %v", err)
			}
			if err := Look(t.Context(), c, one); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRenew: the holder stays, and notices when he is none any more.
func TestRenew(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	before := time.Now().Add(-duration + time.Second)
	hold(t, c, one, before)
	l := &Lease{cluster: c, holder: one}
	if err := l.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := seen(t, c); !now.Spec.RenewTime.After(before) || !now.Spec.AcquireTime.Time.Equal(before.Truncate(time.Microsecond)) {
		t.Errorf("renewed at %s, taken at %s", now.Spec.RenewTime, now.Spec.AcquireTime)
	}
	s.Fail(http.MethodGet, path, http.StatusServiceUnavailable)
	if err := l.renew(t.Context()); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("an API server that does not answer: %v", err)
	}
	s.Fail(http.MethodGet, path, 0)
	s.Remove(path)
	for _, other := range []Holder{two, twin} {
		s.Remove(path)
		hold(t, c, other, time.Now())
		if err := l.renew(t.Context()); !errors.Is(err, ErrHeld) || holderOf(seen(t, c)) != other.identity() {
			t.Errorf("another has it: %v", err)
		}
	}
}

func TestRelease(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	l, _, err := Take(t.Context(), c, one, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if who, alive, err := Alive(t.Context(), c, "r1"); err != nil || !alive || who != one.identity() {
		t.Errorf("%q, %t, %v", who, alive, err)
	}
	for range 2 { // the second time it is gone
		if err := l.Release(t.Context()); err != nil || s.Get(path) != nil {
			t.Fatalf("%v, left %v", err, s.Get(path))
		}
	}
	for _, other := range []Holder{twin, two} {
		s.Remove(path)
		hold(t, c, other, time.Now())
		if err := l.Release(t.Context()); err != nil || s.Get(path) == nil {
			t.Errorf("%v: another's lease was given back", err)
		}
	}
	if _, alive, err := Alive(t.Context(), c, "r1"); err != nil || alive {
		t.Errorf("%t, %v", alive, err)
	}
}

// TestALostReplyLeavesNoLease: who could not tell whether he has it gives it back, and nobody else's.
func TestALostReplyLeavesNoLease(t *testing.T) {
	s := apitest.New(t)
	c := s.Cluster(t, "east")
	s.Lose(http.MethodPost, strings.TrimSuffix(path, "/meshproof"))
	if _, err := take(t, c, one); err == nil || s.Get(path) != nil {
		t.Errorf("%v, left %v", err, s.Get(path))
	}
	s.Put(t, path, "{metadata: {name: meshproof}, spec: {holderIdentity: run r2 of bob@there (n2)}}")
	s.Fail(http.MethodPut, path, http.StatusGatewayTimeout)
	if _, err := take(t, c, one); err == nil || s.Get(path) == nil {
		t.Errorf("%v: another's lease was given back", err)
	}
}

// TestTheQuickerOneHasIt: of two that found the same lease over, or none, one gets it.
func TestTheQuickerOneHasIt(t *testing.T) {
	for name, there := range map[string]bool{"none was there": false, "one was over": true} {
		c := apitest.New(t).Cluster(t, "east")
		if there {
			hold(t, c, Holder{"r0", "eve@home", "n0"}, time.Now().Add(-time.Hour))
		}
		found := seen(t, c)
		if err := write(t.Context(), c, found, leaseOf(two, time.Now())); err != nil {
			t.Fatal(err)
		}
		if err := write(t.Context(), c, found, leaseOf(one, time.Now())); !errors.Is(err, ErrHeld) || holderOf(seen(t, c)) != two.identity() {
			t.Errorf("%s: %v, %s has it", name, err, holderOf(seen(t, c)))
		}
	}
}

// TestALeaseGoesWithItsNamespace: who removes the namespace takes the lease from nobody; without it there is no place for one, which is
// not that another holds it.
func TestALeaseGoesWithItsNamespace(t *testing.T) {
	const home = "/api/v1/namespaces/istio-system"
	for namespace, lost := range map[string]bool{
		"": false, "{metadata: {name: istio-system, deletionTimestamp: '2026-11-25T08:00:00Z'}}": false, "{metadata: {name: istio-system}}": true,
	} {
		s := apitest.New(t)
		if namespace != "" {
			s.Put(t, home, namespace)
		}
		l := &Lease{cluster: s.Cluster(t, "east"), holder: one}
		if err := l.renew(t.Context()); errors.Is(err, ErrHeld) != lost || !lost && err != nil {
			t.Errorf("with %q: %v", namespace, err)
		}
	}
	s := apitest.New(t)
	s.Fail(http.MethodPost, strings.TrimSuffix(path, "/meshproof"), http.StatusNotFound)
	if _, err := take(t, s.Cluster(t, "east"), one); !errors.Is(err, ErrNowhere) || errors.Is(err, ErrHeld) {
		t.Errorf("without a place: %v", err)
	}
}

// TestANamespaceMadeAnew: in it, whoever holds a lease has taken it from nobody, and it stays his.
func TestANamespaceMadeAnew(t *testing.T) {
	const home = "/api/v1/namespaces/istio-system"
	for name, another := range map[string]bool{"nobody has a lease there": false, "another has": true} {
		s := apitest.New(t)
		c := s.Cluster(t, "east")
		s.Put(t, home, "{metadata: {name: istio-system, uid: uid-before}}")
		l, _, err := Take(t.Context(), c, one, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.stop(); l.renewed.Wait() })
		s.Remove(path)
		s.Put(t, home, "{metadata: {name: istio-system, uid: uid-anew}}")
		if another {
			hold(t, c, two, time.Now())
		}
		if err := l.renew(t.Context()); !errors.Is(err, ErrNowhere) || errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "removed and made anew") {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.Release(t.Context()); err != nil || (s.Get(path) != nil) != another {
			t.Errorf("%s: %v, %v", name, err, s.Get(path))
		}
	}
}

// TestWhatAnOrphanMayDoIsTold: who takes over a lease is told until when commands of the other run may go on.
func TestWhatAnOrphanMayDoIsTold(t *testing.T) {
	const says = "may go on until "
	for ago, want := range map[time.Duration]bool{4 * time.Minute: true, 6 * time.Minute: true, 8 * time.Minute: false} {
		c := apitest.New(t).Cluster(t, "east")
		at := time.Now().Add(-ago)
		hold(t, c, two, at)
		l, note, err := Take(t.Context(), c, one, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		l.stop()
		if strings.Contains(note, says) != want || want && !strings.Contains(note, says+at.Add(5*time.Minute).UTC().Format(time.RFC3339)) {
			t.Errorf("%s ago: %q", ago, note)
		}
	}
}
