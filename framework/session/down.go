package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/kindcluster"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/shell"
	"github.com/meshproof/meshproof/framework/whole"
)

// Down removes what the run of that id made on this machine and on given clusters. stateDir "" means the user's. stays is told what is
// left for good, and why.
func Down(ctx context.Context, stateDirectory, id string, stays func(string)) error {
	return down(ctx, stateDirectory, id, DefaultLimits(), stays)
}

func down(ctx context.Context, stateDirectory, id string, limits Limits, stays func(string)) error {
	dir, err := dirOf(stateDirectory, id)
	if err != nil {
		return err
	}
	if ctx.Err() != nil { // nothing is begun that cannot go on: a mesh that stands would do so no more
		return fmt.Errorf("remove run %s: nothing of it was begun: %w: run meshproof down %s again", id, context.Cause(ctx), id)
	}
	l, err := ledger.Open(ledgerOf(dir)) // a run that was killed before it had one has made nothing
	if err != nil {
		return err
	}
	if err := shell.EndOf(ctx, dir); err != nil {
		return errors.Join(fmt.Errorf("remove run %s: %w: end it by hand, and run meshproof down %s again", id, err, id), l.Close())
	}
	if err := noLonger(dir); err != nil {
		return errors.Join(err, l.Close())
	}
	all, unread := readSaved(dir)
	limits = all.stretch(limits)
	if err := errors.Join(unread, removeMade(ctx, l, limits), undoGiven(ctx, dir, all, l, limits, stays)); err != nil {
		return errors.Join(fmt.Errorf("remove run %s: %w: once that is mended, run meshproof down %s again%s", id, err, id, all.forgetting(dir, err)), l.Close())
	}
	if rest := l.Remaining(); len(rest) > 0 {
		return errors.Join(fmt.Errorf("remove run %s: %d things are left, the first is %s: its files stay in %s: remove what is in the way, and run meshproof down %s again", id, len(rest), rest[0], dir, id), l.Close())
	}
	return errors.Join(l.Close(), os.RemoveAll(dir))
}

// removeMade removes what was made on this machine.
func removeMade(ctx context.Context, l *ledger.Ledger, limits Limits) error {
	return inTime(ctx, "the removal", limits.Remove, func(ctx context.Context) error { return kindcluster.Remove(ctx, l) })
}

// forgetting says how to end with a run on given clusters that nobody can ask any more.
func (all saved) forgetting(dir string, why error) string {
	if len(all.Clusters) == 0 || errors.Is(why, lease.ErrHeld) {
		return ""
	}
	return "; where a given cluster is gone for good, remove " + dir + ", once the others hold nothing of the run"
}

// dirOf gives the directory of a run that this machine knows of.
func dirOf(stateDirectory, id string) (string, error) {
	runs, err := runsDir(stateDirectory)
	if err != nil {
		return "", err
	}
	if id != filepath.Base(id) || id == "." || id == ".." {
		return "", &UsageError{fmt.Errorf("run id %q is a path: give a run id that `meshproof up` printed", id)}
	}
	dir := filepath.Join(runs, id)
	if _, err := os.Stat(dir); err != nil {
		return "", &UsageError{fmt.Errorf("find run %q in %s: %w: `meshproof cleanup --dry-run` lists the runs", id, runs, err)}
	}
	return dir, nil
}

// targetsFile says which given clusters a run works on, of which one on kind clusters has none: names, kubeconfig paths and contexts, no
// credentials of its own.
const targetsFile = "targets.json"

// savedTarget is one of them. UID is that of the cluster ("" = an older version has written the file): a kubeconfig may lead elsewhere
// later, where nothing of the run is found, which is no proof that nothing is left.
type savedTarget struct {
	Name, Kubeconfig, Context string
	UID                       string `json:",omitempty"`
}

// saved is the file's content. Holder is what the run is called on the clusters: who removes what it left takes its place.
// TimeoutMultiplier is that of the run (0 = an older version has not written it): its removal needs the same.
type saved struct {
	Holder            lease.Holder
	Clusters          []savedTarget
	TimeoutMultiplier float64 `json:",omitempty"`
}

func (all saved) stretch(l Limits) Limits { return l.times(cmp.Or(all.TimeoutMultiplier, 1)) }

// keepTargets writes down how to reach the given clusters, so that another process can remove what this run makes there. A
// kubeconfig that is merged from several gets a file of the run's own, which the commands of the guide can be given.
func (s *Session) keepTargets(ctx context.Context) error {
	all := saved{Holder: s.holder, TimeoutMultiplier: s.o.TimeoutMultiplier}
	for i, c := range s.set {
		if len(s.o.Targets[i].Kubeconfigs) > 1 {
			own, err := s.separate(c)
			if err != nil {
				return fmt.Errorf("save the kubeconfig of cluster %s: %w", c.Name, err)
			}
			s.set[i], c = own, own
		}
		path, err := filepath.Abs(c.Kubeconfig)
		if err != nil {
			return fmt.Errorf("find kubeconfig %s: %w", c.Kubeconfig, err)
		}
		c.Kubeconfig = path // kubectl and istioctl are run in directories of the run's
		uid, err := c.UID(ctx)
		if err != nil {
			return fmt.Errorf("save which cluster %s is: %w", c.Name, err)
		}
		all.Clusters = append(all.Clusters, savedTarget{Name: c.Name, Kubeconfig: path, Context: c.Context, UID: uid})
	}
	return s.save(all)
}

// keepWaits writes down how long the removal of kind clusters by another process may take.
func (s *Session) keepWaits() error { return s.save(saved{TimeoutMultiplier: s.o.TimeoutMultiplier}) }

func (s *Session) save(all saved) error {
	if err := writeJSON(filepath.Join(s.o.dir(), targetsFile), all); err != nil {
		return fmt.Errorf("save how run %s is removed: %w", s.o.RunID, err)
	}
	return nil
}

// writeJSON writes a private file of the run's directory, whole or not at all: who removes a killed run reads it.
func writeJSON(path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return whole.Bytes(path, 0o600, body)
}

// separate opens the cluster from a file in the run's directory that leads nowhere else. It holds credentials: mode 0600.
func (s *Session) separate(c *cluster.Cluster) (*cluster.Cluster, error) {
	config, err := c.Single()
	if err != nil {
		return nil, err
	}
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.o.dir(), "kubeconfig-"+c.Name+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	return cluster.Open(c.Name, c.Network, path, c.Context)
}

// readSaved reads which given clusters the run of that directory works on, and how its waits are stretched. A run that was killed before it
// made anything has no such file, and none has one of an older version on kind clusters.
func readSaved(dir string) (saved, error) {
	var all saved
	body, err := os.ReadFile(filepath.Join(dir, targetsFile))
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		all = saved{} // half of it is none
		err = fmt.Errorf("read the given clusters of the run: %w: remove by hand what meshproof cleanup --dry-run lists, then the run's directory %s", err, dir)
	}
	return all, err
}

// undoGiven removes from given clusters what the run made there.
func undoGiven(ctx context.Context, dir string, all saved, l *ledger.Ledger, limits Limits, stays func(string)) error {
	if len(all.Clusters) == 0 {
		return nil
	}
	return inTime(ctx, "the removal", limits.Remove, func(ctx context.Context) error {
		var set cluster.Set
		lacking := inTime(ctx, "a look at the given clusters", limits.Step, func(ctx context.Context) (err error) {
			set, err = openSaved(ctx, all.Clusters)
			return err
		})
		ctx, held, err := holdForRemoval(ctx, set, all.Holder, limits, stays)
		var book mirror.Book = l
		if err = errors.Join(lacking, err); err != nil {
			book = within{l, held.set}
		}
		undone := undoNoted(ctx, held.set, mirror.New(book, held.set, filepath.Base(dir), all.Holder.Who), limits.Procedure, stays)
		return errors.Join(err, undone, giveBack(ctx, held.leases))
	})
}

// openSaved opens the clusters that a run has worked on. With an error it has those that can be opened and still are the same.
func openSaved(ctx context.Context, targets []savedTarget) (cluster.Set, error) {
	var errs []error
	var opened, same cluster.Set
	var mu sync.Mutex
	uids := map[string]string{}
	for _, t := range targets {
		c, err := cluster.Open(t.Name, "", t.Kubeconfig, t.Context)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		opened, uids[t.Name] = append(opened, c), t.UID
	}
	err := opened.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		if err := remains(ctx, c, uids[c.Name]); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		same = append(same, c)
		return nil
	})
	return same, errors.Join(append(errs, err)...)
}

// remains tells whether a kubeconfig still leads to the cluster with that UID; "" = it is not known which it was.
func remains(ctx context.Context, c *cluster.Cluster, uid string) error {
	if uid == "" {
		return nil
	}
	now, err := c.UID(ctx)
	if err == nil && now != uid {
		err = fmt.Errorf("kubeconfig %s (context %s) leads to another cluster now: kube-system has UID %s there, and the run worked where it has %s: have it lead to that one again",
			c.Kubeconfig, c.Context, now, uid)
	}
	return err
}

// within is a ledger of which only what is on these clusters counts.
type within struct {
	mirror.Book
	set cluster.Set
}

// Remaining gives what is left on these clusters.
func (w within) Remaining() []ledger.Entry {
	return slices.DeleteFunc(w.Book.Remaining(), func(e ledger.Entry) bool { return w.set.Named(e.Cluster) == nil })
}
