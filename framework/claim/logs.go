package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/allowed"
	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// logs are what a cluster's control plane logged beside information.
func logs() part {
	return file(ofSelf, evidence.ProblemLogs, evidence.FileOfLogs, func(c *evidence.Cluster) bool { return c.Logs != nil })
}

// ofJoined is the part of the joined mesh, for a claim about what came after it.
func ofJoined(p part) part {
	gap, files := p.gap, p.files
	p.gap = func(v view, c intent.Cluster) string {
		v.epoch = evidence.Joined
		return gap(v, c)
	}
	p.files = func(v view, c intent.Cluster) []string {
		v.epoch = evidence.Joined
		return files(v, c)
	}
	return p
}

// logRules look for hidden errors. Their claim is extended: a line that no one knows yet shows no mesh that does not conform, and on
// given clusters the control plane has other work beside the run's.
func logRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "istiod-log", Level: Extended, Kind: Converges, Area: Setup, Epoch: evidence.Joined, Guide: "(none: the suite's own)",
				Sentence: "The control plane logs no warning or error during the run that is not known to be harmless."},
			asked: logsRead, about: eachCluster, reads: []part{objects(ofSelf), logs()}, judge: judgeLog,
		},
	}
}

// panicRules look for what is never harmless, also while the mesh is disrupted.
func panicRules() []rule {
	return []rule{
		{
			Claim: Claim{ID: "istiod-panics", Level: Extended, Kind: Converges, Area: Lifecycle, Epoch: evidence.Removed, Guide: "(none: the suite's own)",
				Sentence: "From the run's beginning to its end no replica of the control plane panics, whatever is done to the mesh."},
			asked: logsRead, about: eachCluster, reads: []part{objects(ofSelf), logs(), ofJoined(objects(ofSelf)), ofJoined(logs())}, judge: judgePanics,
		},
	}
}

func logsRead(in intent.Intent) string {
	if !in.Logs {
		return "the control plane's logs were not read"
	}
	return ""
}

func judgeLog(v view) result {
	var n notes
	entries, err := allowed.Istiod()
	if err != nil {
		n.puzzles("%v", err)
		return n.result("")
	}
	known := map[string]int{}
	read := replicaLogs(v, &n, func(log evidence.IstiodLog) {
		for _, l := range log.Lines {
			if e, is := allowed.Find(entries, l); is {
				known[e.ID] += l.Count
			} else {
				n.breaks("istiod %s logged %s", log.Pod, lineTold(l))
			}
		}
		if log.Left > 0 {
			n.puzzles("of the log of istiod %s %d more lines were not kept", log.Pod, log.Left)
		}
	})
	sum := 0
	for _, count := range known {
		sum += count
	}
	res := n.result("in %d lines of log the control plane of %s says nothing beside information but %d lines that are known to be harmless", read, v.self.Name, sum)
	res.measured = map[string]any{"lines": read, "harmless": known}
	return res
}

func judgePanics(v view) result {
	var n notes
	told := map[string]bool{}
	look := func(log evidence.IstiodLog) {
		for _, l := range log.Lines {
			same := log.Pod + " " + l.Message // both epochs may hold it
			if (l.Level == evidence.LevelPanic || l.Level == "fatal") && !told[same] {
				told[same] = true
				n.breaks("istiod %s ended or caught %s", log.Pod, lineTold(l))
			}
		}
	}
	read := replicaLogs(v, &n, look)
	joined := v.run.Cluster(evidence.Joined, v.self.Name)
	for _, log := range joined.Logs {
		look(log)
	}
	noteUnread(&n, seen.IstiodPods(joined.Kubernetes), seen.IstiodPods(v.objects(v.self.Name)))
	return n.result("in %d lines of log no replica of %s panics", read, v.self.Name)
}

// noteUnread notes the replicas whose logs cannot all have been read: those that went, and those whose container was begun anew more
// than once, since only the log of the one before is kept.
func noteUnread(n *notes, before, after []evidence.Pod) {
	for _, p := range before {
		if !slices.ContainsFunc(after, func(a evidence.Pod) bool { return a.Name == p.Name }) {
			n.puzzles("istiod %s was replaced after the mesh was joined, and what it logged since then was not read", p.Name)
		}
	}
	for _, p := range after {
		for _, c := range p.Containers {
			if c.Restarts > 1 {
				n.puzzles("istiod %s was restarted %d times, and only the last log before this one was read", p.Name, c.Restarts)
			}
		}
	}
}

// replicaLogs calls f with the logs of every replica, and notes where lines or a whole log is missing. It gives the number of
// lines that were read.
func replicaLogs(v view, n *notes, f func(evidence.IstiodLog)) (read int) {
	have := map[string]bool{}
	for _, log := range v.cluster(v.self.Name).Logs {
		have[log.Pod] = true
		read += log.Read
		f(log)
		if log.Cut {
			n.puzzles("the log of istiod %s is longer than the %d lines that were read from its end", log.Pod, log.Read)
		}
	}
	for _, p := range seen.IstiodPods(v.objects(v.self.Name)) {
		if !have[p.Name] && p.Phase == running {
			n.puzzles("the log of istiod %s was not read", p.Name)
		}
	}
	return read
}

// lineTold is a line for a sentence.
func lineTold(l evidence.LoggedLine) string {
	text := l.Level
	if l.Scope != "" {
		text += " (" + l.Scope + ")"
	}
	text += fmt.Sprintf(" %q", l.Message)
	if l.Count > 1 {
		text += fmt.Sprintf(", %d times", l.Count)
	}
	if len(l.Stack) > 0 {
		text += " in " + strings.Join(l.Stack[:min(2, len(l.Stack))], ", called by ")
	}
	return text
}
