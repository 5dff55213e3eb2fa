package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/procedure"
	"github.com/meshproof/meshproof/framework/verify"
)

// Verify performs the guide on the clusters that Provision brought, and has the mesh looked at, before and after S15.
func (s *Session) Verify(ctx context.Context) error {
	if s.o.ReadOnly {
		return s.onlyLook(ctx)
	}
	if err := s.prepare(nil); err != nil {
		return err
	}
	ctx = s.watched(ctx)
	o := s.verifyOptions()
	if err := s.setUp(ctx); err != nil {
		return err // a mesh that is half set up is not looked at: its claims would fail for want of what was not done
	}
	joined := verify.Joined(ctx, o)
	if ctx.Err() != nil {
		return joined
	}
	saved, err := s.soFar()
	switch why := unfit(saved); {
	case err != nil:
		joined = errors.Join(joined, err)
	case why != "":
		if s.o.Disruptive {
			s.o.Tell.Note("nothing is done to the mesh on purpose: " + why)
		}
		joined = errors.Join(joined, s.saveDiagnostics(ctx)) // S15 removes the sample
	case joined == nil:
		joined = s.disruptionsExplained(ctx, s.disrupt(ctx, o, saved))
	}
	if ctx.Err() != nil {
		return joined
	}
	cleanUp := s.cleanUp(ctx)
	if cleanUp != nil {
		return errors.Join(joined, cleanUp)
	}
	return errors.Join(joined, verify.Removed(ctx, o))
}

// prepare makes ready what performs the guide and asks the gateways. The variables are those of a mesh that was set up before.
func (s *Session) prepare(variables map[string]string) error {
	if err := s.makeAttempts(); err != nil {
		return err
	}
	if s.tools != nil {
		if err := s.tools.Prepare(s.rel.Istioctl); err != nil {
			return err
		}
	}
	p, err := procedure.New(procedure.Options{
		Intent: s.intent, Tools: s.tools, Set: s.set, Release: s.rel, Kubectl: s.images.Kubectl, Dir: filepath.Join(s.o.dir(), "procedure"),
		Limits: s.limits.Procedure, OnBegin: s.begun, OnStep: s.record, InTurn: s.o.InTurn, Ledger: s.book(), OnNamespace: s.logAccess,
		Variables: variables,
	})
	s.proc = p
	return err
}

// setUp runs S1 to S13 while the probe pods come up.
func (s *Session) setUp(ctx context.Context) error {
	probes := make(chan error, 1)
	go func() {
		probes <- s.bounded(ctx, "P7", "", "deploy the probe pods and the second service", func(ctx context.Context) error {
			return s.set.Each(ctx, s.deployOwn)
		})
	}()
	_, err := s.proc.SetUp(ctx)
	if err = errors.Join(err, <-probes); err != nil {
		return err
	}
	return s.step(ctx, "P14", "", "wait until the suite's own pods run", func(ctx context.Context) error {
		return s.set.Each(ctx, s.ownPodsRun)
	})
}

// logAccess turns on the access log before the sample's first pod: an Envoy that gets it later keeps the old setting on
// connections that are open by then, and their calls are missing from the log.
func (s *Session) logAccess(ctx context.Context) error {
	return s.bounded(ctx, "P8", "", "turn on the sample's access log", func(ctx context.Context) error {
		return s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
			return s.apply(ctx, c, fixtures.AccessLog, map[string]string{"Namespace": s.intent.Namespace()})
		})
	})
}

// deployOwn brings the probe pod, outside the mesh, and the second service, in it, each in a namespace of its own.
func (s *Session) deployOwn(ctx context.Context, c *cluster.Cluster) error {
	if err := s.deployIn(ctx, c, fixtures.ProbeNamespace, fixtures.Probe); err != nil {
		return err
	}
	return s.deployIn(ctx, c, evidence.SecondNamespace, fixtures.Second)
}

// deployIn makes a namespace of the suite's own, and brings a fixture into it.
func (s *Session) deployIn(ctx context.Context, c *cluster.Cluster, namespace, fixture string) error {
	data, err := s.o.Place.fill(map[string]string{"ProbeImage": s.o.ProbeImage, "Revision": s.intent.Revision, "Cluster": c.Name})
	if err != nil {
		return err
	}
	entry := ledger.Entry{Kind: "Namespace", Name: namespace, Cluster: c.Name, Run: s.o.RunID}
	if err := s.makeNamespace(ctx, c, s.book(), entry, nil); err != nil {
		return err
	}
	if err := s.apply(ctx, c, fixture, data); err != nil {
		return err
	}
	return s.book().Made(entry)
}

// makeNamespace makes a namespace, which is noted before. Of one that is somebody's nothing stays noted: it was never the run's.
func (s *Session) makeNamespace(ctx context.Context, c *cluster.Cluster, book mirror.Book, entry ledger.Entry, annotations map[string]string) error {
	if err := book.Intend(entry); err != nil {
		return err
	}
	err := manifest.MakeNamespace(ctx, c, entry.Name, s.o.RunID, annotations)
	if errors.Is(err, manifest.ErrForeign) {
		err = errors.Join(err, book.Removed(entry))
	}
	return err
}

func (s *Session) apply(ctx context.Context, c *cluster.Cluster, name string, data any) error {
	text, err := fixtures.Render(name, data)
	if err != nil {
		return err
	}
	if err := manifest.Apply(ctx, c, text, manifest.Owner(s.o.RunID)); err != nil {
		return fmt.Errorf("apply fixture %s on cluster %s: %w", name, c.Name, err)
	}
	return nil
}

// probeRef says where the probe pod is, and what its program must be made from: that of a mesh that stands may be an older program's.
func probeRef() collect.ProbeRef {
	return collect.ProbeRef{Namespace: fixtures.ProbeNamespace, Selector: fixtures.ProbeSelector, MadeFrom: images.ProbeMadeFrom()}
}

func (s *Session) verifyOptions() verify.Options {
	return verify.Options{
		Set: s.set, Intent: s.intent, Folder: s.folder, Caller: s.proc, Limits: s.limits.Verify, OnBegin: s.begun, OnStep: s.record, OnAnswers: s.answered,
		Collect: collect.Options{
			Intent: s.intent, Since: s.began, GatewayNamespace: "istio-system", Request: s.limits.Request,
			Probe:    probeRef(),
			Attempts: func(name string) []collect.Attempt { return s.attempts[name] },
		},
	}
}

func (s *Session) cleanUp(ctx context.Context) error {
	_, err := s.proc.CleanUp(ctx)
	return err
}
