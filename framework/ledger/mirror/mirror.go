// Package mirror keeps a copy of a run's ledger in each given cluster: what the run is about to make there, or has made and not
// removed, in a ConfigMap beside the control plane. So what a run left can be removed from another machine, which has neither
// its files nor its names for the clusters.
package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/manifest"
)

const (
	// namespace is there on a given cluster, or the run makes it first of all, and the run's role covers it.
	namespace = "istio-system"
	prefix    = "meshproof-run-"
	// key holds the entries, whoKey who runs it and where.
	key, whoKey = "ledger.json", "who"
	// request bounds each write. An entry must be written also while an interrupted run removes what it made, so that no context
	// of the run's ends it.
	request = 10 * time.Second
)

// Book is the ledger that is mirrored.
type Book interface {
	Intend(ledger.Entry) error
	Made(ledger.Entry) error
	Removed(ledger.Entry) error
	Remaining() []ledger.Entry
}

// Name is that of the ConfigMap with the copy of a run's ledger.
func Name(run string) string { return prefix + run }

// Mirror is a ledger with its copies. What it notes is in the ledger first, and in the cluster before it returns.
type Mirror struct {
	Book
	set      cluster.Set
	run, who string
	mu       sync.Mutex
}

// New mirrors the book of a run in the clusters of the set.
func New(book Book, set cluster.Set, run, who string) *Mirror {
	return &Mirror{Book: book, set: set, run: run, who: who}
}

// Intend notes what is about to be made. It must have returned nil before that begins.
func (m *Mirror) Intend(e ledger.Entry) error { return m.note(e, m.Book.Intend) }

// Made notes what is there.
func (m *Mirror) Made(e ledger.Entry) error { return m.note(e, m.Book.Made) }

// Removed notes what is gone. When nothing is left on a cluster, so is the copy there; where its namespace is gone, it went with it.
func (m *Mirror) Removed(e ledger.Entry) error { return unlessHomeless(m.note(e, m.Book.Removed)) }

func (m *Mirror) note(e ledger.Entry, into func(ledger.Entry) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := into(e); err != nil {
		return err
	}
	c := m.set.Named(e.Cluster)
	if c == nil {
		return nil // it is no thing of a given cluster
	}
	return m.save(c)
}

// save writes the copy of a cluster anew; the mutex is held.
func (m *Mirror) save(c *cluster.Cluster) error {
	here := slices.DeleteFunc(m.Remaining(), func(e ledger.Entry) bool { return e.Cluster != c.Name })
	return save(c, m.run, m.who, here)
}

// Settle writes every copy anew from the ledger. A process that was killed between writing its file and the copy has left one that
// says too much, for ever when nothing is left to be noted.
func (m *Mirror) Settle() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, c := range m.set {
		errs = append(errs, unlessHomeless(m.save(c)))
	}
	return errors.Join(errs...)
}

// unlessHomeless is the error of a write, but for one that failed because its namespace is gone, or is being removed.
func unlessHomeless(err error) error {
	if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

// ErrTaken is wrapped when a cluster holds a copy of the ledger of a run of that id already.
var ErrTaken = errors.New("another run of this id has left something")

// ErrOthers is wrapped when what a run made cannot go yet.
var ErrOthers = errors.New("another run has left something there")

// Refuse says ErrTaken when the cluster holds a copy of the ledger of a run of that id: two runs of one id would take each other's
// things for their own.
func Refuse(ctx context.Context, c *cluster.Cluster, run string) error {
	found, err := maps(c).Get(ctx, Name(run), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("look for ConfigMap %s/%s on cluster %s: %w", namespace, Name(run), c.Name, cluster.Access(err))
	}
	return fmt.Errorf("%w: cluster %s: run %s of %s (ConfigMap %s/%s): give another --run-id, or remove what it left with meshproof cleanup --run-id %s and these kubeconfigs",
		ErrTaken, c.Name, run, found.Data[whoKey], namespace, found.Name, run)
}

func maps(c *cluster.Cluster) core.ConfigMapInterface { return c.Kube().CoreV1().ConfigMaps(namespace) }

// save writes what is left on a cluster, or removes the copy when nothing is.
func save(c *cluster.Cluster, run, who string, entries []ledger.Entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), request)
	defer cancel()
	name := Name(run)
	if len(entries) == 0 {
		if err := maps(c).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("remove the copy of the ledger, ConfigMap %s/%s, from cluster %s: %w", namespace, name, c.Name, err)
		}
		return nil
	}
	text, err := json.Marshal(entries)
	if err == nil {
		wanted := applycore.ConfigMap(name, namespace).WithLabels(manifest.Owner(run)).WithData(map[string]string{key: string(text), whoKey: who})
		_, err = maps(c).Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: manifest.FieldManager, Force: true})
	}
	if err != nil {
		return fmt.Errorf("copy the ledger to cluster %s (ConfigMap %s/%s): %w", c.Name, namespace, name, cluster.Access(err))
	}
	return nil
}

// Copy is what a cluster says that a run has left there. It is a book of its own: what is removed is noted in the cluster.
type Copy struct {
	// Run is the run's id, Who says who started it and where.
	Run, Who string
	// Err is why its entries cannot be read; then there are none.
	Err error

	cluster *cluster.Cluster
	mu      sync.Mutex
	entries []ledger.Entry
}

// Copies gives those on a cluster, in the order of the runs' names.
func Copies(ctx context.Context, c *cluster.Cluster) ([]*Copy, error) {
	list, err := maps(c).List(ctx, metav1.ListOptions{LabelSelector: manifest.RunLabel})
	if err != nil {
		return nil, fmt.Errorf("list the copies of ledgers in %s on cluster %s: %w", namespace, c.Name, cluster.Access(err))
	}
	var all []*Copy
	for i := range list.Items {
		if one := read(c, &list.Items[i]); one != nil {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		if all, err = bare(ctx, c); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b *Copy) int { return strings.Compare(a.Run, b.Run) })
	return all, nil
}

// Home are the annotations of the namespace that a run makes for itself, and for its copies, on a cluster without a mesh.
func Home(who string) map[string]string { return map[string]string{homeKey: who} }

// homeKey says on a namespace that a run has made it as its home; the value is who.
const homeKey = "meshproof.dev/home-of"

// Alone says ErrOthers when other runs than this have left something on the cluster: what they made rests on what this one did.
func Alone(ctx context.Context, c *cluster.Cluster, run string) error {
	all, err := Copies(ctx, c)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Run != run {
			return fmt.Errorf("%w: cluster %s: run %s of %s: remove that first, with meshproof down or cleanup", ErrOthers, c.Name, one.Run, one.Who)
		}
	}
	return nil
}

// bare gives the copy that a run would have written next that was killed between making its home and that.
func bare(ctx context.Context, c *cluster.Cluster) ([]*Copy, error) {
	home, err := c.Kube().CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read namespace %s on cluster %s: %w", namespace, c.Name, cluster.Access(err))
	}
	run, who := home.Labels[manifest.RunLabel], home.Annotations[homeKey]
	if run == "" || who == "" {
		return nil, nil
	}
	e := ledger.Entry{Kind: "Namespace", Name: namespace, Cluster: c.Name, Run: run, State: ledger.Intended}
	return []*Copy{{Run: run, Who: who, cluster: c, entries: []ledger.Entry{e}}}, nil
}

// read gives the copy that a ConfigMap holds, or nil when it is none. The entries speak of the cluster under the name that it
// has here.
func read(c *cluster.Cluster, m *corev1.ConfigMap) *Copy {
	run := m.Labels[manifest.RunLabel]
	if m.Name != Name(run) {
		return nil
	}
	one := &Copy{Run: run, Who: m.Data[whoKey], cluster: c}
	if err := json.Unmarshal([]byte(m.Data[key]), &one.entries); err != nil {
		one.Err = fmt.Errorf("read ConfigMap %s/%s on cluster %s: %w: look at it, and remove by hand what it names", namespace, m.Name, c.Name, err)
		one.entries = nil
	}
	for i := range one.entries {
		one.entries[i].Cluster = c.Name
		if one.entries[i].Run != run {
			one.Err = errors.Join(one.Err, fmt.Errorf("ConfigMap %s/%s on cluster %s names %s of run %q: look at it", namespace, m.Name, c.Name, one.entries[i], one.entries[i].Run))
		}
	}
	return one
}

// Remaining gives what is left.
func (c *Copy) Remaining() []ledger.Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.entries)
}

// Removed notes what is gone.
func (c *Copy) Removed(e ledger.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = slices.DeleteFunc(c.entries, func(other ledger.Entry) bool { return other.String() == e.String() })
	return unlessHomeless(save(c.cluster, c.Run, c.Who, c.entries))
}
