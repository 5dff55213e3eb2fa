package html

import (
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// meshMap is the drawing of two clusters and the ways between them, once for wide places and once for narrow ones.
type meshMap struct {
	Title    string
	Drawings []drawing
}

// drawing is one SVG; lengths are its own units, which are pixels at its natural size.
type drawing struct {
	Class, Alt string
	W, H       int
	Boxes      []box
	Nodes      []node
	Lines      []line
	Labels     []label
}

type box struct {
	X, Y, W, H     int
	TitleX, TitleY int
	Title, Network string
}

type node struct {
	X, Y, W, H int
	Title      string
	Lines      []label
	State      state
}

// line is an edge with its arrow head and, where it does not work, a cross in its middle.
type line struct {
	Path, Head, Cross string
	State             state
}

type label struct {
	X, Y   int
	Text   string
	Anchor string
	State  state
}

// meshMaps draws every pair of clusters of which something was seen.
func meshMaps(run evidence.Run) []meshMap {
	var all []meshMap
	in := run.Intent.Clusters
	for i := range in {
		for _, b := range in[i+1:] {
			pair := [2]intent.Cluster{in[i], b}
			if run.Cluster(evidence.Joined, pair[0].Name) == nil && run.Cluster(evidence.Joined, b.Name) == nil {
				continue
			}
			m := meshMap{Title: pair[0].Name + " and " + b.Name}
			for _, l := range []layout{wide(), tall()} {
				m.Drawings = append(m.Drawings, draw(run, pair, l))
			}
			all = append(all, m)
		}
	}
	return all
}

func draw(run evidence.Run, pair [2]intent.Cluster, l layout) drawing {
	d := drawing{Class: l.class, W: l.w, H: l.h, Alt: alt(run, pair)}
	for side, in := range pair {
		peer := pair[1-side]
		at := l.sides[side]
		d.Boxes = append(d.Boxes, box{X: at.box[0], Y: at.box[1], W: at.box[2], H: at.box[3],
			TitleX: at.title[0], TitleY: at.title[1], Title: in.Name, Network: in.Network})
		c := run.Cluster(evidence.Joined, in.Name)
		for i, n := range nodesOf(c, run.Intent.Namespace(), in) {
			d.Nodes = append(d.Nodes, l.place(n, at.nodes[i]))
		}
		cross, local := way{State: unknown}, way{State: unknown}
		if c != nil {
			cross, local = wayOf(run, in, peer), wayOf(run, in, in)
		}
		if cross.Bypass {
			d.Lines = append(d.Lines, lineOf(at.bypass, cross.State))
		} else {
			d.Lines = append(d.Lines, lineOf(at.cross, cross.State), lineOf(at.onward, onward(cross.State)))
		}
		d.Lines = append(d.Lines, lineOf(at.local, local.State))
		d.Labels = append(d.Labels, at.say(crossWords(cross), cross.State)...)
		if local.Calls >= 0 {
			d.Labels = append(d.Labels, label{at.localLabel[0], at.localLabel[1], local.Answered, "middle", local.State})
		}
	}
	return d
}

// onward is the state of the edge behind the gateway: when nothing came through, nothing is known of it.
func onward(cross state) state {
	if cross == broken {
		return unknown
	}
	return cross
}

// crossWords are the lines beside the edge from one cluster to the other.
func crossWords(w way) []string {
	words := []string{w.Answered}
	if w.Calls < 0 {
		words = []string{"not measured"}
	}
	if w.Failed > 0 {
		words = append(words, fmt.Sprintf("%d attempts failed", w.Failed))
	}
	switch {
	case w.Dial == "":
	case strings.Contains(w.Dial, " failed: "):
		words = append(words, "no TCP connection")
	default:
		words = append(words, "TCP connects")
	}
	switch {
	case w.Known == "none":
		words = append(words, "endpoint unknown")
	case w.Bypass:
		words = append(words, "round the gateway")
	}
	return words
}

// nodesOf gives sleep, gateway and helloworld of one cluster; sample is the namespace of the first and the last.
func nodesOf(c *evidence.Cluster, sample string, in intent.Cluster) [3]node {
	sleep := podNode(c, "sleep", "app", "sleep", sample)
	app := podNode(c, strings.TrimSpace("helloworld "+in.Version), "app", "helloworld", sample)
	gateway := podNode(c, "east-west gateway", evidence.GatewayLabel, evidence.GatewayValue, evidence.IstioNamespace)
	if gateway.State != unknown {
		addresses := atGateway(objects(c).GatewayAddresses())
		where := "no address"
		switch {
		case len(addresses) > 1:
			where = fmt.Sprintf("%s +%d", addresses[0], len(addresses)-1)
		case len(addresses) == 1:
			where = addresses[0]
		default:
			gateway.State = broken
		}
		gateway.Lines = []label{gateway.Lines[0], {Text: fit(where)}}
	}
	return [3]node{sleep, gateway, app}
}

func podNode(c *evidence.Cluster, title, key, value, namespace string) node {
	n := node{Title: title, State: unknown, Lines: []label{{Text: "not seen"}}}
	if c == nil || c.Kubernetes == nil {
		return n
	}
	pods, ready, address := 0, 0, ""
	for _, p := range c.Kubernetes.Pods {
		if p.Namespace != namespace || p.Labels[key] != value || p.Terminating {
			continue
		}
		pods++
		address = p.IP
		whole := len(p.Containers) > 0
		for _, c := range p.Containers {
			whole = whole && c.Ready
		}
		if whole {
			ready++
		}
	}
	n.State = works
	if pods == 0 || ready < pods {
		n.State = broken
	}
	n.Lines = []label{{Text: fmt.Sprintf("%d of %s ready", ready, plural(pods, "pod"))}}
	if pods == 1 && address != "" {
		n.Lines = append(n.Lines, label{Text: fit(address)})
	}
	return n
}

// fit cuts an address to the width of a node; the table of the ways has it whole.
func fit(s string) string {
	const most = 22
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// alt is the drawing in words; the table below it has the details.
func alt(run evidence.Run, pair [2]intent.Cluster) string {
	words := []string{fmt.Sprintf("Drawing of clusters %s (%s) and %s (%s).", pair[0].Name, pair[0].Network, pair[1].Name, pair[1].Network)}
	for side, in := range pair {
		if run.Cluster(evidence.Joined, in.Name) == nil {
			words = append(words, fmt.Sprintf("Nothing was seen of %s.", in.Name))
			continue
		}
		w := wayOf(run, in, pair[1-side])
		words = append(words, fmt.Sprintf("The way from %s to %s %s: %s.", w.From, w.To, w.Words, strings.Join(crossWords(w), ", ")))
	}
	return strings.Join(words, " ")
}
