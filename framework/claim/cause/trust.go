package cause

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// trusting is a root with the clusters whose proxies trust it, and the first of these proxies.
type trusting struct {
	root     string
	clusters []string
	proxy    evidence.Proxy
}

// differentRoots compares what the proxies trust: it is what decides whether they can speak to each other.
func differentRoots(s sight) (string, []string) {
	var all []trusting
	for _, c := range s.all() {
		if s.cluster(c.Name) == nil {
			continue
		}
		for _, p := range s.cluster(c.Name).Proxies {
			at := slices.IndexFunc(all, func(t trusting) bool { return t.root == p.RootSHA256 })
			switch {
			case p.RootSHA256 == "":
			case at < 0:
				all = append(all, trusting{p.RootSHA256, []string{c.Name}, p})
			case !slices.Contains(all[at].clusters, c.Name):
				all[at].clusters = append(all[at].clusters, c.Name)
			}
		}
	}
	if len(all) < 2 {
		return "", nil
	}
	one, other := all[0], all[1]
	return fmt.Sprintf("pod %s on cluster %s trusts the root %.16s and pod %s on cluster %s the root %.16s, so neither takes the other's certificates%s",
			one.proxy.Pod, one.clusters[0], one.root, other.proxy.Pod, other.clusters[0], other.root, odd(all)),
		[]string{one.proxy.File(s.epoch, one.clusters[0]), other.proxy.File(s.epoch, other.clusters[0])}
}

// odd names the one cluster of three or more that trusts another root than all others, or nothing.
func odd(all []trusting) string {
	if len(all) != 2 {
		return ""
	}
	slices.SortFunc(all, func(a, b trusting) int { return len(a.clusters) - len(b.clusters) })
	few, many := all[0].clusters, all[1].clusters
	if len(few) != 1 || len(many) < 2 || slices.Contains(many, few[0]) {
		return ""
	}
	return fmt.Sprintf("; %s trust the same root, and %s alone another", strings.Join(many, " and "), few[0])
}

// invalidCertificate compares the certificates' validity with the time at which they were looked at.
func invalidCertificate(s sight) (string, []string) {
	for _, c := range s.near() {
		if s.cluster(c.Name) == nil {
			continue
		}
		for _, p := range s.cluster(c.Name).Proxies {
			certs, err := p.Certificates()
			if err != nil {
				continue // the claim itself says so
			}
			if why := seen.Invalid(p, certs); why != "" {
				return fmt.Sprintf("on cluster %s, for the proxy of pod %s, %s", c.Name, p.Pod, why), []string{p.File(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}
