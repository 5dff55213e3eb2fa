package html

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// splitClaim is the claim whose findings have the band and the interval.
const splitClaim = "split-balanced"

// splitView is one direction's split as a bar from 0 to all counted calls.
type splitView struct {
	Subject string
	Mark    mark
	Parts   []part
	// N is how many calls were counted; 0 when none were, and then there is no bar.
	N int
	// Band is the range of counts that passes; Expected and the ends of Interval are places on the bar.
	HasBand                        bool
	BandX, BandW, BandLo, BandHi   string
	Lo, Hi                         int
	Expected, From, To, Wide, Here string
	HasInterval                    bool
	ExpectedLabel                  *wordAt
	Sentence                       string
	// Facts are about this direction, Test about the test that judged it.
	Facts, Test []fact
	Alt         string
}

// wordAt is where a word about the bar stands.
type wordAt struct {
	X, Anchor string
	Y         int
}

// expectedAt gives the place of the word for the expected share: below its line, or where the bar's own 0 and N stand in the way on
// a narrow page, above that end.
func expectedAt(share float64) *wordAt {
	const below, above = 90, 14
	switch {
	case share < 0.3:
		return &wordAt{"0", "start", above}
	case share > 0.7:
		return &wordAt{"100%", "end", above}
	}
	return &wordAt{percent(share, 1), "middle", below}
}

// part is one version's share of the bar.
type part struct {
	Label, X, W string
	Class       string
	Share       string
	N           int
}

// measured are the numbers of a split-balanced finding. They are read through JSON, so that findings which come from a
// file read the same as ones that were just judged.
type measured struct {
	Replies       map[string]int `json:"replies"`
	Band          []int          `json:"band"`
	Interval      []float64      `json:"interval95"`
	Expected      *float64       `json:"expectedShare"`
	Share         *float64       `json:"share"`
	PValue        *float64       `json:"pValue"`
	Alpha         *float64       `json:"alpha"`
	FalseFailRate *float64       `json:"falseFailRate"`
	CaughtBelow   *float64       `json:"caughtBelow"`
	CaughtAbove   *float64       `json:"caughtAbove"`
	Miss          *float64       `json:"missOf20PointsOff"`
	Model         string         `json:"model"`
}

func splits(p Page) []splitView {
	var all []splitView
	at := 0
	for _, f := range p.Findings {
		if f.Claim != splitClaim {
			continue
		}
		var from intent.Cluster
		if at < len(p.Run.Intent.Clusters) {
			from = p.Run.Intent.Clusters[at] // one finding a caller, in the order of the clusters
		}
		at++
		all = append(all, splitOf(p.Run, f, from))
	}
	if !slices.ContainsFunc(all, func(s splitView) bool { return s.N > 0 }) {
		return nil // there is nothing to draw, and the claim says why
	}
	return all
}

func splitOf(run evidence.Run, f claim.Finding, from intent.Cluster) splitView {
	s := splitView{Subject: f.Subject, Mark: markOf(f.Verdict), Sentence: sentence(f.Reason)}
	var m measured
	if body, err := json.Marshal(f.Measured); err != nil || json.Unmarshal(body, &m) != nil {
		return s
	}
	s.parts(run, m.Replies, from)
	if s.N == 0 {
		return s
	}
	own := m.Replies[from.Version]
	s.Here = percent(own, s.N)
	if len(m.Band) == 2 {
		s.HasBand, s.Lo, s.Hi = true, m.Band[0], m.Band[1]
		s.BandX, s.BandW = percent(s.Lo, s.N), percent(s.Hi-s.Lo, s.N)
		s.BandLo, s.BandHi = percent(s.Lo, s.N), percent(s.Hi, s.N)
	}
	if m.Expected != nil {
		s.Expected, s.ExpectedLabel = percent(*m.Expected, 1), expectedAt(*m.Expected)
	}
	if len(m.Interval) == 2 {
		s.HasInterval = true
		s.From, s.To, s.Wide = percent(m.Interval[0], 1), percent(m.Interval[1], 1), percent(m.Interval[1]-m.Interval[0], 1)
	}
	s.tell(m)
	s.Alt = fmt.Sprintf("Bar of %d calls from %s: %s.", s.N, from.Name, tally(m.Replies))
	if s.HasBand {
		s.Alt += fmt.Sprintf(" Between %d and %d of its own version pass.", s.Lo, s.Hi)
	}
	return s
}

// parts lays the versions side by side, the caller's own first.
func (s *splitView) parts(run evidence.Run, replies map[string]int, from intent.Cluster) {
	for _, n := range replies {
		s.N += n
	}
	at := 0
	add := func(version, where, class string) {
		n := replies[version]
		s.Parts = append(s.Parts, part{Label: version + where, Class: class, N: n, X: percent(at, s.N), W: percent(n, s.N), Share: share(float64(n) / float64(max(s.N, 1)))})
		at += n
	}
	var known []string
	for i, c := range append([]intent.Cluster{from}, run.Intent.Peers(from.Name)...) {
		if c.Version == "" || slices.Contains(known, c.Version) {
			continue
		}
		known = append(known, c.Version)
		// A version has one colour in every direction.
		place := slices.IndexFunc(run.Intent.Clusters, func(o intent.Cluster) bool { return o.Name == c.Name })
		class, where := "v"+strconv.Itoa(min(place, 2)), " on "+c.Name
		if i == 0 {
			where = " here on " + c.Name
		}
		add(c.Version, where, class)
	}
	var others []string
	for version := range replies {
		if !slices.Contains(known, version) {
			others = append(others, version)
		}
	}
	slices.Sort(others)
	for _, version := range others {
		add(version, "", "v2")
	}
}

// number gives three significant digits.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }

func (s *splitView) tell(m measured) {
	add := func(to *[]fact, name, value string) { *to = append(*to, fact{name, value}) }
	if m.Share != nil && m.Expected != nil {
		add(&s.Facts, "Own share", share(*m.Share)+", expected "+share(*m.Expected)+" from the live weights")
	}
	if s.HasInterval {
		add(&s.Facts, "95 % interval (exact)", share(m.Interval[0])+" to "+share(m.Interval[1]))
	}
	if s.HasBand {
		add(&s.Facts, "Band that passes", fmt.Sprintf("%d to %d own replies", s.Lo, s.Hi))
	}
	if m.PValue != nil {
		add(&s.Facts, "p value", number(*m.PValue))
	}
	if m.Alpha != nil && m.FalseFailRate != nil {
		add(&s.Test, "A conforming mesh fails it", "with probability "+number(*m.FalseFailRate)+" (declared: at most "+number(*m.Alpha)+")")
	}
	if m.CaughtBelow != nil && m.CaughtAbove != nil {
		add(&s.Test, "It misses at most once in a million", "a true share below "+share(*m.CaughtBelow)+" or above "+share(*m.CaughtAbove))
	}
	if m.Miss != nil {
		add(&s.Test, "It misses a share 20 points off", "with probability "+number(*m.Miss))
	}
	if m.Model != "" {
		add(&s.Test, "Model", m.Model)
	}
}
