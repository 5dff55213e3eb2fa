package html

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// proxyContainer is the container of a proxy, in workloads and gateways alike.
const proxyContainer = "istio-proxy"

// state is what was seen of a part of the mesh. It is no verdict: claims judge.
type state string

const (
	works   state = "works"
	partly  state = "partly"
	broken  state = "broken"
	unknown state = "unknown"
)

func (s state) words() string {
	return map[state]string{works: "works", partly: "works in part", broken: "does not work", unknown: "not seen"}[s]
}

// way is the way of calls from one cluster's sleep to another cluster's helloworld, or to its own.
type way struct {
	From, To string
	State    state
	Words    string
	// Calls of Of were answered there; Failed attempts ended in a connection failure or an error. -1 is not known.
	Calls, Of int
	Failed    int64
	Answered  string
	Attempts  string
	// Dial says what the probe pod's connections came to, Known what the calling Envoy holds of that cluster.
	Dial, Known string
	// Bypass tells that the Envoy holds addresses that are none of the gateway's: calls go round it.
	Bypass bool
	Local  bool
}

// ways gives every way, those of one caller together, its own first.
func ways(run evidence.Run) []way {
	var all []way
	for _, from := range run.Intent.Clusters {
		if run.Cluster(evidence.Joined, from.Name) == nil {
			continue
		}
		all = append(all, wayOf(run, from, from))
		for _, to := range run.Intent.Peers(from.Name) {
			all = append(all, wayOf(run, from, to))
		}
	}
	return all
}

// fromRow are the ways of one caller, in the order of the clusters.
type fromRow struct {
	From string
	To   []way
}

// pairs lays the ways out as a matrix, callers down and who answers across. Of two clusters there is none: the list has it all.
func pairs(run evidence.Run) []fromRow {
	if len(run.Intent.Clusters) <= 2 {
		return nil
	}
	var all []fromRow
	for _, from := range run.Intent.Clusters {
		r := fromRow{From: from.Name}
		for _, to := range run.Intent.Clusters {
			w := way{From: from.Name, To: to.Name, State: unknown, Words: unknown.words(), Answered: "not measured"}
			if run.Cluster(evidence.Joined, from.Name) != nil {
				w = wayOf(run, from, to)
			}
			r.To = append(r.To, w)
		}
		all = append(all, r)
	}
	return all
}

func wayOf(run evidence.Run, from, to intent.Cluster) way {
	c := run.Cluster(evidence.Joined, from.Name)
	w := way{From: from.Name, To: to.Name, Local: from.Name == to.Name, Calls: -1, Failed: -1, State: unknown}
	held, known := heldBy(c, run.Intent.Namespace(), from, to)
	w.Known = known
	if addresses, err := c.GatewayIPs(to, objects(run.Cluster(evidence.Joined, to.Name)).GatewayAddresses()); err == nil && !w.Local {
		w.Bypass = slices.ContainsFunc(held, func(h string) bool { return !slices.Contains(atGateway(addresses), h) })
	}
	var connected bool
	w.Dial, connected = dialled(c, to.Name)
	if t, there := c.TrafficFor(evidence.Split); there {
		w.count(t, to, held)
	}
	switch {
	case w.Calls == 0 || w.Calls < 0 && !connected:
		w.State = broken
	case w.Calls > 0 && (w.Failed > 0 || !connected):
		w.State = partly
	case w.Calls > 0:
		w.State = works
	}
	w.Words = w.State.words()
	w.Answered, w.Attempts = "not measured", "not measured"
	if w.Calls >= 0 {
		w.Answered = fmt.Sprintf("%d of %d calls", w.Calls, w.Of)
	}
	if w.Failed >= 0 {
		w.Attempts = strconv.FormatInt(w.Failed, 10)
	}
	return w
}

// count takes the calls that were answered there, and the attempts that failed on the way there.
func (w *way) count(t evidence.Traffic, to intent.Cluster, held []string) {
	if len(t.Replies) == 0 {
		return
	}
	w.Calls, w.Of = 0, t.Asked
	for _, r := range t.Replies {
		if r.Version == to.Version && r.Exit == 0 {
			w.Calls++
		}
	}
	for _, h := range hostCounts(t) {
		if h.Role == evidence.RoleSleep && slices.Contains(held, h.Host) {
			w.Failed = max(w.Failed, 0) + max(h.Errors, h.Fails)
		}
	}
}

// heldBy gives the endpoints of a cluster's helloworld that the calling sleep's Envoy holds, and says so in words; sample
// is the namespace of both.
func heldBy(c *evidence.Cluster, sample string, from, of intent.Cluster) (held []string, words string) {
	read := false
	var unhealthy int
	for _, p := range c.Proxy(evidence.RoleSleep) {
		all, err := p.Endpoints(evidence.OutboundCluster(sample))
		if err != nil {
			continue
		}
		read = true
		for _, e := range all {
			name := net.JoinHostPort(e.Address, strconv.FormatUint(uint64(e.Port), 10))
			ours := e.ClusterID == of.ID || from.Name != of.Name && of.RemoteName != "" && e.ClusterID == of.RemoteName
			if !ours || slices.Contains(held, name) {
				continue
			}
			held = append(held, name)
			if e.Health != "HEALTHY" {
				unhealthy++
			}
		}
	}
	switch {
	case !read:
		return nil, "not read"
	case len(held) == 0:
		return nil, "none"
	case unhealthy > 0:
		return held, fmt.Sprintf("%s (%d unhealthy)", strings.Join(held, ", "), unhealthy)
	}
	return held, strings.Join(held, ", ")
}

// dialled says what became of the connections from a cluster's probe pod to another one's gateway; true when none failed.
func dialled(c *evidence.Cluster, to string) (string, bool) {
	var words []string
	all := true
	for _, d := range c.Dials {
		switch {
		case d.To != to:
		case d.Connected:
			words = append(words, d.Address+" in "+seconds(d.Seconds))
		default:
			all = false
			words = append(words, d.Address+" failed: "+d.Error)
		}
	}
	if len(words) == 0 {
		return "", true
	}
	return strings.Join(words, "; "), all
}
