package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/report"
)

// A mesh that stands alone outlives the process that made it, and another one judges it (Reopen): who writes a claim waits for the
// set-up once.

// standingFile says how a standing mesh is judged: paths of kubeconfigs and programs, no credentials.
const standingFile = "standing.json"

// standing is the file's content.
type standing struct {
	Intent intent.Intent
	// Steps are those of the set-up.
	Steps []evidence.Step
	// Variables are what S1 to S5 exported.
	Variables map[string]string
	Clusters  []savedTarget
	Kubectl   string
	Release   release.Dir
	// Began is when the run did.
	Began time.Time
	// TimeoutMultiplier is that of the run.
	TimeoutMultiplier float64
}

// StandAlone is Stand for a mesh that outlasts this process. Leave, and not Close, ends the work on it; Abandon removes one that did
// not come to stand.
func (s *Session) StandAlone(ctx context.Context) error {
	if err := s.Stand(ctx); err != nil {
		return err
	}
	return s.remain()
}

// remain writes down how the mesh is judged.
func (s *Session) remain() error {
	all := standing{
		Intent: s.intent, Steps: s.orderedSteps(), Variables: s.proc.Variables(), Release: *s.rel, Began: s.began, TimeoutMultiplier: s.o.TimeoutMultiplier,
	}
	for _, c := range s.set {
		all.Clusters = append(all.Clusters, savedTarget{Name: c.Name, Kubeconfig: c.Kubeconfig, Context: c.Context})
	}
	var err error
	if all.Kubectl, err = filepath.Abs(s.images.Kubectl); err == nil {
		err = writeJSON(filepath.Join(s.o.dir(), standingFile), all)
	}
	if err != nil {
		return fmt.Errorf("write down how the standing mesh of run %s is judged: %w", s.o.RunID, err)
	}
	return nil
}

// noLonger has nobody judge what a removal leaves of a mesh, should it not come to its end.
func noLonger(dir string) error {
	if err := os.Remove(filepath.Join(dir, standingFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write down that the mesh of run %s stands no more: %w", filepath.Base(dir), err)
	}
	return nil
}

// Standing lists the runs on this machine whose mesh stands, in the order of their names. stateDirectory "" means the user's.
func Standing(stateDirectory string) ([]string, error) {
	runs, err := runsDir(stateDirectory)
	if err != nil {
		return nil, err
	}
	found, err := fs.Glob(os.DirFS(runs), "*/"+standingFile)
	if err != nil {
		return nil, fmt.Errorf("list the standing runs in %s: %w", runs, err)
	}
	for i, file := range found {
		found[i] = filepath.Dir(file)
	}
	return found, nil
}

// Reopen takes up a standing mesh, to judge it; Leave ends that. Meanwhile nobody else judges it (the calls of one would be counted
// by the other) or removes it.
func Reopen(stateDirectory, id string, tell Teller) (*Session, error) {
	dir, err := dirOf(stateDirectory, id)
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ledgerOf(dir))
	if err != nil {
		return nil, fmt.Errorf("judge the standing mesh of run %s: %w", id, err)
	}
	s, err := reopen(dir, l, tell)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return s, nil
}

func reopen(dir string, l *ledger.Ledger, tell Teller) (*Session, error) {
	id := filepath.Base(dir)
	body, err := os.ReadFile(filepath.Join(dir, standingFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &UsageError{fmt.Errorf("run %s has no mesh that stands: its clusters were not joined, or a removal has begun: make one with meshproof up --join", id)}
	}
	var all standing
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read how the standing mesh of run %s is judged: %w: meshproof down %s removes it, meshproof up --join makes another", id, err, id)
	}
	s := &Session{
		o:      Options{RunID: id, StateDir: filepath.Dir(filepath.Dir(dir)), Tell: tell, TimeoutMultiplier: all.TimeoutMultiplier},
		limits: DefaultLimits().times(all.TimeoutMultiplier),
		intent: all.Intent, steps: all.Steps, ledger: l, images: &images.Set{Kubectl: all.Kubectl}, rel: &all.Release, began: all.Began,
	}
	for i, t := range all.Clusters {
		c, err := cluster.Open(t.Name, all.Intent.Clusters[i].Network, t.Kubeconfig, t.Context)
		if err != nil {
			return nil, err
		}
		s.set = append(s.set, c)
	}
	return s, s.prepare(all.Variables)
}

// ClaimOptions say which claims of a standing mesh are judged, and how.
type ClaimOptions struct {
	// IDs are those of the claims.
	IDs []string
	// Patient gives calls on a mesh that has not settled the time that they have in a run: minutes, where each waits for what is broken.
	Patient bool
}

// JudgeClaims looks at the standing mesh anew and judges single claims, from the files in dir, whose content is replaced. Calls that none
// of them reads are not made; the control planes' logs are read from the run's beginning. The error says what could not be done; the
// findings are there whenever something could be judged.
func (s *Session) JudgeClaims(ctx context.Context, dir string, o ClaimOptions) ([]claim.Finding, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("replace the evidence of the last judgement: %w", err)
	}
	judge := JudgeOptions{Limits: s.provingLimits(), LeaveOut: unread(o.IDs), Await: awaited(o.IDs), Since: s.began}
	judge.Limits.Quiet = s.limits.ClaimQuiet
	if !o.Patient {
		judge.Unsettled = s.limits.ClaimCalls
	}
	looked, err := s.look(ctx, dir, judge)
	if err != nil || ctx.Err() != nil {
		return nil, errors.Join(looked, err)
	}
	judged, _, err := report.JudgeDir(dir)
	return judged.Of(o.IDs), errors.Join(looked, err)
}

// awaited gives the claims for which the mesh is given time to settle: these, where all of them converge. What is judged once presumes
// that all others do.
func awaited(ids []string) []string {
	for _, c := range claim.All() {
		if slices.Contains(ids, c.ID) && c.Kind != claim.Converges {
			return nil
		}
	}
	return ids
}

// unread gives the purposes of the calls that none of these claims reads.
func unread(ids []string) []string {
	left := []string{evidence.GuideCalls, evidence.Second, evidence.Split}
	for _, c := range claim.All() {
		if slices.Contains(ids, c.ID) {
			left = slices.DeleteFunc(left, func(purpose string) bool { return slices.Contains(c.Calls, purpose) })
		}
	}
	return left
}
