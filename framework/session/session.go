package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/report"
)

// Session is one run. Run does all of it; Provision, and Abandon when that fails, are for clusters that stay.
type Session struct {
	o      Options
	limits Limits // as they are in force
	intent intent.Intent
	ledger *ledger.Ledger
	folder *evidence.Folder
	set    cluster.Set
	images *images.Set
	rel    *release.Dir
	tools  *asm.Driver // nil where no real tools are given
	proc   *procedure.Procedure
	// attempts are how the gateways are asked, by the cluster that asks. They hold keys: no method gives them out.
	attempts map[string][]collect.Attempt
	mesh     istio.Options // how the control planes of kind clusters were installed
	checked  bool          // whether Check has looked; checkErr is what it said
	checkErr error
	versions []string // of the control planes of given clusters, where their images say it

	holder lease.Holder               // what this run is called there
	leases []*lease.Lease             // of the given clusters
	taken  map[*cluster.Cluster]error // those whose lease another run has taken, and how that was told
	stayed Kept                       // by the removal
	mirror *mirror.Mirror             // the ledger with its copies there
	// lost ends the run whose lease another has taken, and endRemoval its removal, which outlives it.
	lost, endRemoval context.CancelCauseFunc

	began     time.Time
	diagnosed bool // whether diagnostics were saved
	hostNamed bool // whether a gateway of the joined mesh has a host name in place of an address

	mu    sync.Mutex
	steps []evidence.Step
	waits map[[2]string]string // what was told last of a wait, by cluster and what
}

// New checks the options, opens the kubeconfigs of given clusters, and makes the run's directory. Nothing else is changed.
func New(o Options) (*Session, error) {
	s, err := begin(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.o.dir(), 0o700); err != nil {
		return nil, fmt.Errorf("make the run's directory: %w: set XDG_STATE_HOME to a directory that can be written", err)
	}
	if s.ledger, err = ledger.Open(ledgerOf(s.o.dir())); err != nil {
		return nil, err
	}
	return s, nil
}

// begin is New without the directory: it makes nothing.
func begin(o Options) (*Session, error) {
	o, err := o.Defaults()
	if err != nil {
		return nil, err
	}
	set, err := Open(o.Targets)
	if err != nil {
		return nil, err
	}
	return &Session{o: o, holder: lease.Here(o.RunID), began: time.Now(), limits: o.Limits.times(o.TimeoutMultiplier), set: set, intent: o.kindIntent()}, nil
}

// Options are the options as they are in force.
func (s *Session) Options() Options { return s.o }

// Intent is what the run expects, as far as it is known by now.
func (s *Session) Intent() intent.Intent { return s.intent }

// openFolder makes the report's evidence folder; up has none.
func (s *Session) openFolder() error {
	folder, err := evidence.Create(filepath.Join(s.o.ReportDir, report.EvidenceDir))
	if err != nil {
		return err
	}
	s.folder = folder
	return nil
}

// record keeps a step and tells of it.
func (s *Session) record(step evidence.Step) {
	s.mu.Lock()
	s.steps = append(s.steps, step)
	s.mu.Unlock()
	if step.Skipped != "" {
		s.o.Tell.Note(step.ID + " " + step.Title + ": not performed: " + step.Skipped)
		return
	}
	s.tellDone(step)
}

func (s *Session) tellDone(step evidence.Step) {
	var err error
	if step.Error != "" {
		err = errors.New(step.Error)
	}
	s.o.Tell.Done(step.Cluster, step.ID+" "+step.Title, time.Duration(step.Seconds*float64(time.Second)), err)
}

// limited bounds the run by --timeout, when that is given.
func (s *Session) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, lost := context.WithCancelCause(ctx)
	if s.lost == nil { // of the outermost
		s.lost = lost
	}
	if s.o.Timeout == 0 {
		return ctx, func() { lost(nil) }
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, fmt.Errorf("the run's limit of %s (--timeout) has passed: give more, or leave it out", s.o.Timeout))
	return ctx, func() { cancel(); lost(nil) }
}

// Refused is what is told of a step that found that the input cannot be.
const Refused = "refused"

// step runs f as a step of the run's own, before or after the guide's.
func (s *Session) step(ctx context.Context, id, clusterName, title string, f func(context.Context) error) error {
	s.begun(evidence.Step{ID: id, Title: title, Cluster: clusterName})
	began := time.Now()
	err := f(s.watched(ctx))
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = errors.Join(err, cause)
	}
	st := evidence.Step{ID: id, Title: title, Cluster: clusterName, Started: began, Seconds: time.Since(began).Seconds()}
	if err != nil {
		st.Error, st.ExitCode = err.Error(), -1
	}
	var refused *UsageError
	if errors.As(err, &refused) && refused.Error() == err.Error() {
		st.Error = Refused // there is no report then, and what is wrong is what the command ends with: it is told once
	}
	s.record(st)
	return err
}

// bounded is step for what speaks to clusters only: an API server that takes a connection and never answers must not hold
// the run for ever.
func (s *Session) bounded(ctx context.Context, id, clusterName, title string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.Step, tooLong("this step", s.limits.Step))
	defer cancel()
	return s.step(ctx, id, clusterName, title, f)
}

// orderedSteps gives the steps in the order in which they began.
func (s *Session) orderedSteps() []evidence.Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	ordered := slices.Clone(s.steps)
	slices.SortStableFunc(ordered, func(a, b evidence.Step) int { return a.Started.Compare(b.Started) })
	return ordered
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read does not fail (Go 1.24)
	return hex.EncodeToString(b)
}
