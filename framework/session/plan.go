package session

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/stats"
)

// Plan checks all input exactly as a run does before it changes anything, and says in lines what the run would do. It changes
// nothing and makes no file. Clusters that a run makes itself need no engine for it.
func Plan(ctx context.Context, o Options) ([]string, error) {
	s, err := begin(o)
	if err != nil {
		return nil, err
	}
	reportDir := s.o.ReportDir
	if o.ReportDir == "" && o.RunID == "" {
		reportDir = filepath.Join(ReportsDir, "RUN-ID") // the run will choose its own
	}
	ctx, cancel := s.limited(ctx)
	defer cancel()
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	steps, err := s.plannedSteps()
	if err != nil {
		return nil, err
	}
	lines := slices.Concat(s.plannedClusters(), s.plannedInstall(), s.plannedTools(), s.plannedTraffic(), steps, s.plannedDisruptions(), s.plannedClaims())
	return append(lines, "report     "+reportDir, "dry run: the input is sound, and nothing was changed"), nil
}

func (s *Session) plannedClusters() []string {
	var lines []string
	for i, c := range s.intent.Clusters {
		from := "made by the run with kind, in docker, and removed at the end (--keep " + string(s.o.Keep) + ")"
		if len(s.set) > 0 {
			given := s.set[i]
			from = fmt.Sprintf("given: context %s of %s, %s", given.Context, given.Kubeconfig, given.Server())
		}
		lines = append(lines, fmt.Sprintf("CLUSTER_%d  %s: network %s, %s, helloworld %s: %s", i+1, c.Name, c.Network, c.ID, c.Version, from))
	}
	rel := "put together from the pinned Istio"
	if s.rel != nil {
		rel = s.rel.Path + " (istioctl " + s.rel.Version + ")"
	}
	if name := s.intent.Namespace(); name != intent.GuideNamespace {
		lines = append(lines, fmt.Sprintf("sample     in namespace %s (the guide: %s)", name, intent.GuideNamespace))
	}
	return append(lines,
		fmt.Sprintf("mesh       revision %s, %s, trust domain %s, fleet %s", s.intent.Revision, s.intent.MeshID, s.intent.TrustDomain, s.intent.Fleet),
		fmt.Sprintf("guide      platform %s, CA %s, mode %s; release directory: %s", s.intent.Platform, s.intent.Authority(), s.intent.Mode, rel))
}

func (s *Session) plannedTraffic() []string {
	if s.o.ReadOnly {
		return []string{"traffic    none (--read-only): what needs it is skipped, so that the verdict is at best inconclusive"}
	}
	return []string{
		fmt.Sprintf("traffic    %d calls of the guide's own and %d measured ones from each cluster", s.intent.GuideCalls, s.intent.Samples),
		"power      " + stats.Explain(s.intent.Samples, s.o.Share(), s.intent.Alpha),
		"waits      " + cmp.Or(s.o.stretched(), "as docs/configuration.md has them"),
	}
}

// plannedSteps gives the guide's steps, those that are printed for each cluster once.
func (s *Session) plannedSteps() ([]string, error) {
	steps, err := guide.Steps(len(s.intent.Clusters))
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, step := range steps {
		where := ""
		if step.Cluster > 1 {
			continue
		}
		if step.Cluster == 1 {
			where = ", on each cluster"
		}
		if why := s.intent.Skips(step.Base()); why != "" {
			where += ": not performed (" + why + ")"
		}
		lines = append(lines, fmt.Sprintf("step       %-3s  %s%s", step.Base(), step.Title, where))
	}
	return lines, nil
}

func (s *Session) plannedClaims() []string {
	core, asked := 0, claim.Asked(s.expected())
	for _, c := range asked {
		if c.Level == claim.Core {
			core++
		}
	}
	line := fmt.Sprintf("claims     %d are judged, %d of them core (--list)", len(asked), core)
	if n := len(s.o.LeftOut); n > 0 {
		line += fmt.Sprintf("; %d are left out", n)
	}
	return []string{line}
}

func (s *Session) plannedDisruptions() []string {
	var lines []string
	add := func(id, sentence string) { lines = append(lines, fmt.Sprintf("disrupt    %s: %s", id, sentence)) }
	for _, d := range s.disruptions() {
		add(d.ID, d.Sentence)
	}
	for _, i := range s.injections() {
		add(i.ID, i.Sentence)
	}
	if len(lines) == 0 {
		return []string{"disrupt    nothing: the mesh is not changed on purpose (--disruptive)"}
	}
	return lines
}
