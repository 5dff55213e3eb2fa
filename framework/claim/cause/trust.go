package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// trusting are the clusters whose proxies all trust one root, and the file that shows it of the first.
type trusting struct {
	root, file string
	clusters   []string
}

// differentRoots names the clusters when the proxies of each trust one root, the fewest first: they are the odd ones, where that can
// be told. Else it names two pods.
func differentRoots(s sight) (string, []string) {
	var groups []trusting
	for _, c := range s.ordered() {
		if s.cluster(c.Name) == nil {
			continue
		}
		proxies := slices.DeleteFunc(slices.Clone(s.cluster(c.Name).Proxies), func(p evidence.Proxy) bool { return p.RootSHA256 == "" })
		if len(proxies) == 0 {
			continue
		}
		if slices.ContainsFunc(proxies, func(p evidence.Proxy) bool { return p.RootSHA256 != proxies[0].RootSHA256 }) {
			return differentPods(s)
		}
		at := slices.IndexFunc(groups, func(g trusting) bool { return g.root == proxies[0].RootSHA256 })
		if at < 0 {
			at = len(groups)
			groups = append(groups, trusting{root: proxies[0].RootSHA256, file: proxies[0].File(s.epoch, c.Name)})
		}
		groups[at].clusters = append(groups[at].clusters, c.Name)
	}
	if len(groups) < 2 {
		return "", nil
	}
	slices.SortStableFunc(groups, func(a, b trusting) int { return cmp.Compare(len(a.clusters), len(b.clusters)) })
	var words, files []string
	for _, g := range groups {
		words = append(words, fmt.Sprintf("those of %s the root %.16s", strings.Join(g.clusters, " and "), g.root))
		files = append(files, g.file)
	}
	words[0] = fmt.Sprintf("the proxies of %s trust the root %.16s", strings.Join(groups[0].clusters, " and "), groups[0].root)
	return strings.Join(words, ", ") + ", so they do not take each other's certificates", files
}

func differentPods(s sight) (string, []string) {
	var first evidence.Proxy
	of := ""
	for _, c := range s.ordered() {
		if s.cluster(c.Name) == nil {
			continue
		}
		for _, p := range s.cluster(c.Name).Proxies {
			switch {
			case p.RootSHA256 == "":
			case of == "":
				first, of = p, c.Name
			case p.RootSHA256 != first.RootSHA256:
				return fmt.Sprintf("pod %s on cluster %s trusts the root %.16s and pod %s on cluster %s the root %.16s, so neither takes the other's certificates",
						first.Pod, of, first.RootSHA256, p.Pod, c.Name, p.RootSHA256),
					[]string{first.File(s.epoch, of), p.File(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
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
