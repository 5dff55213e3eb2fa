package session

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/authority"
)

// TestCertificatesAreWhatTheirNamesSay: each attempt of a cluster differs from the member's in one thing.
func TestCertificatesAreWhatTheirNamesSay(t *testing.T) {
	s := &Session{o: Options{RunID: "r1", StateDir: t.TempDir()}, set: cluster.Set{{Name: "east"}, {Name: "west"}},
		intent: intent.Intent{Provision: intent.Kind, TrustDomain: "cluster.local"}}
	if err := authority.Make(authority.Plan{Dir: s.CADir(), Name: "r1", Clusters: []string{"east", "west"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.makeAttempts(); err != nil {
		t.Fatal(err)
	}
	const member = "spiffe://cluster.local/ns/sample/sa/sleep"
	for _, name := range []string{"east", "west"} {
		seen := map[string]bool{}
		for _, a := range s.attempts[name] {
			if a.Certificate == "" {
				continue
			}
			seen[a.As] = true
			block, _ := pem.Decode([]byte(a.Certificate))
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil || len(c.URIs) != 1 || len(a.Key) == 0 {
				t.Fatalf("%s: %v, %v", a.As, err, c)
			}
			now := time.Now()
			for what, differs := range map[string]bool{
				evidence.AsStranger:    c.URIs[0].String() == "spiffe://cluster.local/ns/elsewhere/sa/stranger",
				evidence.AsOtherDomain: c.URIs[0].String() == "spiffe://elsewhere.example/ns/sample/sa/sleep",
				evidence.AsExpired:     c.NotAfter.Before(now),
				evidence.AsFuture:      c.NotBefore.After(now),
			} {
				if differs != (a.As == what) {
					t.Errorf("%s as %q: %s, valid from %s to %s", name, a.As, c.URIs[0], c.NotBefore, c.NotAfter)
				}
			}
			if others := a.As == evidence.AsStranger || a.As == evidence.AsOtherDomain; !others && c.URIs[0].String() != member {
				t.Errorf("%s as %q is %s", name, a.As, c.URIs[0])
			}
		}
		if len(seen) != 6 {
			t.Errorf("%s asks with %v", name, seen)
		}
	}
}
