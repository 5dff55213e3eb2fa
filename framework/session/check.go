package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/mesh/preinstalled"
	"github.com/meshproof/meshproof/framework/release"
)

// Check looks at everything that the run was given, as far as that can be done without changing anything: the given
// clusters and what is installed there, the release directory, and what the guide's steps would overwrite. It looks once.
// A UsageError is input that cannot be.
func (s *Session) Check(ctx context.Context) error {
	if !s.checked {
		s.checked, s.checkErr = true, s.check(ctx)
	}
	return s.checkErr
}

func (s *Session) check(ctx context.Context) error {
	if err := images.CheckArchive(ctx, s.o.Images); err != nil {
		return &UsageError{err}
	}
	given := len(s.set) > 0
	if given {
		if err := s.takeClusters(ctx); err != nil {
			return err
		}
	}
	if s.o.ReleaseDir != "" {
		if err := s.checkRelease(ctx); err != nil {
			return err
		}
	}
	if !given {
		return nil
	}
	if err := s.openTools(ctx); err != nil {
		return err
	}
	return s.bounded(ctx, "P4", "", "look for what the guide would overwrite, and for what the run builds on", s.checkGround)
}

// ownNamespaces are those that every run makes besides the one of the guide's sample.
func ownNamespaces() []string { return []string{fixtures.ProbeNamespace, evidence.SecondNamespace} }

// checkRelease opens the release directory, tries its gateway script, and compares it with the control planes.
func (s *Session) checkRelease(ctx context.Context) error {
	return s.step(ctx, "P2", "", "open the release directory", func(ctx context.Context) error {
		rel, err := release.Open(s.o.ReleaseDir)
		if err != nil {
			return &UsageError{err}
		}
		var errs []error
		for i, v := range s.versions {
			if err := preinstalled.SameRelease(rel.Version, v); err != nil {
				errs = append(errs, fmt.Errorf("%s: cluster %s: %w", rel.Path, s.set[i].Name, err))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return &UsageError{err}
		}
		if err := s.tryScript(ctx, rel); err != nil {
			return &UsageError{fmt.Errorf("%w: give the --output_dir of `asmcli install`, unchanged", err)}
		}
		s.rel = rel
		return nil
	})
}

// tryScript has the gateway's script of a release print what S6 would install.
func (s *Session) tryScript(ctx context.Context, rel *release.Dir) error {
	member := s.intent.Clusters[0]
	g := release.Gateway{Mesh: s.intent.MeshID, Cluster: member.ID, Network: member.Network, Revision: s.intent.Revision}
	return rel.Try(ctx, g, s.limits.Script)
}
