package html

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// row is one attribute of every cluster. Odd says so when the clusters are not alike in something in which a mesh's clusters
// usually are, and which of them are the odd ones where most of them agree; or when they share what each usually has for itself.
type row struct {
	Name  string
	Cells []cell
	Odd   string
	// Same says so when every cluster has the same value: it is shown once.
	Same string
}

// cell is one cluster's value: Text as shown, Full when that is longer. Off tells that it is one of those that make its row odd.
type cell struct {
	Text, Full string
	Mono, Off  bool
}

// value is the whole of it.
func (c cell) value() string {
	if c.Full != "" {
		return c.Full
	}
	return c.Text
}

// attribute is how one row is read, and what clusters of one mesh have to do with each other in it.
type attribute struct {
	name string
	tie  tie
	read func(intent.Cluster, *evidence.Cluster) cell
}

type tie int

const (
	own   tie = iota // each has one for itself
	alike            // they share it
	free             // either is as good
)

func plain(read func(intent.Cluster, *evidence.Cluster) string) func(intent.Cluster, *evidence.Cluster) cell {
	return func(in intent.Cluster, c *evidence.Cluster) cell { return cell{Text: read(in, c)} }
}

func mono(read func(intent.Cluster, *evidence.Cluster) string) func(intent.Cluster, *evidence.Cluster) cell {
	return func(in intent.Cluster, c *evidence.Cluster) cell { return cell{Text: read(in, c), Mono: true} }
}

func attributes(run intent.Intent) []attribute {
	return []attribute{
		{"Kubernetes", free, plain(func(_ intent.Cluster, c *evidence.Cluster) string { return objects(c).Version })},
		{"istiod", alike, plain(func(_ intent.Cluster, c *evidence.Cluster) string { return istiods(c) })},
		{"Proxy image", alike, mono(func(_ intent.Cluster, c *evidence.Cluster) string { return proxyImages(objects(c).Pods) })},
		{"Trust domain", alike, plain(func(_ intent.Cluster, c *evidence.Cluster) string { return trustDomains(c) })},
		{"Root (SHA-256)", alike, func(_ intent.Cluster, c *evidence.Cluster) cell { return rootOf(run, c) }},
		{"Network", own, plain(func(in intent.Cluster, _ *evidence.Cluster) string { return in.Network })},
		{"Gateway", own, mono(func(_ intent.Cluster, c *evidence.Cluster) string {
			return strings.Join(atGateway(objects(c).GatewayAddresses()), ", ")
		})},
		{"Cluster ID", own, mono(func(in intent.Cluster, _ *evidence.Cluster) string { return in.ID })},
		{"API server", own, mono(func(_ intent.Cluster, c *evidence.Cluster) string {
			return strings.TrimPrefix(objects(c).Server, "https://")
		})},
	}
}

// fingerprints says what each cluster was, an attribute a row, first the odd ones. Rows of
// which nothing is known are left out.
func fingerprints(run evidence.Run) []row {
	var all []row
	for _, a := range attributes(run.Intent) {
		r := row{Name: a.name}
		for _, in := range run.Intent.Clusters {
			r.Cells = append(r.Cells, a.read(in, run.Cluster(evidence.Joined, in.Name)))
		}
		r.Same = same(r.Cells)
		r.compare(run.Intent.Clusters, a.tie)
		if slices.ContainsFunc(r.Cells, func(c cell) bool { return c.value() != "" }) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Compare(min(len(b.Odd), 1), min(len(a.Odd), 1)) })
	return all
}

// compare marks the cells that make a row odd. Of what is alike elsewhere they are those of the odd clusters where more than half
// have one value, else all of them. What was not seen is not odd.
func (r *row) compare(clusters []intent.Cluster, t tie) {
	if t == free {
		return
	}
	count := map[string]int{}
	seen, most := 0, ""
	for _, c := range r.Cells {
		if v := c.value(); v != "" {
			seen++
			if count[v]++; count[v] > count[most] {
				most = v
			}
		}
	}
	var odd []string
	for i, c := range r.Cells {
		v := c.value()
		off := count[v] > 1
		if t == alike {
			off = len(count) > 1 && (v != most || count[most]*2 <= seen)
		}
		if v != "" && off {
			r.Cells[i].Off = true
			odd = append(odd, clusters[i].Name)
		}
	}
	switch {
	case len(odd) == 0:
	case t == own:
		r.Odd, r.Same = "shared", "" // shown in each of them
	case len(odd) == seen:
		r.Odd = "differs"
	default:
		r.Odd = strings.Join(odd, ", ") + " differs"
	}
}

// same says on which clusters a row has one value; "" when it has several, or there is only one cluster.
func same(cells []cell) string {
	if slices.ContainsFunc(cells, func(c cell) bool { return c != cells[0] }) {
		return ""
	}
	switch len(cells) {
	case 0, 1:
		return ""
	case 2:
		return "on both"
	}
	return fmt.Sprintf("on all %d", len(cells))
}

// inFull gives the values that their cells have cut short.
func inFull(rows []row, columns []string) []fact {
	var all []fact
	for _, r := range rows {
		for i, c := range r.Cells {
			switch {
			case c.Full == "" || c.Full == c.Text:
			case r.Same == "":
				all = append(all, fact{r.Name + ", " + columns[i], c.Full})
			case i == 0:
				all = append(all, fact{r.Name + " " + r.Same, c.Full})
			}
		}
	}
	return all
}

// objects gives the API objects of a cluster; empty ones when they were not seen.
func objects(c *evidence.Cluster) *evidence.Kubernetes {
	if c == nil || c.Kubernetes == nil {
		return &evidence.Kubernetes{}
	}
	return c.Kubernetes
}

// rootOf is the root that a cluster's mesh trusts, and how many of its proxies trust another one.
func rootOf(in intent.Intent, c *evidence.Cluster) cell {
	digest := c.Root(in)
	found := cell{Text: short(digest), Full: digest, Mono: true}
	others := 0
	if c != nil {
		for _, p := range c.Proxies {
			if p.RootSHA256 != "" && p.RootSHA256 != digest {
				others++
			}
		}
	}
	if others > 0 {
		found.Text = strings.TrimSpace(fmt.Sprintf("%s (%d of its proxies trust another)", found.Text, others))
	}
	return found
}

func istiods(c *evidence.Cluster) string {
	var all []string
	if c != nil {
		for _, i := range c.Istiods {
			all = append(all, strings.TrimSpace(i.Revision+" "+i.Version))
		}
	}
	return distinct(all)
}

func trustDomains(c *evidence.Cluster) string {
	var all []string
	if c != nil {
		for _, i := range c.Istiods {
			if m, err := i.Mesh(); err == nil {
				all = append(all, m.TrustDomain)
			}
		}
	}
	return distinct(all)
}

func proxyImages(pods []evidence.Pod) string {
	var all []string
	for _, p := range pods {
		for _, c := range p.Containers {
			if c.Name == proxyContainer {
				all = append(all, c.Image)
			}
		}
	}
	return distinct(all)
}

// atGateway gives where the gateway takes the other clusters' calls: "172.18.251.1:15443".
func atGateway(addresses []string) []string {
	var all []string
	for _, a := range addresses {
		all = append(all, net.JoinHostPort(a, strconv.Itoa(evidence.GatewayPort)))
	}
	return all
}

func distinct(all []string) string {
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}
