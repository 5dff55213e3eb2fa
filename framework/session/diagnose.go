package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/diagnose"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/kindcluster"
)

// DiagnosticsDir is the part of a report directory that holds what is saved at a failure: one folder for each cluster.
const DiagnosticsDir = "diagnostics"

// diagnose saves what a person needs to find out why the verdict is not passed, while the clusters are as they were. A run
// that was interrupted is left alone: whoever did that knows why, and waits. It gives the files, relative to the report, those
// too that were saved when a cluster did not come up.
func (s *Session) diagnose(ctx context.Context, v claim.Verdict) (files []string, err error) {
	if v != claim.Passed && ctx.Err() == nil && len(s.set) > 0 && !s.diagnosed {
		err = s.saveDiagnostics(ctx)
	}
	files, listErr := s.diagnostics()
	return files, errors.Join(err, listErr)
}

// explained gives the error of a set-up, and saves diagnostics before anything of it is removed: as soon as there are clusters to ask,
// whatever they hold by then.
func (s *Session) explained(ctx context.Context, err error) error {
	var usage *UsageError
	if err == nil || errors.As(err, &usage) || ctx.Err() != nil || len(s.set) == 0 || s.diagnosed {
		return err
	}
	return errors.Join(err, s.saveDiagnostics(ctx))
}

func (s *Session) saveDiagnostics(ctx context.Context) error {
	s.diagnosed = true
	places := []diagnose.Place{
		{Namespace: "istio-system", Selector: "app=istiod"}, {Namespace: "istio-system", Selector: "istio=eastwestgateway"},
		{Namespace: s.intent.Namespace()}, {Namespace: fixtures.ProbeNamespace}, {Namespace: evidence.SecondNamespace},
	}
	if s.intent.Provision == intent.Kind {
		places = append(places, diagnose.Place{Namespace: "kube-system"}, diagnose.Place{Namespace: metallbNamespace})
	}
	return s.timed("save diagnostics in "+filepath.Join(s.o.ReportDir, DiagnosticsDir), func() error { return s.diagnoseEach(ctx, places) })
}

func (s *Session) diagnoseEach(ctx context.Context, places []diagnose.Place) error {
	return s.set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		from := diagnose.Cluster{Cluster: c, Look: func(ctx context.Context) *evidence.Cluster {
			return collect.Cluster(ctx, c, s.set.Peers(c.Name), collect.Options{Intent: s.intent, Request: s.limits.Request})
		}}
		if s.rel != nil {
			from.IstioctlPath = s.rel.Istioctl
		}
		if s.intent.Provision == intent.Kind {
			from.SaveNode = func(ctx context.Context, folder string) error {
				return kindcluster.SaveNode(ctx, s.o.RunID, c.Name, folder)
			}
		}
		return diagnose.Save(ctx, filepath.Join(s.o.ReportDir, DiagnosticsDir, c.Name), from, places)
	})
}

// diagnostics lists the files that were saved.
func (s *Session) diagnostics() ([]string, error) {
	var all []string
	err := fs.WalkDir(os.DirFS(s.o.ReportDir), DiagnosticsDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return all, fmt.Errorf("list the diagnostics: %w", err)
	}
	return all, nil
}
