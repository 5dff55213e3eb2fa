package session

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/shell"
)

// Progress is how far something is that takes a while: what is waited for and what it lacks still, or who has answered a
// cluster's measured calls.
type Progress struct {
	// Cluster is "" for the run as a whole.
	Cluster string
	// What is waited for, or done, and State what was seen last.
	What, State string
	// Over tells that it has ended.
	Over bool
	// Asked is how many measured calls the cluster makes, 0 = this is of no calls; Answered counts the answers so far, by
	// helloworld's version, "" for those that it did not answer.
	Asked    int
	Answered map[string]int
}

// watched has all waits below ctx tell what they see, each state once, and all commands below it known as the run's: a removal ends
// those that a killed run has left.
func (s *Session) watched(ctx context.Context) context.Context {
	return poll.Observe(shell.Of(ctx, s.o.dir()), func(w poll.Wait, l *poll.Look) {
		p := Progress{Cluster: s.clusterAt(w.Where), What: w.What}
		if p.Cluster == "" {
			p.What += " (" + w.Where + ")"
		}
		if l == nil {
			p.Over = true
		} else {
			p.State = oneLine(cmp.Or(l.State, l.Err.Error()))
		}
		if s.isNews(p) {
			s.o.Tell.Progress(p)
		}
	})
}

// isNews tells whether a wait's state is another than it was. The end of a wait that was never told of is none.
func (s *Session) isNews(p Progress) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waits == nil {
		s.waits = map[[2]string]string{}
	}
	key := [2]string{p.Cluster, p.What}
	last, told := s.waits[key]
	if p.Over {
		delete(s.waits, key)
		return told
	}
	s.waits[key] = p.State
	return !told || last != p.State
}

// clusterAt gives the cluster that a wait's place names first, "" when it names none of the run's.
func (s *Session) clusterAt(where string) string {
	rest, named := strings.CutPrefix(where, "cluster ")
	name, _, _ := strings.Cut(rest, ",")
	for _, c := range s.intent.Clusters {
		if named && c.Name == name {
			return name
		}
	}
	return ""
}

// telling tells of messages about how far something is.
func (s *Session) telling(what string) func(cluster, message string) {
	return func(cluster, message string) {
		s.o.Tell.Progress(Progress{Cluster: cluster, What: what, State: message})
	}
}

// over tells that there is nothing more to come of it, for the run as a whole and for each cluster.
func (s *Session) over(what string, clusters ...string) {
	for _, c := range append(clusters, "") {
		s.o.Tell.Progress(Progress{Cluster: c, What: what, Over: true})
	}
}

// begun tells of a step of the guide, or of a look, that has begun.
func (s *Session) begun(step evidence.Step) { s.o.Tell.Doing(step.Cluster, step.ID+" "+step.Title) }

// answered tells who has answered a cluster's measured calls so far.
func (s *Session) answered(from string, asked int, by map[string]int) {
	s.o.Tell.Progress(Progress{Cluster: from, What: "measured calls", Asked: asked, Answered: by})
}

// timed tells when something begins that is no step of the evidence, and how long it took.
func (s *Session) timed(what string, f func() error) error {
	s.o.Tell.Doing("", what)
	began := time.Now()
	err := f()
	s.o.Tell.Done("", what, time.Since(began), err)
	return err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
