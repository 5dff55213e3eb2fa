// Package lease lets one run at a time work on a given cluster. The run that works there holds a Lease
// (coordination.k8s.io) beside the control plane, and renews it; who finds it held by another goes away. A run that was killed
// stops renewing: its lease ends by itself.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/manifest"
)

// Where the lease is: istio-system is there on a given cluster, or the run makes it first of all, and the run's role covers it.
const (
	Namespace = "istio-system"
	Name      = "meshproof"
)

const (
	// duration is how long a lease holds that is not renewed. Whether it is over is told by the clock of who asks: it is longer
	// than the time by which preflight lets clocks differ.
	duration = 3 * time.Minute
	// apart is that time.
	apart = 2 * time.Minute
	// renewal lets several fail before the lease is over.
	renewal = 20 * time.Second
	// request bounds each question to an API server.
	request = 10 * time.Second
)

// ErrHeld is wrapped when another run works on the cluster.
var ErrHeld = errors.New("another run works on this cluster")

// ErrNowhere is wrapped when a cluster has no namespace for a lease, or one that is being removed: then no run works there.
var ErrNowhere = errors.New("there is no place for a lease")

// Holder is who holds a lease.
type Holder struct {
	// Run is the run's id, Who says who started it and where: "user@host". Runners that are made for one job each are all called the
	// same, and may be given one run id: Nonce is what no other process has.
	Run, Who, Nonce string
}

// Here is a run of this process. Each call gives another holder.
func Here(run string) Holder {
	who, host := "somebody", "an unnamed host"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if name, err := os.Hostname(); err == nil {
		host = name
	}
	return Holder{Run: run, Who: who + "@" + host, Nonce: rand.Text()}
}

func (h Holder) identity() string { return fmt.Sprintf("run %s of %s (%s)", h.Run, h.Who, h.Nonce) }

// Lease is a lease that is held.
type Lease struct {
	cluster *cluster.Cluster
	holder  Holder
	home    types.UID // of the namespace that it was taken in; "" where that could not be read
	stop    context.CancelFunc
	renewed sync.WaitGroup
}

func leases(c *cluster.Cluster) coordination.LeaseInterface {
	return c.Kube().CoordinationV1().Leases(Namespace)
}

// Look tells whether the cluster is free for the holder: nil, or ErrHeld with who holds it. It changes nothing.
func Look(ctx context.Context, c *cluster.Cluster, h Holder) error {
	found, err := get(ctx, c)
	if found == nil || err != nil {
		return err
	}
	return held(c, found, h, time.Now())
}

// Take takes the lease and renews it until Release. The note tells of a lease that was over and taken from another run. lost is
// called when another holds it in spite of that, with ErrHeld, or with ErrNowhere when its namespace was removed and made anew.
func Take(ctx context.Context, c *cluster.Cluster, h Holder, lost func(error)) (l *Lease, note string, err error) {
	found, err := get(ctx, c)
	if err != nil {
		return nil, "", err
	}
	now := time.Now()
	if found != nil {
		if err := held(c, found, h, now); err != nil {
			return nil, "", err
		}
		if by := holderOf(found); by != "" && by != h.identity() {
			note = fmt.Sprintf("cluster %s: the lease of %s is over (not renewed since %s), and is taken over%s", c.Name, by, stamp(found.Spec.RenewTime), orphans(found, now))
		}
	}
	if err := write(ctx, c, found, leaseOf(h, now)); err != nil {
		// The reply may be what was lost, and nobody else will give back what was taken.
		return nil, "", errors.Join(err, Free(context.WithoutCancel(ctx), c, h))
	}
	l = &Lease{cluster: c, holder: h}
	if home, err := home(ctx, c); err == nil && home != nil {
		l.home = home.UID
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx)) // also while an interrupted run removes what it made
	l.stop = stop
	l.renewed.Go(func() { l.keep(renewing, lost) })
	return l, note, nil
}

// write puts a fresh lease in the place of the one that was found, if it is still that one; nil = none was found.
func write(ctx context.Context, c *cluster.Cluster, found, fresh *coordinationv1.Lease) (err error) {
	if found == nil {
		_, err = leases(c).Create(ctx, fresh, metav1.CreateOptions{})
	} else {
		fresh.ResourceVersion = found.ResourceVersion
		_, err = leases(c).Update(ctx, fresh, metav1.UpdateOptions{})
	}
	switch {
	case apierrors.IsAlreadyExists(err), apierrors.IsConflict(err), found != nil && apierrors.IsNotFound(err):
		return fmt.Errorf("%w: cluster %s: one that began at the same moment was quicker: wait until it has ended", ErrHeld, c.Name)
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return fmt.Errorf("%w: cluster %s: namespace %s is not there, or is being removed: install the control plane first, or run with --from install", ErrNowhere, c.Name, Namespace)
	case err != nil:
		return fmt.Errorf("take Lease %s/%s on cluster %s: %w", Namespace, Name, c.Name, cluster.Access(err))
	}
	return nil
}

// keep renews the lease. That an API server does not answer for a while is not the lease's business.
func (l *Lease) keep(ctx context.Context, lost func(error)) {
	every := time.NewTicker(renewal)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if err := l.renew(ctx); errors.Is(err, ErrHeld) || errors.Is(err, ErrNowhere) {
			lost(err)
			return
		}
	}
}

func (l *Lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	found, err := get(ctx, l.cluster)
	if err != nil {
		return err
	}
	if found == nil || holderOf(found) != l.holder.identity() {
		return l.missing(ctx, found != nil)
	}
	found.Spec.RenewTime = &metav1.MicroTime{Time: time.Now()}
	if _, err := leases(l.cluster).Update(ctx, found, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("renew Lease %s/%s on cluster %s: %w", Namespace, Name, l.cluster.Name, err)
	}
	return nil
}

// missing says what became of a lease that is not there any more, or is another's now: who removes the namespace removes the lease with
// it, and while it goes nobody can take one there. In a namespace of that name that was made since, nothing was taken from anybody.
func (l *Lease) missing(ctx context.Context, anothers bool) error {
	home, err := home(ctx, l.cluster)
	if err != nil {
		return err
	}
	going := home == nil || home.DeletionTimestamp != nil
	switch {
	case going && !anothers:
		return nil
	case !going && l.home != "" && home.UID != l.home:
		return fmt.Errorf("%w: cluster %s: namespace %s, with the lease of %s, was removed and made anew", ErrNowhere, l.cluster.Name, Namespace, l.holder.identity())
	}
	return fmt.Errorf("%w: the lease on cluster %s was taken from %s", ErrHeld, l.cluster.Name, l.holder.identity())
}

// home gives the namespace of the leases, or nil when there is none.
func home(ctx context.Context, c *cluster.Cluster) (*corev1.Namespace, error) {
	home, err := c.Kube().CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look for namespace %s on cluster %s: %w", Namespace, c.Name, cluster.Access(err))
	}
	return home, nil
}

// Cluster is the one that is held.
func (l *Lease) Cluster() *cluster.Cluster { return l.cluster }

// Release ends the renewal and gives the lease back. That it is gone already, or another's, is no error.
func (l *Lease) Release(ctx context.Context) error {
	l.stop()
	l.renewed.Wait()
	return Free(ctx, l.cluster, l.holder)
}

// Free gives back the lease of a holder. One of another stays.
func Free(ctx context.Context, c *cluster.Cluster, h Holder) error {
	ctx, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	found, err := get(ctx, c)
	if err != nil || found == nil || holderOf(found) != h.identity() {
		return err
	}
	err = leases(c).Delete(ctx, Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &found.UID, ResourceVersion: &found.ResourceVersion}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("give back Lease %s/%s on cluster %s: %w", Namespace, Name, c.Name, err)
	}
	return nil
}

// get gives the lease, or nil when there is none.
func get(ctx context.Context, c *cluster.Cluster) (*coordinationv1.Lease, error) {
	found, err := leases(c).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Lease %s/%s on cluster %s: %w", Namespace, Name, c.Name, cluster.Access(err))
	}
	return found, nil
}

// held gives ErrHeld when another than h holds the lease and it is not over.
func held(c *cluster.Cluster, l *coordinationv1.Lease, h Holder, now time.Time) error {
	by := holderOf(l)
	if by == "" || by == h.identity() || over(l, now) {
		return nil
	}
	return fmt.Errorf("%w: cluster %s: %s since %s, last heard of at %s: wait until it has ended; if it was killed, wait until %s have passed since then, and remove what it left with meshproof cleanup (where it was started, meshproof down does so at once)",
		ErrHeld, c.Name, by, stamp(l.Spec.AcquireTime), stamp(l.Spec.RenewTime), duration)
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

func stamp(t *metav1.MicroTime) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

func leaseOf(h Holder, now time.Time) *coordinationv1.Lease {
	by, seconds, at := h.identity(), int32(duration/time.Second), metav1.MicroTime{Time: now}
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Name, Labels: manifest.Owner(h.Run)},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &by, LeaseDurationSeconds: &seconds, AcquireTime: &at, RenewTime: &at},
	}
}

// Alive tells whether the run of that id holds the cluster's lease, and who it is.
func Alive(ctx context.Context, c *cluster.Cluster, run string) (who string, alive bool, err error) {
	found, err := get(ctx, c)
	if err != nil || found == nil || found.Labels[manifest.RunLabel] != run || over(found, time.Now()) {
		return "", false, err
	}
	return holderOf(found), true, nil
}
