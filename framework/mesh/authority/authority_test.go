package authority

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func plan(t *testing.T) Plan {
	t.Helper()
	return Plan{Dir: filepath.Join(t.TempDir(), "ca"), Name: "r1", Clusters: []string{"east", "west"}}
}

func certificates(t *testing.T, name ...string) []*x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// trusts tells whether east's root accepts west's intermediate.
func trusts(t *testing.T, dir string) error {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(certificates(t, dir, "east", RootCert)[0])
	_, err := certificates(t, dir, "west", CACert)[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

func TestMake(t *testing.T) {
	for _, tc := range []struct {
		name          string
		change        func(*Plan)
		trusts, alike bool
	}{
		{"one root", func(*Plan) {}, true, false},
		{"a root for each", func(p *Plan) { p.OwnRoots = true }, false, false},
		{"one issuer", func(p *Plan) { p.SharedIssuer = true }, true, true},
		{"one issuer, were it not for the roots", func(p *Plan) { p.SharedIssuer, p.OwnRoots = true, true }, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := plan(t)
			tc.change(&p)
			if err := Make(p); err != nil {
				t.Fatal(err)
			}
			if err := trusts(t, p.Dir); (err == nil) != tc.trusts {
				t.Errorf("west's intermediate under east's root: %v", err)
			}
			chain := certificates(t, p.Dir, "west", CertChain)
			if len(chain) != 2 || chain[0].CheckSignatureFrom(chain[1]) != nil {
				t.Errorf("west's chain is not its intermediate and then that one's root: %v", chain)
			}
			if alike := bytes.Equal(certificates(t, p.Dir, "east", CACert)[0].Raw, chain[0].Raw); alike != tc.alike {
				t.Errorf("both clusters have the same issuer: %v, want %v", alike, tc.alike)
			}
			private(t, p.Dir)
			if err := Make(p); !errors.Is(err, fs.ErrExist) {
				t.Errorf("a CA that may be in use was written over: %v", err)
			}
		})
	}
}

func TestRootKeyStays(t *testing.T) {
	for _, name := range Files() {
		if name == rootKey {
			t.Errorf("the key of the root is given to a cluster")
		}
	}
}

// private checks that nobody else can read anything below dir.
func private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
