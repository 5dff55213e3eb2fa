package authority

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSignWorkload(t *testing.T) {
	p := plan(t)
	if err := Make(p); err != nil {
		t.Fatal(err)
	}
	const id = "spiffe://cluster.local/ns/sample/sa/sleep"
	now := time.Now()
	roots := x509.NewCertPool()
	roots.AddCert(certificates(t, p.Dir, "west", RootCert)[0])
	for _, tc := range []struct {
		name, authority string
		from, to        time.Duration
		says            string // what who trusts the other cluster's root says; "" = it takes it
	}{
		{"of the mesh", filepath.Join(p.Dir, "east"), -time.Hour, time.Hour, ""},
		{"of nobody", "", -time.Hour, time.Hour, "unknown authority"},
		{"expired", filepath.Join(p.Dir, "east"), -2 * time.Hour, -time.Hour, "expired or is not yet valid"},
		{"not yet valid", filepath.Join(p.Dir, "east"), time.Hour, 2 * time.Hour, "expired or is not yet valid"},
	} {
		chain, key, err := SignWorkload(tc.authority, id, now.Add(tc.from), now.Add(tc.to))
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
		if err != nil {
			t.Fatalf("%s: key and certificate do not fit: %v", tc.name, err)
		}
		between := x509.NewCertPool()
		for _, der := range pair.Certificate[1:] {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			between.AddCert(c)
		}
		_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if len(pair.Leaf.URIs) != 1 || pair.Leaf.URIs[0].String() != id {
			t.Errorf("%s: it is for %v", tc.name, pair.Leaf.URIs)
		}
	}
	if _, _, err := SignWorkload(t.TempDir(), id, now, now.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "authority of a cluster") {
		t.Errorf("a directory without an authority: %v", err)
	}
}

func TestSignServer(t *testing.T) {
	p := plan(t)
	if err := Make(p); err != nil {
		t.Fatal(err)
	}
	chain, key, err := SignServer(filepath.Join(p.Dir, "east"), "csr.example.svc")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(certificates(t, p.Dir, "east", RootCert)[0])
	between.AddCert(certificates(t, p.Dir, "east", CACert)[0])
	for name, good := range map[string]bool{"csr.example.svc": true, "elsewhere.example.svc": false} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: between}); (err == nil) != good {
			t.Errorf("asked as %s: %v", name, err)
		}
	}
}
