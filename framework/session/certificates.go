package session

import (
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/authority"
)

// istioProtocol is the ALPN by which sidecars ask a gateway to pass them on (Istio: pilot/pkg/networking/util, ALPNInMesh).
const istioProtocol = "istio"

// makeAttempts prepares how the gateways are asked. On clusters that the run made it can sign certificates as the mesh does,
// each with the authority of the cluster that asks; on given ones it can only ask without.
func (s *Session) makeAttempts() error {
	namespace := s.intent.Namespace()
	base := collect.Attempt{SNI: evidence.SNICluster(namespace), ALPN: []string{istioProtocol}, Host: evidence.HelloworldAuthority(namespace), Path: "/hello"}
	s.intent = asking(s.intent)
	s.attempts = map[string][]collect.Attempt{}
	for _, c := range s.set {
		s.attempts[c.Name] = uncertified(base, namespace)
		if !s.intent.Certificates {
			continue
		}
		certified, err := s.certified(base, c.Name)
		if err != nil {
			return err
		}
		s.attempts[c.Name] = append(s.attempts[c.Name], certified...)
	}
	return nil
}

// uncertified are the attempts without a certificate.
func uncertified(base collect.Attempt, namespace string) []collect.Attempt {
	as := func(name string, change func(*collect.Attempt)) collect.Attempt {
		a := base
		a.As = name
		change(&a)
		return a
	}
	return []collect.Attempt{
		as(evidence.AsPlain, func(a *collect.Attempt) { a.Plain = true }),
		as(evidence.AsNobody, func(a *collect.Attempt) { a.SNI = "" }),
		as(evidence.AsUnknownName, func(a *collect.Attempt) {
			a.SNI = "outbound_.5000_._.nosuch." + evidence.HelloworldHost(namespace)[len("helloworld."):]
		}),
		as(evidence.AsNoProtocol, func(a *collect.Attempt) { a.ALPN = nil }),
		as(evidence.AsWeb, func(a *collect.Attempt) { a.ALPN = []string{"http/1.1"} }),
		as(evidence.AsAnonymous, func(*collect.Attempt) {}),
	}
}

// certified are the attempts from a cluster with a certificate each, most of which must be refused.
func (s *Session) certified(base collect.Attempt, name string) ([]collect.Attempt, error) {
	now, own := time.Now(), filepath.Join(s.CADir(), name)
	account := func(domain, account string) string { return "spiffe://" + domain + "/ns/" + account }
	sleep := s.intent.Namespace() + "/sa/sleep"
	member := account(s.intent.TrustDomain, sleep)
	var all []collect.Attempt
	for _, one := range []struct {
		as, authority, id string
		from, to          time.Duration
	}{
		{evidence.AsMember, own, member, -time.Hour, 24 * time.Hour},
		{evidence.AsStranger, own, account(s.intent.TrustDomain, "elsewhere/sa/stranger"), -time.Hour, 24 * time.Hour},
		{evidence.AsForeigner, "", member, -time.Hour, 24 * time.Hour},
		{evidence.AsExpired, own, member, -2 * time.Hour, -time.Hour},
		{evidence.AsFuture, own, member, 24 * time.Hour, 48 * time.Hour},
		{evidence.AsOtherDomain, own, account("elsewhere.example", sleep), -time.Hour, 24 * time.Hour},
	} {
		certificate, key, err := authority.SignWorkload(one.authority, one.id, now.Add(one.from), now.Add(one.to))
		if err != nil {
			return nil, fmt.Errorf("make a certificate to ask the gateways as %q from cluster %s: %w", one.as, name, err)
		}
		a := base
		a.As, a.Certificate, a.Key = one.as, certificate, key
		all = append(all, a)
	}
	return all, nil
}

// asking is what a run expects that asks the gateways and calls the second service.
func asking(in intent.Intent) intent.Intent {
	in.Handshakes, in.Logs, in.SecondCalls, in.Certificates = true, true, secondCalls(len(in.Clusters)), in.Provision == intent.Kind
	return in
}

// secondCalls is how often the second service is called, so that calls that are shared evenly show every cluster but for a
// chance of 2 * 2^-40 at most: 40 times with two clusters.
func secondCalls(clusters int) int {
	n, calls := float64(clusters), 0
	for chance := n; chance > 2*math.Exp2(-40); calls++ {
		chance *= 1 - 1/n
	}
	return calls
}
