package html

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
)

// times is the run on one time line: a lane for the whole mesh and one for each cluster.
type times struct {
	Total  string
	Lanes  []lane
	Ticks  []tick
	Waits  []wait
	Steps  []step
	Failed []step
	// Legend names the classes of blocks that are there.
	Legend map[string]string
}

// lane holds the blocks of one cluster; H is its height in pixels, for blocks that overlap lie below each other.
type lane struct {
	Name   string
	H      int
	Blocks []block
}

type block struct {
	X, W     string
	Y        int
	Class    string
	Tip      string
	from, to float64
}

type tick struct{ X, Label, Anchor string }

// wait is how long something took to converge, a cell for each time that it was waited for.
type wait struct {
	Title string
	Cells []waitCell
}

type waitCell struct {
	Where, Took string
	Failed      bool
}

// step is one step with its place on the time line.
type step struct {
	ID, Cluster, Title, Took, At string
	X, W, Class                  string
	Error                        clipped
	Command, Output              string
	Changed                      bool
}

const (
	blockHeight = 14
	// leastWidth is the part of the time line that the shortest step still takes, to be seen.
	leastWidth = 0.003
)

func timesOf(run evidence.Run) times {
	began, total := evidence.Span(run.Steps)
	if began.IsZero() || total <= 0 {
		return times{}
	}
	steps := slices.Clone(run.Steps)
	slices.SortStableFunc(steps, func(a, b evidence.Step) int { return a.Started.Compare(b.Started) })
	t := times{Total: seconds(total), Ticks: ticks(total)}
	lanes := []lane{{Name: "mesh"}}
	for _, c := range run.Intent.Clusters {
		lanes = append(lanes, lane{Name: c.Name})
	}
	for _, s := range steps {
		view := stepOf(s, began, total)
		t.Steps = append(t.Steps, view)
		if s.Error != "" {
			t.Failed = append(t.Failed, view)
		}
		at := max(slices.IndexFunc(lanes, func(l lane) bool { return l.Name == s.Cluster }), 0)
		lanes[at].add(s, began, total)
	}
	for _, l := range lanes {
		if len(l.Blocks) > 0 {
			t.Lanes = append(t.Lanes, l)
		}
	}
	t.Waits, t.Legend = waits(steps), legend(t.Steps)
	return t
}

func stepOf(s evidence.Step, began time.Time, total float64) step {
	at := s.Started.Sub(began).Seconds()
	v := step{
		ID: s.ID, Cluster: s.Cluster, Title: s.Title, Took: seconds(s.Seconds), At: seconds(at), X: percent(at, total),
		W: percent(max(s.Seconds, total*leastWidth), total), Class: classOf(s), Error: clip(s.Error, inPlace), Command: s.Command, Changed: len(s.Deviations) > 0,
	}
	if s.Skipped != "" {
		v.Title += " (not performed: " + s.Skipped + ")"
	}
	if s.Error != "" {
		v.Output = strings.TrimSpace(s.Stdout + "\n" + s.Stderr)
	}
	return v
}

// classOf tells the guide's steps from those before them, from waits and from looks at the mesh.
func classOf(s evidence.Step) string {
	switch {
	case s.Error != "":
		return "broken"
	case isWait(s.ID):
		return "wait"
	case strings.HasPrefix(s.ID, "S"):
		return "guide"
	case strings.HasPrefix(s.ID, "V"):
		return "look"
	}
	return "before"
}

func legend(steps []step) map[string]string {
	names := map[string]string{"before": "before the guide", "guide": "step of the guide", "wait": "waiting", "look": "measuring", "broken": "did not succeed"}
	there := map[string]string{}
	for _, s := range steps {
		there[s.Class] = names[s.Class]
	}
	return there
}

func isWait(id string) bool {
	return strings.HasSuffix(id, ".wait") || id == "V.joined" || id == "V.removed"
}

// add puts a step into the first row of the lane that is free when it begins.
func (l *lane) add(s evidence.Step, began time.Time, total float64) {
	from := s.Started.Sub(began).Seconds()
	b := block{
		X: percent(from, total), W: percent(max(s.Seconds, total*leastWidth), total), Class: classOf(s), from: from, to: from + s.Seconds,
		Tip: s.ID + " " + s.Title + ": " + seconds(s.Seconds),
	}
	for slices.ContainsFunc(l.Blocks, func(o block) bool { return o.Y == b.Y && o.from < b.to && b.from < o.to }) {
		b.Y += blockHeight + 2
	}
	l.Blocks = append(l.Blocks, b)
	l.H = max(l.H, b.Y+blockHeight)
}

// ticks are at most six round times.
func ticks(total float64) []tick {
	every := 600 * math.Max(1, math.Ceil(total/6/600))
	for _, e := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300} {
		if total/e <= 6 {
			every = e
			break
		}
	}
	var all []tick
	for at := 0.0; at <= total; at += every {
		anchor := "middle"
		switch {
		case at == 0:
			anchor = "start"
		case at > 0.95*total:
			anchor = "end"
		}
		all = append(all, tick{X: percent(at, total), Label: clock(at), Anchor: anchor})
	}
	return all
}

// clock gives minutes and seconds: "1:30".
func clock(s float64) string {
	whole := int(s)
	rest := strconv.Itoa(whole % 60)
	if len(rest) == 1 {
		rest = "0" + rest
	}
	return strconv.Itoa(whole/60) + ":" + rest
}

// waits collects what was waited for, by what it was, the longest first.
func waits(steps []evidence.Step) []wait {
	type group struct {
		wait
		longest float64
	}
	var all []group
	for _, s := range steps {
		if !isWait(s.ID) {
			continue
		}
		title := strings.TrimPrefix(s.Title, "wait until ")
		at := slices.IndexFunc(all, func(g group) bool { return g.Title == title })
		if at < 0 {
			at = len(all)
			all = append(all, group{wait: wait{Title: title}})
		}
		where := s.Cluster
		if where == "" {
			where = "mesh"
		}
		all[at].Cells = append(all[at].Cells, waitCell{Where: where, Took: seconds(s.Seconds), Failed: s.Error != ""})
		all[at].longest = max(all[at].longest, s.Seconds)
	}
	slices.SortStableFunc(all, func(a, b group) int { return cmp.Compare(b.longest, a.longest) })
	var plain []wait
	for _, g := range all {
		slices.SortStableFunc(g.Cells, func(a, b waitCell) int { return cmp.Compare(a.Where, b.Where) })
		plain = append(plain, g.wait)
	}
	return plain
}
