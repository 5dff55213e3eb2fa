package cause

import (
	"fmt"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// differentRoots compares what the proxies trust: it is what decides whether they can speak to each other.
func differentRoots(s sight) (string, []string) {
	var first evidence.Proxy
	of := ""
	for _, c := range s.all() {
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
